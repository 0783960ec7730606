"""Data as people have it: each format, layout, range and order with its outcome, and what any data set must keep."""

import io
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jitnet.data.pixels import scale_of, to_bytes
from jitnet.data.sources.cache import Cache
from jitnet.data.sources.known import FILES
from jitnet.data.sources.layouts import Options
from jitnet.data.sources.search import read_own
from jitnet.errors import InputError

SIDE = 6


def digits(count: int = 70, seed: int = 0, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, 6, 6) and labels (count,), in a mixed order, each class once in every `classes` images."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (count, SIDE, SIDE)).astype(np.uint8)
    x[0, 0, 0] = 255
    rounds = [rng.permutation(classes) for _ in range(-(-count // classes))]
    return x, np.concatenate(rounds)[:count].astype(np.uint8)


def csv(x, y, header="", last=False, sep=",", index=False, at=0) -> str:
    rows = []
    for place, (image, label) in enumerate(zip(x.reshape(len(x), -1).tolist(), list(y))):
        cells = [*image, label] if last else [*image[:at], label, *image[at:]]
        rows.append(sep.join(map(str, [place, *cells] if index else cells)))
    return (header + "\n" if header else "") + "\n".join(rows) + "\n"


PIXELS = ",".join(f"p{i}" for i in range(SIDE * SIDE))


def load(path, **options):
    said = []
    return read_own(Path(path), Cache(None, said.append), Options(**options)), said


def refused(path, **options) -> str:
    with pytest.raises(InputError) as caught:
        load(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


X, Y = digits()
TABLES = {
    "label first, named": csv(X, Y, "label," + PIXELS),
    "label last, named": csv(X, Y, PIXELS + ",label", last=True),
    "class last": csv(X, Y, PIXELS + ",class", last=True),
    "target": csv(X, Y, "Target," + PIXELS),
    "no header": csv(X, Y),
    "numbers of pandas": csv(X, Y, ",".join(map(str, range(SIDE * SIDE + 1)))),
    "index of pandas": csv(X, Y, ",label," + PIXELS, index=True),
    "unnamed index": csv(X, Y, "Unnamed: 0,label," + PIXELS, index=True),
    "semicolons": csv(X, Y, ("label," + PIXELS).replace(",", ";"), sep=";"),
    "tabs": csv(X, Y, sep="\t"),
    "decimal points": csv(X.astype(float), Y, "label," + PIXELS),
    "quoted": csv(X, [f'"{y}"' for y in Y], "label," + PIXELS),
    "fractions": csv(X / 255, Y, "label," + PIXELS),
}


@pytest.mark.parametrize("kind", TABLES)
def test_every_kind_of_table_reads_the_same(tmp_path, kind):
    (tmp_path / "plain.csv").write_text(TABLES["label first, named"])
    (tmp_path / "other.csv").write_text(TABLES[kind])
    plain, _ = load(tmp_path / "plain.csv")
    other, said = load(tmp_path / "other.csv")
    assert other.sha256 == plain.sha256 and other.class_names == ("0", "1", "2", "3", "4")
    if "index" in kind:
        assert any("numbers the rows" in each for each in said)


def test_the_uci_digits_have_the_label_last_and_no_header(tmp_path):
    x = (X.astype(int) * 16 // 255).astype(np.uint8)
    x[:, 0, 0] = 0  # the first column is always 0 there
    (tmp_path / "optdigits.csv").write_text(csv(x, Y, last=True))
    data, said = load(tmp_path / "optdigits.csv")
    np.testing.assert_array_equal(np.sort(np.bincount(np.r_[data.y_train, data.y_test])), np.full(5, 14))
    assert data.facts.scale.full == 16 and data.x_train.max() == 255
    assert any("last column" in each for each in said) and any("divided by 16" in each for each in said)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (csv(X, Y, "pixel," + PIXELS), "names no column of labels"),
        (csv(X, Y, "class,target," + PIXELS[3:]), "'class' and 'target'"),
        (csv(X, np.full(70, 7), "label," + PIXELS), "has the label 7 only"),
        (csv(X, np.arange(70) / 7, "label," + PIXELS), "--target COLUMN"),
        (csv(X, np.arange(70), "label," + PIXELS), "1 image of the class 0"),
        (csv(X.astype(int) - 9, Y, "label," + PIXELS), "expected pixels of at least 0"),
        (csv(np.full_like(X, 255), Y, "label," + PIXELS), "every pixel of all images is 255"),
        (csv(X / 60, Y, "label," + PIXELS), "expected 0 to 1, or 0 to 255"),
    ],
)
def test_tables_that_are_refused(tmp_path, text, words):
    (tmp_path / "t.csv").write_text(text)
    assert words in refused(tmp_path / "t.csv")


def test_a_label_that_is_named_by_an_option(tmp_path):
    (tmp_path / "t.csv").write_text(csv(X, Y, "kind," + PIXELS))
    by_name, _ = load(tmp_path / "t.csv", label="kind")
    assert by_name.sha256 == load(tmp_path / "t.csv", label="1")[0].sha256
    assert by_name.facts.label_column == "kind"
    assert "expected a column" in refused(tmp_path / "t.csv", label="none")


def test_names_as_labels(tmp_path):
    names = np.array(["ant", "bee", "cat", "dog", "eel"])[Y]
    for text in (csv(X, names, "label," + PIXELS), csv(X, names), csv(X, names, last=True)):
        (tmp_path / "t.csv").write_text(text)
        data, said = load(tmp_path / "t.csv")
        assert data.class_names == ("ant", "bee", "cat", "dog", "eel") and any("0 = ant" in each for each in said)


RANGES = {  # how X is stored, and the full scale that is found
    "bytes": (lambda x: x, 255),
    "floats to 255": (lambda x: x.astype(np.float64), 255),
    "fractions": (lambda x: x / 255, 1),
    "float32 fractions": (lambda x: np.float32(x / 255), 1),
    "ink or none": (lambda x: (x > 127).astype(np.uint8), 1),
    "bool": (lambda x: x > 127, 1),
    "-1 to 1": (lambda x: x / 127.5 - 1, 1),
    "0 to 16": (lambda x: np.rint(x / 255 * 16).astype(np.int64), 16),
    "4 bits": (lambda x: np.rint(x / 255 * 15).astype(np.int64), 15),
    "12 bits of 16": (lambda x: np.rint(x / 255 * 4095).astype(np.uint16), 4095),
    "16 bits": (lambda x: x.astype(np.uint16) * 257, 65535),
}


@pytest.mark.parametrize("kind", RANGES)
def test_every_range_becomes_bytes_and_is_named(tmp_path, kind):
    make, full = RANGES[kind]
    values = make(X)
    np.savez(tmp_path / "d.npz", x_train=values[:60], y_train=Y[:60], x_test=values[60:], y_test=Y[60:])
    data, said = load(tmp_path / "d.npz")
    assert data.facts.scale.full == full and data.x_train.max() == 255 and data.x_train.dtype == np.uint8
    levels = {1: 1 if kind in ("ink or none", "bool") else 255, 16: 16, 15: 15}.get(full, 255)
    expected = np.where(X > 127, 255, 0) if levels == 1 else X
    assert np.abs(data.x_train.astype(int) - expected[:60]).max() <= 255 / levels / 2 + 1
    assert bool(said) == (kind != "bytes"), said


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (X[:, None], "the channels first"),
        (np.float64(X) * 3 - 300, "not standardised"),
        (np.where(X == 0, np.nan, X / 255.0), "the value nan"),
        (np.full_like(X, 9), "every pixel of all images is 9"),
        (X.reshape(70, 36)[:, :35], "35 pixels in a row"),
        (X.astype(np.int64) * 10**6, "at most 65,535"),
    ],
)
def test_arrays_that_are_refused(tmp_path, values, words):
    np.savez(tmp_path / "d.npz", x_train=values, y_train=Y, x_test=values, y_test=Y)
    assert words in refused(tmp_path / "d.npz")


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float32, np.str_])
def test_labels_of_any_type_that_need_not_begin_at_0(tmp_path, dtype):
    y = (Y.astype(int) * 2 + 1).astype(dtype)
    np.savez(tmp_path / "d.npz", x=X, y=y) if dtype is not np.str_ else (tmp_path / "d.csv").write_text(csv(X, y))
    data, _ = load(tmp_path / ("d.csv" if dtype is np.str_ else "d.npz"))
    assert data.class_names == ("1", "3", "5", "7", "9") and data.classes == 5


