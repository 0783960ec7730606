"""Tables: which column is what, what a class is called by it, which line is wrong; and tables of numbers."""

import gzip
import zipfile

import numpy as np
import pytest
from test_data_catalogue import HOT
from test_data_inputs import PIXELS, X, Y, csv, load, refused

from jitnet.data.readers import regression
from jitnet.data.readers.columns import place_of
from jitnet.data.readers.kinds import is_table, kind_of
from jitnet.data.readers.names import is_litter, role_of
from jitnet.data.sources import layouts
from jitnet.data.sources.cache import Cache
from jitnet.errors import InputError

NAMES = ["emu", "ant", "dog", "bee", "cat"]
PLAIN = csv(X, Y, "label," + PIXELS)


def refuses(content: str, tmp_path) -> str:
    (tmp_path / "t.csv").write_text(content)
    return refused(tmp_path / "t.csv")


@pytest.mark.parametrize("prefix", ["", "label_", "is_a_"])
@pytest.mark.parametrize("last", [False, True])
def test_the_names_of_columns_with_a_single_1_are_those_of_the_classes(tmp_path, prefix, last):
    sides = [X.reshape(len(X), -1), HOT] if last else [HOT, X.reshape(len(X), -1)]
    head = [PIXELS, *(prefix + name for name in NAMES)] if last else [*(prefix + name for name in NAMES), PIXELS]
    rows = "\n".join(",".join(map(str, row)) for row in np.hstack(sides).tolist())
    (tmp_path / "t.csv").write_text(",".join(head) + "\n" + rows + "\n")
    data, said = load(tmp_path / "t.csv", whole=True)
    np.testing.assert_array_equal(data.x_test, X)
    assert [data.class_names[label] for label in data.y_test] == [NAMES[label] for label in Y]
    columns = "37 to 41" if last else "1 to 5"
    assert data.facts.label_column == columns and any(f"the columns {columns} of" in each for each in said)


def test_a_column_without_a_name_is_called_by_its_number_from_1(tmp_path):
    pixels = np.where(np.arange(36) == 0, 0, X.reshape(len(X), -1)).reshape(X.shape)  # the first column is always 0
    for place, text in ((1, csv(X, Y)), (37, csv(pixels, Y, last=True))):
        (tmp_path / "t.csv").write_text(text)
        assert load(tmp_path / "t.csv")[0].facts.label_column == str(place)


def test_a_column_is_found_as_it_is_spelled_before_any_case():
    assert [place_of(["A", "a", "B"], name) for name in ("a", "A", "b")] == [1, 0, 2]


@pytest.mark.parametrize("start", [0, 1])
def test_numbers_in_order_over_many_columns_are_their_names(tmp_path, start):
    (tmp_path / "t.csv").write_text(csv(X, Y, ",".join(str(start + place) for place in range(37))))
    data, _ = load(tmp_path / "t.csv", whole=True)
    np.testing.assert_array_equal(data.x_test, X)
    assert data.facts.header.startswith(f"{start},{start + 1},")


def test_numbers_in_order_over_a_few_columns_may_be_an_image(tmp_path):
    rows = [[label, *image] for label, image in zip(Y.tolist(), X[:, 0, :4].tolist())]
    (tmp_path / "t.csv").write_text("\n".join(",".join(map(str, row)) for row in [list(range(5)), *rows]))
    assert len(load(tmp_path / "t.csv", whole=True, label="1")[0].x_test) == len(rows) + 1


def test_an_image_that_became_the_header_is_said_to_be_lost(tmp_path):
    lines = csv(X, Y).splitlines()
    seen: dict[str, int] = {}
    head = []
    for name in ["3", *["0"] * 20, *["7"] * 16]:  # as pandas reads and writes an image again
        head.append(f"{name}.{seen[name]}" if name in seen else name)
        seen[name] = seen.get(name, 0) + 1
    (tmp_path / "t.csv").write_text("\n".join([",".join(head), *lines]))
    data, said = load(tmp_path / "t.csv", label="1")
    assert len(data.x_train) + len(data.x_test) == len(X)
    assert any("is an image that was taken for a header" in each for each in said)


def test_of_two_columns_that_look_like_labels_none_is_chosen(tmp_path):
    text = csv(np.where(np.arange(36).reshape(6, 6) == 35, Y[:, None, None], X), Y)
    assert "both look like labels" in refuses(text, tmp_path)


def test_the_line_without_a_label_is_named_where_there_are_comments(tmp_path):
    lines = PLAIN.splitlines()
    lines[4] = "," + lines[4].partition(",")[2]
    assert "has no label in line 7" in refuses("\n".join(["# by me", "# for you", *lines]), tmp_path)


def test_numbers_of_rows_are_no_label_where_columns_have_no_names(tmp_path):
    (tmp_path / "t.csv").write_text(csv(X, Y, index=True))
    data, said = load(tmp_path / "t.csv", whole=True)
    np.testing.assert_array_equal(data.x_test, X)
    assert data.y_test.tolist() == Y.tolist() and any("numbers the rows" in each for each in said)
    assert data.facts.label_column == "2"


