"""The files that people bring, as a table: each reads the same, or is refused in one sentence that says why."""

import gzip
import pickle
import zipfile

import numpy as np
import pytest
from test_data_inputs import PIXELS, X, Y, csv, idx, load, pgm, refused, write_folders

from jitnet.data.content import sha256
from jitnet.data.readers.names import role_of
from jitnet.data.sources.known import FILES

PLAIN = csv(X, Y, "label," + PIXELS)
ROWS = csv(X, Y)
HOT = np.eye(5, dtype=int)[Y]
HOT_NAMES = ",".join(f"label_{name}" for name in "01234")


def text(content, name="d.csv", encoding="utf-8"):
    return lambda folder: put(folder / name, content.encode(encoding))


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def npz(**named):
    def write(folder):
        np.savez(folder / "d.npz", **named)
        return folder / "d.npz"

    return write


def npy(**named):
    def write(folder):
        for name, array in named.items():
            np.save(folder / f"{name}.npy", array)
        return folder

    return write


def rows_with(line, column, value):
    rows = [row.split(",") for row in PLAIN.splitlines()]
    rows[line][column] = value
    return "\n".join(map(",".join, rows)) + "\n"


def hot(header):
    rows = np.hstack([X.reshape(len(X), -1), HOT]).tolist()
    return "".join(each + "\n" for each in ([header] if header else []) + [",".join(map(str, row)) for row in rows])


def ids(name):
    numbers = np.random.default_rng(0).permutation(900)[: len(X)]
    lines = PLAIN.splitlines()
    return "\n".join([f"{name},{lines[0]}"] + [f"{n},{line}" for n, line in zip(numbers, lines[1:])])


SAME = {  # all hold the images of PLAIN, and their labels
    "quoted": text(csv(X, [f'"{y}"' for y in Y], "label," + PIXELS)),
    "UTF-8 with a mark": text(PLAIN, encoding="utf-8-sig"),
    "UTF-16": text(PLAIN, encoding="utf-16"),
    "Windows lines": text(PLAIN.replace("\n", "\r\n")),
    "old Mac lines": text(PLAIN.replace("\n", "\r")),
    "spaces after commas": text(PLAIN.replace(",", ", ")),
    "empty lines": text("\n" + PLAIN.replace("\n", "\n\n")),
    "named otherwise": text(PLAIN, "digits.data"),
    "capitals": text(PLAIN, "D.CSV"),
    "gzipped": lambda folder: put(folder / "d.csv.gz", gzip.compress(PLAIN.encode())),
    "labels 3.0": text(csv(X, Y.astype(float), "label," + PIXELS)),
    "labels 00": text(csv(X, [f"{y:02}" for y in Y], "label," + PIXELS)),
    "a label with spaces": text(PLAIN.replace("label", " Label ", 1)),
    "an index and quotes": text(csv(X, [f'"{y}"' for y in Y], '"",label,' + PIXELS, index=True)),
    "names as numpy.savetxt writes them": text(f"# label,{PIXELS}\n" + ROWS),
    "comments at the top": text("# made by me\n#\n" + PLAIN),
    "comments and names": text("# made by me\n#label," + PIXELS + "\n" + ROWS),
    "a row that is a comment": text("#" + ROWS.split("\n", 1)[0] + "\n" + ROWS),
    "one-hot, named": text(hot(f"{PIXELS},{HOT_NAMES}")),
    "one-hot": text(hot("")),
    "numbers of rows in any order": text(ids("id")),
    "an index after shuffling": text(ids("")),
    "X and y": npz(X=X, y=Y),
    "images and labels": npz(images=X, labels=Y),
    "features and targets": npz(features=X.reshape(70, -1), targets=Y),
    "names that are no data": npz(x=X, y=Y, class_names=np.array(list("abcde"))),
    "one-hot floats": npz(x=X, y=HOT.astype(float)),
    "a column of labels": npz(x=X, y=Y[:, None]),
    "texts": npz(x=X, y=Y.astype(str)),
    "bytes": npz(x=X, y=Y.astype("S1")),
    "half floats": npz(x=(X / 255).astype(np.float16), y=Y),
    "big-endian": npz(x=X.astype(">u2"), y=Y.astype(">i4")),
    "Fortran's order": npz(x=np.asfortranarray(X), y=Y),
    "long doubles": npz(x=(X / 255).astype(np.longdouble), y=Y),
    "a pair of npy": npy(x=X, y=Y),
    "a pair with a name": npy(digits_images=X, digits_labels=Y),
}