def test_sorted_data_is_split_by_class(tmp_path):
    order = np.argsort(Y, kind="stable")
    (tmp_path / "sorted.csv").write_text(csv(X[order], Y[order], "label," + PIXELS))
    data, _ = load(tmp_path / "sorted.csv")
    assert set(data.y_test.tolist()) == set(data.y_train.tolist()) == set(range(5))
    assert np.bincount(data.y_test).tolist() == [2] * 5


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train.csv", "test.csv"),
        ("mnist_train.csv", "mnist_test.csv"),
        ("fashion-mnist_train.csv", "fashion-mnist_test.csv"),
        ("emnist-letters-train.csv", "emnist-letters-test.csv"),
        ("Train.CSV", "Test.CSV"),
        ("digits.training.csv", "digits.testing.csv"),
        ("train.csv", "valid.csv"),
    ],
)
def test_pairs_of_tables(tmp_path, train, test):
    (tmp_path / train).write_text(csv(X[:50], Y[:50], "label," + PIXELS))
    (tmp_path / test).write_text(csv(X[50:], Y[50:], "label," + PIXELS))
    data, _ = load(tmp_path)
    np.testing.assert_array_equal(data.x_test, X[50:])
    whole, _ = load(tmp_path / test, whole=True)
    np.testing.assert_array_equal(whole.x_test, X[50:])