def test_fractions_in_the_place_of_labels_are_no_classes(tmp_path):
    assert "--target COLUMN" in refuses(csv(X / 255, Y + 0.5), tmp_path)


def test_a_long_header_is_recorded_by_its_beginning(tmp_path):
    header = "label," + ",".join(f"a pixel that has a long name {place}" for place in range(36))
    (tmp_path / "t.csv").write_text(csv(X, Y, header))
    assert load(tmp_path / "t.csv")[0].facts.header == header[:200]


def test_a_table_from_the_cache_is_described_as_it_was_first(tmp_path):
    (tmp_path / "t.csv").write_text("# by me\n" + csv(X, Y, ",kind," + PIXELS, index=True))
    cache = Cache(tmp_path / "cache", pytest.fail)
    first, again = (layouts.read(tmp_path / "t.csv", cache, layouts.Options(label="kind")) for _ in range(2))
    assert (tmp_path / ".jitnet").is_dir() and len(first.notes) == 2
    for name in ("header", "label_column", "notes", "kind", "split"):
        assert getattr(first, name) == getattr(again, name)
    np.testing.assert_array_equal(first.x_train, again.x_train)


def test_a_table_is_not_kept_beside_itself_where_nothing_is_to_be_kept(tmp_path):
    (tmp_path / "t.csv").write_text(PLAIN)
    layouts.read(tmp_path / "t.csv", Cache(None, pytest.fail))
    assert [each.name for each in tmp_path.iterdir()] == ["t.csv"]


def test_what_is_assumed_of_the_test_table_is_said_too(tmp_path):
    (tmp_path / "train.csv").write_text(csv(X[:50], Y[:50], "label," + PIXELS))
    (tmp_path / "test.csv").write_text("# by me\n" + csv(X[50:], Y[50:], "label," + PIXELS))
    data, said = load(tmp_path)
    assert len(said) == 1 and "test.csv that begin with # are not used" in said[0]
    assert data.facts.split == "the files train.csv and test.csv"


@pytest.mark.parametrize(
    ("names", "unused", "reason"),
    [
        (["a_train.csv", "b_test.csv"], "b_test.csv", True),
        (["train.csv", "val_1.csv", "x_test.csv"], "x_test.csv, val_1.csv", True),
        (["train.csv", "test.csv.gz"], "test.csv.gz", True),
        (["train.csv", "test.csv", "val.csv"], "val.csv", False),
        (["digits.csv", "test.csv"], "test.csv", True),
        (["train.csv", "test.csv", "sample.csv"], "", False),
    ],
)
def test_tables_of_another_part_that_are_not_used_are_named(tmp_path, names, unused, reason):
    for name in names:
        (tmp_path / name).write_bytes(gzip.compress(PLAIN.encode()) if name.endswith(".gz") else PLAIN.encode())
    noted = [each for each in load(tmp_path)[1] if "not used" in each]
    assert [each.startswith(f"{unused} of {tmp_path} ") for each in noted] == [True] * bool(unused)
    assert [f"expected the name of {names[0]}" in each for each in noted] == [reason] * bool(unused)


def test_only_a_table_of_the_same_name_is_the_test_table(tmp_path):
    (tmp_path / "mnist_train.csv").write_text(PLAIN)
    (tmp_path / "fashion_test.csv").write_text(csv(X[:20], Y[:20], "label," + PIXELS))
    for path in (tmp_path, tmp_path / "mnist_train.csv"):
        data, _ = load(path)
        assert len(data.x_train) + len(data.x_test) == len(X)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("d.xlsx", ["_rels/.rels", "[Content_Types].xml"], "is an Excel file: export it as CSV"),
        ("d.xlsx", ["[Content_Types].xml", "_rels/.rels"], "is an Excel file: export it as CSV"),
        ("d.pt", ["model/data.pkl", "model/data/0"], "is a PyTorch file: load it"),
        ("d.zip", ["a.csv"], "is a zip archive: unpack it"),
        ("d.csv.bz2", b"BZh91AY&SY", "is compressed by bzip2: unpack it"),
        ("d.xls", b"\xd0\xcf\x11\xe0" + bytes(9), "is an Excel file"),
        ("d.7z", b"7z\xbc\xaf" + bytes(9), "is a 7z archive"),
        ("d.tar", bytes(257) + b"ustar" + bytes(99), "is a tar archive: unpack it"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, name, content, words):
    path = tmp_path / name
    if isinstance(content, list):
        with zipfile.ZipFile(path, "w") as archive:
            for each in content:
                archive.writestr(each, "x")
    else:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        kind_of(path)
    assert words in str(caught.value)


def test_a_table_is_one_in_any_encoding_and_a_picture_is_none(tmp_path):
    tables = {"a": b"1,2\n3,4\n", "b": "1,2\n3,4\n".encode("utf-16"), "c": gzip.compress(b"1,2\n")}
    others = {"d": b"P2 2 1 255\n1 2", "e": b"1,2\0", "f": b"words\n", "g": b"\xff\xfe,1\0\n"[2:], "h": b"{1}"}
    for name, content in (tables | others).items():
        (tmp_path / name).write_bytes(content)
        assert is_table(tmp_path / name) == (name in tables), name


