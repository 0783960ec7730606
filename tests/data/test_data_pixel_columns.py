"""Pixel columns with names: the same pixels whatever the order of the columns, in training and testing."""

import numpy as np
import pytest
from test_data_inputs import X, Y, load, refused

from jitnet.data.readers.pixel_columns import in_sequence

FLAT = X.reshape(len(X), -1)
COUNT = FLAT.shape[1]
NAMES = {
    "from 0": [f"pixel{place}" for place in range(COUNT)],
    "from 1, with zeros": [f"p{place + 1:03}" for place in range(COUNT)],
    "numbers alone": [str(place) for place in range(COUNT)],
    "with their size": [f"28x28_{place}" for place in range(COUNT)],
    "words": [chr(97 + place % 26) + "xy"[place // 26] for place in range(COUNT)],
    "rows and columns": [f"{place // 6 + 8}x{place % 6 + 8}" for place in range(COUNT)],
}


def write(path, names, order=None, part=slice(None), label="label"):
    order = list(range(COUNT)) if order is None else order
    lines = [",".join([label, *(names[place] for place in order)])]
    lines += [",".join(map(str, [y, *row[order].tolist()])) for row, y in zip(FLAT[part], Y[part].tolist())]
    path.write_text("\n".join(lines) + "\n")


def as_words(names):
    return sorted(range(COUNT), key=lambda place: names[place])


def backwards(names):
    return list(range(COUNT))[::-1]


@pytest.mark.parametrize("arrange", [as_words, backwards])
@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("moved", [("train",), ("test",), ("train", "test")])
def test_pixels_are_told_by_the_names_of_their_columns(tmp_path, kind, arrange, moved):
    names = NAMES[kind]
    for part, places in (("train", slice(0, 50)), ("test", slice(50, None))):
        order = arrange(names) if part in moved else None
        write(tmp_path / f"{part}.csv", names, order, places)
    order = arrange(names)
    shuffled = order != list(range(COUNT))
    if kind == "rows and columns" and shuffled:
        assert "are not in order" in refused(tmp_path)
        return
    data, said = load(tmp_path)
    words = kind == "words"  # whose order no number tells: as in the training table
    first = order if words and "train" in moved else list(range(COUNT))
    for part, images in (("train", data.x_train), ("test", data.x_test)):
        expected = FLAT[slice(0, 50) if part == "train" else slice(50, None)][:, first]
        np.testing.assert_array_equal(images.reshape(len(images), -1), expected)
    assert data.facts.pixel_columns == tuple(names[place] for place in first)
    noted = [each for each in said if "pixel columns" in each]
    assert len(noted) == (shuffled and (len(moved) == 1 if words else len(moved)))


def test_the_other_of_row_and_column_may_be_counted_first():
    by_column = tuple(f"{place % 6}x{place // 6}" for place in range(COUNT))
    assert in_sequence(by_column, "t.csv") == (None, "")


def test_columns_of_other_names_are_refused_and_of_other_numbers_named(tmp_path):
    names = NAMES["words"]
    write(tmp_path / "train.csv", names, part=slice(0, 50))
    write(tmp_path / "test.csv", [*names[:-1], "zz"], part=slice(50, None))
    assert f"test.csv has no column {names[-1]!r}, which train.csv has" in refused(tmp_path)
    write(tmp_path / "train.csv", NAMES["from 0"], part=slice(0, 50))
    write(tmp_path / "test.csv", NAMES["from 1, with zeros"], part=slice(50, None))
    data, said = load(tmp_path)
    np.testing.assert_array_equal(data.x_test.reshape(-1, COUNT), FLAT[50:])
    assert any(
        "'p001' to 'p036', those of train.csv 'pixel0' to 'pixel35': they are matched by place" in n for n in said
    )


def test_a_header_of_numbers_that_are_sorted_as_words_is_no_row(tmp_path):
    names = [str(place) for place in range(COUNT + 1)]
    order = sorted(range(COUNT), key=lambda place: names[place + 1])
    write(tmp_path / "t.csv", names[1:], order, label="0")
    data, _ = load(tmp_path / "t.csv", whole=True)
    np.testing.assert_array_equal(data.x_test, X)


@pytest.mark.parametrize("names", [("a", "a", "b"), ("a1", "b2", "c0"), ("a3",), ()])
def test_names_that_do_not_count_have_no_order(names):
    assert in_sequence(names, "t.csv") == (None, "")
