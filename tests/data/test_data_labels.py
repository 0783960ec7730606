"""Labels as classes: what is a class and what stands for none, how classes are called, and their record."""

import json

import numpy as np
import pytest
from test_data_inputs import PIXELS, X, Y, csv, load, refused

from jitnet.data.checks import belong, one_sided, repeated
from jitnet.data.dataset import assemble
from jitnet.data.labels import MOST_CLASSES, are_in_runs, numbered, texts
from jitnet.data.readers.raw import Raw
from jitnet.data.record import DataRecord, short_list
from jitnet.data.sources.known import FASHION, KMNIST
from jitnet.errors import InputError

NOTHING = ["nan", "NA", "n/a", "null", "None", "?", "-"]


@pytest.mark.parametrize("word", ["", " ", *NOTHING])
def test_a_word_for_no_value_is_no_class_among_numbers(word):
    with pytest.raises(InputError, match=r"at \[2\], which stands for none"):
        texts(np.array(["3", "10", word, "3", word]), "f")


@pytest.mark.parametrize("word", NOTHING[1:])
def test_among_names_such_a_word_is_a_class(word):
    assert texts(np.array(["cat", word, "dog"]), "f").tolist() == ["cat", word, "dog"]


def test_labels_that_people_read_as_equal_are_one_class():
    assert texts(np.array(["-1", "+1", "-01.0", " 1 ", "cat", " cat", "cat  "]), "f").tolist() == [
        *("-1", "1", "-1", "1", "cat", "cat", "cat"),
    ]
    assert texts(np.array(["é".encode(), b"b"]), "f").tolist() == ["é", "b"]
    assert texts(np.array([True, False]), "f").tolist() == ["1", "0"]


def test_as_many_classes_as_a_byte_has_values():
    every = [str(value) for value in range(MOST_CLASSES)]
    names, (found,) = numbered([np.array(every[::-1])], "f")
    assert names == every and found.tolist() == list(range(MOST_CLASSES))[::-1] and found.dtype == np.uint8
    with pytest.raises(InputError, match="257 different labels, such as '0' and '256'"):
        numbered([np.array([*every, "256"])], "f")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images_may_have_up_to_four_channels(channels):
    x = np.random.default_rng(0).integers(0, 256, (20, 8, 6, channels)).astype(np.uint8)
    data = assemble(Raw("npz", x, np.arange(20) % 2, x[:4], np.arange(4) % 2), "f", "x")
    assert data.facts.channels == channels and data.facts.image == (8, 6)
    np.testing.assert_array_equal(np.reshape(data.x_train, x.shape), x)


def test_runs_of_equal_labels_are_seen_from_twenty_images_on():
    assert are_in_runs(np.repeat([0, 1], 10)) and not are_in_runs(np.repeat([0, 1], [10, 9]))


def test_what_one_side_lacks_is_said_of_each_class():
    train, names = np.arange(3, dtype=np.uint8), ["ant", "bee", "cat", "dog"]
    assert "test images of the class dog but none to train on" in one_sided(train, np.array([3, 0, 1, 2]), names, "f")
    assert "no test images of the class bee, cat:" in one_sided(train, np.array([0, 0]), names, "f")
    assert one_sided(train, train[::-1], names, "f") == ""
    with pytest.raises(InputError, match="5 test images but 4 test labels"):
        belong([X[:3], X[:5]], [Y[:3], Y[:4]], "f")


@pytest.mark.parametrize(("tests", "same", "said"), [(20, 4, False), (20, 5, True), (500, 5, False), (500, 6, True)])
def test_repeated_images_are_said_from_five_and_one_in_a_hundred_on(tests, same, said):
    rng = np.random.default_rng(0)
    train, test = (rng.integers(0, 256, (count, 4, 4)).astype(np.uint8) for count in (30, tests))
    test[:same] = train[:same]
    assert bool(repeated(train, test, "f")) == said
    assert not said or f"{same} of the {tests} test images" in repeated(train, test, "f")


@pytest.mark.parametrize("known", [FASHION, KMNIST])
def test_a_known_set_has_the_names_that_its_publisher_gives(known):
    y = np.repeat(np.arange(10), 2)
    x = np.random.default_rng(0).integers(0, 256, (20, 8, 8)).astype(np.uint8)
    data = assemble(Raw("IDX", x, y, x, y), "f", "x", known)
    assert data.class_names == known.class_names and data.facts.labels.tolist() == list(range(10))
    shoes = {7: "sneaker", 5: "sandal", 9: "ankle boot"}
    kana = {4: "na", 5: "ha", 0: "o", 9: "wo"}
    for label, name in (shoes if known is FASHION else kana).items():
        assert data.facts.name_of(label) == name
    assert data.facts.name_of(10) == "10" and not data.facts.is_of_digits


def test_labels_are_kept_as_the_files_have_them():
    for numbers in (("-1", "1"), ("3", "-12345678901234567")):
        assert DataRecord(numbers=numbers).labels.tolist() == [int(name) for name in numbers]
    for numbers in (("1", "cat"), ("1", "1234567890123456789")):
        assert DataRecord(numbers=numbers).labels.tolist() == list(numbers)
    assert DataRecord().is_of_digits  # of an old run, which kept no names


def test_every_field_of_a_record_comes_back_from_json():
    record = DataRecord(
        class_names=("a", "b"), numbers=("1", "2"), columns=("c", "d"), means=(0.5, 1.0, 2.0),
        deviations=(1.0, 2.0, 3.0), image=(5, 4), notes=("n",), channels=3,
    )  # fmt: skip
    assert DataRecord.from_dict(json.loads(json.dumps(record.as_dict()))) == record


def test_a_long_list_keeps_its_beginning_its_end_and_its_length():
    names = tuple("abcdefghijklmnopqrstuvwxyz")
    assert short_list(names) == "a, b, c, d, e, f, g, h, i, j, ..., z (26)"
    assert short_list(names[:12]) == ", ".join(names[:12])


def test_what_was_read_of_a_table_is_recorded(tmp_path):
    wide = np.random.default_rng(0).integers(0, 256, (70, 4, 9)).astype(np.uint8)
    (tmp_path / "digits.csv").write_text(csv(X, Y, "kind," + PIXELS))
    data, said = load(tmp_path / "digits.csv", label="kind")
    assert data.name == "digits" and data.facts.header == f"kind,{PIXELS}"[:200]
    rule = f"every seventh image of each class is for testing, {len(data.x_test)} in all"
    assert data.facts.split == rule and len(said) == 1 and f"has no test set: {rule}" in said[0]
    assert dict(data.facts.facts()) == {"label column": "kind", "split": rule}
    np.savez(tmp_path / "wide.npz", x_train=wide, y_train=Y, x_test=wide[:2], y_test=Y[:2])
    data, said = load(tmp_path / "wide.npz")
    assert data.facts.image == (4, 9) and data.facts.channels == 1
    assert data.facts.split == "the arrays x_train and x_test"


def test_a_file_to_measure_on_is_not_said_to_be_trained_on(tmp_path):
    (tmp_path / "digits.csv").write_text(csv(X, Y, "label," + PIXELS))
    data, said = load(tmp_path / "digits.csv", whole=True)
    assert len(data.x_test) == len(X) and said == [] and data.facts.split == "all images are measured on"


def test_a_file_of_labels_alone_is_refused(tmp_path):
    (tmp_path / "y.csv").write_text("label\n" + "\n".join("0123") + "\n")
    assert "has one column: expected a label and then the pixels" in refused(tmp_path / "y.csv")