def test_kaggles_digits_have_a_test_file_without_labels(tmp_path):
    (tmp_path / "train.csv").write_text(csv(X[:50], Y[:50], "label," + PIXELS))
    (tmp_path / "test.csv").write_text(PIXELS + "\n" + csv(X[50:, :, 1:], X[50:, 0, 0]))  # 36 columns
    rows = "\n".join(",".join(map(str, row)) for row in X[50:].reshape(20, -1).tolist())
    (tmp_path / "test.csv").write_text(PIXELS + "\n" + rows + "\n")
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")
    for path in (tmp_path, tmp_path / "train.csv"):
        data, said = load(path)
        assert len(data.x_train) + len(data.x_test) == 50
        assert any("test.csv has no labels, so it is not used" in each for each in said)
    assert "no labels" in refused(tmp_path / "test.csv")


def pgm(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"P5 %d %d 255\n" % image.shape[::-1] + image.tobytes())


def write_folders(root: Path, x, y) -> None:
    for place, (image, label) in enumerate(zip(x, y)):
        pgm(root / str(label) / f"{place:04}.pgm", image)


@pytest.mark.parametrize(
    ("train", "test"),
    [("train", "test"), ("training", "testing"), ("Train", "Test"), ("train", "val"), ("TRAIN", "Validation")],
)
def test_folders_of_a_split(tmp_path, train, test):
    write_folders(tmp_path / "d" / train, X[:50], Y[:50])
    write_folders(tmp_path / "d" / test, X[50:], Y[50:])
    for path in (tmp_path / "d", tmp_path):  # an archive often has one folder around it
        data, said = load(path)
        assert len(data.x_test) == 20 and train in data.facts.split and not said


def test_folders_with_litter(tmp_path):
    write_folders(tmp_path, X, Y)
    plain = load(tmp_path)[0].sha256
    (tmp_path / "0" / "._0001.pgm").write_bytes(b"\0\5\x16\7")
    (tmp_path / "0" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "__MACOSX" / "0").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "._0.png").write_bytes(b"\0\5\x16\7")
    pgm(tmp_path / ".ipynb_checkpoints" / "a.pgm", X[0])
    assert load(tmp_path)[0].sha256 == plain


def test_damaged_pictures_are_all_named_or_skipped_and_counted(tmp_path):
    write_folders(tmp_path, X, Y)
    (tmp_path / "0" / "zz_empty.png").write_bytes(b"")
    (tmp_path / "1" / "zz_cut.pgm").write_bytes(b"P5 6 6 255\n123")
    message = refused(tmp_path)
    assert "zz_empty.png" in message and "zz_cut.pgm" in message and "--skip-damaged" in message
    data, said = load(tmp_path, skip_damaged=True)
    assert len(data.x_train) + len(data.x_test) == 70 and any("2 damaged images" in each for each in said)