def test_names_tell_parts_and_litter_in_any_case(tmp_path):
    assert role_of("x_tr")[:2] == ("train", "x") and role_of("yTe")[:2] == ("test", "y")
    assert all(is_litter(tmp_path / name) for name in ("THUMBS.DB", "Desktop.ini", "__MacOSX", ".DS_Store"))
    assert not is_litter(tmp_path / "thumbs.png")


NUMBERS = np.random.default_rng(0).normal(size=(21, 3)).round(3)


def numbers(path, table, *names):
    lines = [",".join(names)] * bool(names) + [",".join(f"{value:g}" for value in row) for row in table]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("start", [0, 1, 100])
@pytest.mark.parametrize("target", ["c", "4", "-1"])
def test_numbers_of_rows_are_no_input(tmp_path, start, target):
    table = np.column_stack([start + np.arange(21), NUMBERS])
    said = []
    data = regression.load(str(numbers(tmp_path / "t.csv", table, "", "a", "b", "c")), target, said.append)
    assert data.facts.columns == ("a", "b") and data.facts.label_column == "c" and data.facts.header == "a,b,c"
    assert said == [f"the first column of {tmp_path / 't.csv'} numbers the rows: it is not used"]
    assert data.unit == pytest.approx(np.delete(NUMBERS, [6, 13, 20], axis=0)[:, 2].var())


def test_a_column_that_never_changes_is_0(tmp_path):
    table = np.column_stack([NUMBERS, np.full(21, 7.0)])
    data = regression.load(str(numbers(tmp_path / "t.csv", table, *"abcd")), "a")
    assert not data.x_train[..., 2].any() and not data.x_test[..., 2].any() and np.isfinite(data.x_train).all()


def test_columns_to_predict_are_found_by_name_in_any_order(tmp_path):
    facts = regression.load(str(numbers(tmp_path / "t.csv", NUMBERS, *"abc")), "b").facts
    straight = regression.rows_like(numbers(tmp_path / "x.csv", NUMBERS, *"abc").read_bytes(), "x.csv", facts, "b")
    other = numbers(tmp_path / "y.csv", NUMBERS[:, [2, 1, 0, 0]], *"cba", "more").read_bytes()
    np.testing.assert_array_equal(regression.rows_like(other, "y.csv", facts, "b"), straight)
    with pytest.raises(InputError, match="no column 'c': expected a, c, as in training"):
        regression.rows_like(numbers(tmp_path / "z.csv", NUMBERS, *"abd").read_bytes(), "z.csv", facts, "b")


@pytest.mark.parametrize(("names", "value", "words"), [("aac", "1", "columns called 'a'"), ("abc", "1e31", "'1e31'")])
def test_what_is_no_table_of_numbers_is_refused(tmp_path, names, value, words):
    path = numbers(tmp_path / "t.csv", NUMBERS, *names)
    path.write_text(path.read_text() + f"1,2,{value}\n")
    with pytest.raises(InputError, match=words):
        regression.load(str(path), "c")


@pytest.mark.parametrize(
    ("names", "warned"),
    [
        ((2019, 2020, 2021), True),
        ((2021, 2020, 2019), True),
        ((10, 20, 30), True),
        ((101, 205, 999), True),
        ((0.5, 0.6, 0.7), False),
        ((7, 7, 7), False),
        ((0, -1, 1), False),
        (("a", "b", "c"), False),
        ((1, 2, 3), False),  # a header
    ],
)
def test_a_first_line_of_numbers_that_may_be_names_is_warned_of(tmp_path, names, warned):
    path, said = numbers(tmp_path / "t.csv", NUMBERS, *map(str, names)), []
    data = regression.load(str(path), "3", said.append)
    assert [f"the first line of {path} is taken for a row ({names[0]}" in each for each in said] == [True] * warned
    assert list(data.facts.notes) == said
    facts = regression.load(str(numbers(tmp_path / "named.csv", NUMBERS, *"abc")), "c").facts
    if names != ("a", "b", "c") and names != (1, 2, 3):
        said.clear()
        regression.rows_like(path.read_bytes(), "t.csv", facts, "c", said.append)
        assert len(said) == warned


def test_a_row_of_a_table_of_whole_numbers_is_no_header(tmp_path):
    table = np.array([[n, 30 - n, (n * 7) % 31] for n in range(1, 31)])
    for first in ([5, 6, 7], [2, 4, 6]):
        said = []
        regression.load(str(numbers(tmp_path / "t.csv", np.vstack([first, table]))), "3", said.append)
        assert said == []


def test_a_header_that_counts_from_any_number_is_no_image_and_is_named(tmp_path):
    (tmp_path / "t.csv").write_text(csv(X, Y, ",".join(str(100 + place) for place in range(37))))
    data, said = load(tmp_path / "t.csv", whole=True, label="1")
    np.testing.assert_array_equal(data.x_test, X)
    assert any("t.csv, 100, 101, 102, ..., is taken for names of columns" in each for each in said)