def test_separators_in_quotes_belong_to_their_field(tmp_path):
    names = np.array(["a, b", "c", 'd "e"', "f, g", "h"])
    quoted = ['"' + name.replace('"', '""') + '"' for name in names[Y]]
    for last in (False, True):
        header = f"{PIXELS},label" if last else f"label,{PIXELS}"
        data, _ = load(text(csv(X, quoted, header, last=last))(tmp_path))
        assert data.class_names == tuple(names)
        np.testing.assert_array_equal(np.sort(data.y_train), np.sort(load(text(PLAIN)(tmp_path))[0].y_train))


@pytest.mark.parametrize("kind", SAME)
def test_every_file_reads_the_same(tmp_path, kind):
    (tmp_path / "plain").mkdir()
    (tmp_path / "other").mkdir()
    plain, _ = load(text(PLAIN)(tmp_path / "plain"))
    other, _ = load(SAME[kind](tmp_path / "other"))
    assert other.sha256 == plain.sha256 and other.class_names == plain.class_names


SPLIT = [
    ("x_train", "y_train", "x_test", "y_test"),
    ("X_train", "Y_train", "X_test", "Y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("trainX", "trainY", "testX", "testY"),
    ("xtrain", "ytrain", "xtest", "ytest"),
    ("train_x", "train_y", "val_x", "val_y"),
]


@pytest.mark.parametrize("names", SPLIT)
@pytest.mark.parametrize("write", [npz, npy])
def test_arrays_tell_their_part_by_their_names(tmp_path, names, write):
    data, said = load(write(**dict(zip(names, (X[:50], Y[:50], X[50:], Y[50:]))))(tmp_path))
    np.testing.assert_array_equal(data.x_test, X[50:])
    np.testing.assert_array_equal(data.y_train, Y[:50])
    assert not said


def test_a_part_for_validation_is_not_used_where_there_is_one_for_testing(tmp_path):
    parts = {"train": slice(50), "val": slice(50, 60), "test": slice(60, 70)}
    named = {f"{part}_images": X[cut] for part, cut in parts.items()}
    named |= {f"{part}_labels": Y[cut, None] for part, cut in parts.items()}
    data, said = load(npz(**named)(tmp_path))
    assert len(data.x_test) == 10 and any("val_images, val_labels of" in each for each in said)


@pytest.mark.parametrize("name", ["index", "latest", "taxes", "train", "y2", "testimony", "names"])
def test_words_that_hold_a_role_by_chance_have_none(name):
    assert role_of(name)[1] == ""


def deep(folder):
    for name in "01":
        put(folder / name / "inside" / "a.png", b"x")
    return folder


REFUSED = [
    (text(rows_with(5, 9, "")), "'' in line 6, column 10: expected a number; a value is missing"),
    (text(rows_with(5, 9, "NaN")), "'NaN' in line 6, column 10"),
    (text(rows_with(5, 9, "1e300")), "has the value 1e+300"),
    (text(rows_with(5, 9, '"1,024"')), "'1,024' in line 6, column 10"),
    (npz(x=np.repeat(X.reshape(70, -1), 3, axis=1), y=Y), "6 x 6 pixels of three colours must be arrays (N, 6, 6, 3)"),
    (text(rows_with(5, 0, "")), "has no label in line 6"),
    (text(rows_with(5, 0, "nan")), "which stands for none"),
    (text(rows_with(5, 0, "?")), "which stands for none"),
    (text(PLAIN.replace("p0,", "label,", 1)), "the columns 'label' and 'label'"),
    (text(PLAIN.replace("p0,", "class,", 1)), "the columns 'label' and 'class'"),
    (text(csv(X, np.array(list("éèüäö"))[Y], "label," + PIXELS), encoding="latin-1"), "not text in UTF-8, in line 2"),
    (text(hot("").replace(",1,", ",0,").replace(",1\n", ",0\n", 30)), "expected"),
    (text("filename,label\na.png,0\nb.png,1\n"), "it is a list of images"),
    (text("1 3:0.5 7:1\n0 2:0.25 9:1\n", "d.libsvm"), "in the format of libsvm"),
    (text("@relation digits\n@data\n1,2\n", "d.arff"), "is an ARFF file: export it as CSV"),
    (text(csv(X, Y, at=20)), "but column 21 does: name the right one by --label 21"),
    (text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "get it by git lfs pull"),
    (lambda folder: put(folder / "train.csv.zip", b"PK\x03\x04").parent, "train.csv.zip, an archive, and no data set"),
    (text("<html>404</html>"), "is a web page or XML"),
    (text('{"x": 1}', "d.json"), "is a JSON file"),
    (text(""), "and it is empty"),
    (npz(x=X), "expected arrays named x_train"),
    (npz(x=X, y=Y, images=X), "x and images"),
    (npz(x=Y, y=X), "expected images as (N, H, W)"),
    (npz(x=X, y=np.append(Y, 0)), "70 train images but 71 train labels"),
    (npz(x=X, y=np.where(Y == 0, np.inf, Y)), "has the label inf"),
    (npz(x=X, y=HOT * 0.9), "expected one label per image"),
    (npz(x=X.transpose(1, 2, 0), y=Y), "6 train images but 70 train labels"),
    (npz(x_train=X[:50], y_train=Y[:50], x_test=X[50:].astype(np.uint16) * 257, y_test=Y[50:]), "expected one scale"),
    (npz(x_train=X[:50] > 9, y_train=Y[:50], x_test=X[50:], y_test=Y[50:]), "expected one scale"),
    (npz(x_train=X[:50], y_train=Y[:50], x_test=X[50:, :5, :5], y_test=Y[50:]), "expected one shape"),
    (npz(x=X[:1], y=Y[:1]), "has one image"),
    (lambda folder: put(folder / "d.pkl", pickle.dumps((X, Y))), "a Python pickle, which may run any program"),
    (lambda folder: put(folder / "d.pkl.gz", gzip.compress(pickle.dumps((X, Y)))), "a Python pickle"),
    (lambda folder: put(folder / "d.mat", b"MATLAB 5.0 MAT-file" + bytes(200)), "load it by scipy.io.loadmat"),
    (lambda folder: put(folder / "d.h5", b"\x89HDF\r\n\x1a\n" + bytes(200)), "is an HDF5 file"),
    (lambda folder: put(folder / "d.csv", b"\x89PNG\r\n\x1a\n"), "is one image: expected a folder"),
    (lambda folder: put(folder / "train-images-idx3-ubyte", idx(X)), "one of several files"),
    (lambda folder: put(folder / "a.png", b"x").parent, "has images but no folders of classes"),
    (lambda folder: deep(folder), "two folders deep"),
]


@pytest.mark.parametrize("place", range(len(REFUSED)))
def test_what_cannot_be_read_is_refused(tmp_path, place):
    write, words = REFUSED[place]
    assert words in refused(write(tmp_path))


def test_archives_are_unpacked_by_their_owner(tmp_path):
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("d.csv", PLAIN)
    assert "is a zip archive: unpack it" in refused(tmp_path / "d.zip")
    np.save(tmp_path / "x.npy", X.astype(object), allow_pickle=True)
    np.save(tmp_path / "y.npy", Y)
    (tmp_path / "d.zip").unlink()
    assert "values of type object: expected numbers or texts" in refused(tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        [f"{name}.gz" for name in FILES.values()],
        ["train-images.idx", "train-labels.idx", "test-images.idx", "test-labels.idx"],
        [f"{name} (1)" for name in FILES.values()],
        [f"{name}/{name.replace('-idx', '.idx')}" for name in FILES.values()],
    ],
)
def test_idx_files_are_told_by_their_content(tmp_path, names):
    for name, array in zip(names, (X[:50], Y[:50], X[50:], Y[50:])):
        put(tmp_path / name, gzip.compress(idx(array)) if name.endswith(".gz") else idx(array))
    data, said = load(tmp_path)
    assert sha256(data.x_test) == sha256(X[50:]) and not said


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("spelling", ["gzipped", "dotted"])
def test_a_part_in_two_spellings_is_refused_unless_they_are_equal(tmp_path, part, spelling):
    arrays = (X[:50], Y[:50], X[50:], Y[50:])
    names = list(FILES.values())
    for name, array in zip(names, arrays):
        put(tmp_path / name, idx(array))
    second = names[part].replace("-idx", ".idx") if spelling == "dotted" else f"{names[part]}.gz"
    for array in (arrays[part], 9 - arrays[part] // 30):
        put(tmp_path / second, gzip.compress(idx(array)) if second.endswith(".gz") else idx(array))
        if array is arrays[part]:
            assert sha256(load(tmp_path)[0].x_test) == sha256(X[50:])
        else:
            assert f"has {names[part]} and {second} with other content" in refused(tmp_path)


def test_notes_about_what_is_in_class_folders(tmp_path):
    write_folders(tmp_path, X, Y)
    plain = load(tmp_path)[0].sha256
    put(tmp_path / "0" / "notes.txt", b"x")
    (tmp_path / "9").mkdir()
    pgm(tmp_path / "1" / "more" / "a.pgm", X[0])
    data, said = load(tmp_path)
    assert data.sha256 == plain
    for words in ("not of a kind that is read: notes.txt", "9 in", "folders inside class folders are not used"):
        assert any(words in each for each in said), (words, said)
    pgm(tmp_path / "8" / "more" / "a.pgm", X[0])
    assert "8 has images only in folders inside it" in refused(tmp_path)


@pytest.mark.parametrize("kind", ["deep", "mixed", "ink or none"])
def test_folders_keep_the_scale_of_their_files(tmp_path, kind):
    """What a run divided its pictures by is what later ones are divided by."""
    image = pytest.importorskip("PIL.Image")
    full = {"deep": 4095, "mixed": 255, "ink or none": 1}[kind]
    for place, (pixels, label) in enumerate(zip(X, Y)):
        levels = {
            "deep": np.rint(pixels * (4095 / 255)).astype(np.uint16),
            "mixed": pixels.astype(np.uint16) * 257 if place % 2 else pixels,
            "ink or none": (pixels > 127).astype(np.uint8),
        }[kind]
        path = tmp_path / str(label) / f"{place:02}.png"
        path.parent.mkdir(exist_ok=True)
        image.fromarray(levels).save(path)
    data, said = load(tmp_path)
    assert data.facts.scale.full == full and data.x_train.max() == 255 and len(said) >= 1
    again, _ = load(tmp_path)
    assert again.facts.scale == data.facts.scale


def test_notes_about_classes_and_repeated_images(tmp_path):
    _, said = load(npz(x_train=X, y_train=Y, x_test=X[:10], y_test=Y[:10])(tmp_path))
    assert any("10 of the 10 test images" in each for each in said)
    _, said = load(npz(x_train=X[:50], y_train=Y[:50], x_test=X[50:], y_test=np.minimum(Y[50:], 3))(tmp_path))
    assert any("no test images of the class 4" in each for each in said)
    _, said = load(text(csv(X, np.array(["Cat", "cat", "dog", "eel", "fox"])[Y], "label," + PIXELS))(tmp_path))
    assert any("Cat and cat, which differ in their case alone" in each for each in said)