def test_flat_folders_and_unused_ones(tmp_path):
    for part in ("train", "test"):
        for place in range(3):
            pgm(tmp_path / "flat" / part / f"{place}.pgm", X[place])
    assert "but no folders in it" in refused(tmp_path / "flat")
    write_folders(tmp_path / "half" / "train", X, Y)
    pgm(tmp_path / "half" / "test" / "1.pgm", X[0])
    data, said = load(tmp_path / "half")
    assert len(data.x_train) + len(data.x_test) == 70 and any("test has no class folders" in each for each in said)


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def stroke(label: int, rng: np.random.Generator) -> np.ndarray:
    """A tall character (28, 28), another for each label."""
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12 : 15 + label] = rng.integers(150, 256, (20, 3 + label))
    return image


@pytest.mark.parametrize("named", ["emnist-digits-", ""])
def test_images_on_their_side_are_turned_upright(tmp_path, named):
    rng = np.random.default_rng(0)
    y = np.arange(60).astype(np.uint8) % 10
    x, other = (np.stack([stroke(label, rng) for label in y]) for _ in range(2))
    for folder, turn in (("upright", lambda images: images), ("side", lambda images: images.swapaxes(1, 2))):
        (tmp_path / folder).mkdir()
        for part, name in FILES.items():
            array = y if part.startswith("y") else np.ascontiguousarray(turn(x if part == "x_train" else other))
            (tmp_path / folder / (named + name)).write_bytes(idx(array))
    upright, said = load(tmp_path / "upright")
    assert upright.facts.orientation == "upright" and not said
    turned, said = load(tmp_path / "side")
    np.testing.assert_array_equal(turned.x_train, x)
    np.testing.assert_array_equal(turned.x_test, other)
    assert turned.facts.orientation == "turned upright" and any("on their side" in each for each in said)


def as_npz(folder, x, y):
    np.savez(folder / "d.npz", x=x, y=y)
    return folder / "d.npz"


def as_csv(**form):
    def write(folder, x, y):
        (folder / "d.csv").write_text(csv(x, y, **form))
        return folder / "d.csv"

    return write


def as_gz(folder, x, y):
    stream = io.BytesIO()
    np.savez_compressed(stream, images=x.astype(np.float64) / 255, labels=y.astype(np.int64))
    (folder / "d.npz").write_bytes(stream.getvalue())
    return folder / "d.npz"


WRITERS = {
    "npz": as_npz,
    "csv": as_csv(header="label," + PIXELS),
    "csv last": as_csv(header=PIXELS + ",y", last=True),
    "tsv": as_csv(header=("label," + PIXELS).replace(",", "\t"), sep="\t"),
    "fractions": as_gz,
}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(40, 90))
def test_any_data_reads_back_equal_and_any_two_formats_have_one_hash(tmp_path_factory, seed, classes, count):
    x, y = digits(count, seed, classes)
    found = {}
    for name, write in WRITERS.items():
        data, _ = load(write(tmp_path_factory.mktemp("d"), x, y))
        found[name] = data.sha256
        test = np.isin(np.arange(count), np.flatnonzero((x[:, None] == data.x_test[None]).all((2, 3)).any(1)))
        np.testing.assert_array_equal(data.x_train, x[~test])
        np.testing.assert_array_equal(data.y_train, y[~test])
        np.testing.assert_array_equal(data.y_test, y[test])
    assert len(set(found.values())) == 1, found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, 3, 7, 15, 16, 255, 1023, 4095, 16383, 65535]))
def test_whole_numbers_keep_their_order_and_their_ends(seed, full):
    values = np.random.default_rng(seed).integers(0, full + 1, 2000)
    values[:2] = 0, full
    scale = scale_of([values], "x")
    read = to_bytes(values, scale, "x")
    assert scale.full == full and read[0] == 0 and read[1] == 255
    assert (np.diff(read[np.argsort(values)].astype(int)) >= 0).all()


BLOCKS = re.findall(r"```python\n(.*?)```", (Path(__file__).parents[2] / "docs/data.md").read_text(), re.S)


@pytest.mark.parametrize("place", range(len(BLOCKS)))
def test_the_examples_of_the_catalogue_run(tmp_path, monkeypatch, capsys, place):
    monkeypatch.chdir(tmp_path)
    exec(BLOCKS[place], {})
    assert "('" in capsys.readouterr().out
