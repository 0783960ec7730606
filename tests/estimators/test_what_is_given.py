"""What programs give to the estimators: images, tables, weights, shares, units; taken as meant, or refused."""

import warnings

import numpy as np
import pytest

from jitnet import CNN, MLP, MLPRegressor
from jitnet.errors import InputError
from jitnet.estimators import inputs, weighting
from jitnet.estimators.targets import classes_of, numbers_of, require_alike

RNG = np.random.default_rng(0)


def said_of(call, *given):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = call(*given)
    return found, [str(each.message) for each in caught]


@pytest.mark.parametrize(("numbers", "table"), [(9, True), (16, True), (25, False), (36, False), (24, True)])
def test_rows_are_images_from_five_by_five_pixels_on(numbers, table):
    """Whole numbers in floats are pixels of an image, and numbers of a table."""
    rows = RNG.integers(0, 256, (20, numbers)).astype(float)
    rows[0, 0] = 255
    (found, _), said = said_of(inputs.images, rows, True)
    assert ("which are taken as they are" in said[0]) == table and len(said) == 1
    assert found.dtype == (np.float32 if table else np.uint8)


@pytest.mark.parametrize("largest", [1, 17, 255, 90_000])
@pytest.mark.parametrize("low", [0, -40])
@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int8, np.int64, np.uint64, np.float32, np.float64, object])
def test_numbers_of_a_table_are_taken_as_they_are_whatever_their_type(kind, low, largest):
    """A count is not a pixel: the same numbers train the same network, and `predict` sees what `fit` saw."""
    rows = np.array([[0, largest, low], [largest, low, 0], [1, 0, largest]])
    if kind is not object and not np.array_equal(rows.astype(kind), rows):
        pytest.skip("the type does not hold these numbers")
    (found, scale), said = said_of(inputs.images, rows.astype(kind), True)
    assert found.dtype == np.float32 and np.array_equal(found[:, 0, :, 0], rows)
    assert ["x holds numbers from" in each for each in said] == [True] * (max(largest, -low) > 20)
    (again, kept), said = said_of(inputs.images, rows[:1], True, scale)
    assert np.array_equal(again, found[:1]) and kept == scale and not said


def test_images_have_at_most_four_channels():
    assert inputs.images(RNG.integers(0, 256, (3, 6, 6, 4)).astype(np.uint8), False)[0].shape == (3, 6, 6, 4)
    with pytest.raises(InputError, match="at most 4 channels"):
        inputs.images(np.zeros((3, 6, 6, 5)), False)


def test_what_is_odd_in_a_training_is_no_matter_of_a_prediction():
    """Equal images, large fractions and other scales are mentioned by `fit` alone."""
    equal, large = np.full((3, 6, 6), 9, np.uint8), RNG.normal(0, 50, (5, 6, 6))
    scaled = np.rint(RNG.random((5, 6, 6)) * 4095).astype(np.uint16)
    for x, words in ((equal, "all images of x are equal"), (large, "x holds fractions"), (scaled, "divided by 4095")):
        (found, scale), said = said_of(inputs.images, x, True)
        assert sum(words in each for each in said) == 1
        (again, kept), said = said_of(inputs.images, x, True, scale)
        assert not said and kept == scale and np.array_equal(again, found)


def test_numbers_below_zero_are_of_no_scale_that_pixels_have():
    x = RNG.uniform(-0.5, 0.5, (5, 6, 6))
    _, scale = inputs.images(x, True)
    assert (scale.full, scale.whole) == (max(-x.min(), x.max()), False)
    (found, _), said = said_of(inputs.images, np.full((2, 6, 6), 200.0), True, scale)
    assert np.array_equal(found, np.full((2, 6, 6, 1), 200.0)) and "expected the same range" in said[0]


PIXELS = RNG.integers(0, 256, (8, 6, 6))
PIXELS[0, 0, :2] = 0, 255


@pytest.mark.parametrize("fitted", [PIXELS, PIXELS / 255, PIXELS / 127.5 - 1], ids=["bytes", "0 to 1", "-1 to 1"])
@pytest.mark.parametrize("given", ["bytes", "0 to 1", "-1 to 1", "a little beyond", "divided twice", "other units"])
def test_a_range_that_is_not_that_of_fit_is_warned_of(fitted, given):
    """In each pair of `fit` and `predict`: the same numbers as the network saw, or a warning."""
    shares = {
        "bytes": PIXELS, "0 to 1": PIXELS / 255, "-1 to 1": PIXELS / 127.5 - 1, "a little beyond": PIXELS / 250 - 0.01,
        "divided twice": PIXELS / 255**2, "other units": PIXELS / 2.55,
    }[given]  # fmt: skip
    x, scale = inputs.images(fitted, True)
    (found, _), said = said_of(inputs.images, shares, True, scale)
    seen, shown = (np.where(each.dtype == np.uint8, each / 255, each) for each in (x, found))
    assert bool(said) == (np.abs(seen - shown).max() > 0.1), said


def test_fractions_of_a_table_may_go_beyond_those_of_fit():
    _, scale = inputs.images(RNG.normal(0, 1, (40, 3)), True)
    for x, words in ((RNG.normal(0, 3, (1, 3)), []), (RNG.normal(0, 900, (5, 3)), ["expected the same range"])):
        _, said = said_of(inputs.images, x, True, scale)
        assert len(said) == len(words) and all(word in each for word, each in zip(words, said))


def test_pixels_that_were_divided_twice_are_warned_of_in_fit():
    _, said = said_of(inputs.images, PIXELS / 255**2, True)
    assert len(said) == 1 and "divided by 255 once" in said[0]


class Sparse:
    def toarray(self):
        return np.eye(6)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (Sparse(), "sparse input is not supported: give x.toarray"),
        (np.ma.masked_less(np.eye(6), 0.5), "masked array in which values are missing"),
        ([{"image": 1}], "items are images with labels"),
    ],
)
def test_arrays_that_would_lose_something_are_refused(x, words):
    for take in (lambda: inputs.images(x, True), lambda: inputs.rows_of(x)):
        with pytest.raises(InputError, match=words):
            take()
    assert np.array_equal(inputs.as_array(np.ma.masked_less(np.eye(3), -1), "x"), np.eye(3))


def test_rows_that_are_not_finite_are_refused():
    with pytest.raises(InputError, match="not finite"):
        MLPRegressor().fit([[1.0, np.nan], [2.0, 3.0]], [1.0, 2.0])


class Table:
    def __init__(self, columns):
        self.columns = columns


def test_names_of_columns_are_those_that_are_all_text():
    assert inputs.column_names(Table(["a", "b"])).tolist() == ["a", "b"]
    for columns in (["a", 1], [0, 1], [], None):
        assert inputs.column_names(Table(columns)) is None
    known = np.array(["a", "b"], object)
    assert "was fitted without feature names" in said_of(inputs.require_names, Table(["a"]), None, "MLP")[1][0]
    assert "does not have valid feature names" in said_of(inputs.require_names, Table([0]), known, "MLP")[1][0]
    for columns, words in ((["b", "a"], "in another order or fewer"), (["a", "c"], "'c' too"), (["a"], "or fewer")):
        with pytest.raises(InputError, match=words):
            inputs.require_names(Table(columns), known, "MLP")
    assert said_of(inputs.require_names, Table(["a", "b"]), known, "MLP")[1] == []


def test_one_number_is_the_weight_of_every_image():
    assert weighting.of_samples(2.5, 3).tolist() == [2.5, 2.5, 2.5] and weighting.of_samples(None, 3) is None
    for bad in (np.inf, np.nan, -1.0, 0.0):
        with pytest.raises(InputError, match="expected weights of 0 and up"):
            weighting.of_samples([1.0, 1.0, bad] if bad else [0, 0, 0], 3)


def test_classes_without_a_weight_have_the_weight_1():
    labels, targets = np.array(["a", "b", "c"]), np.array([2, 0, 1, 0])
    assert weighting.of_classes({"a": 3}, targets, labels).tolist() == [1.0, 3.0, 1.0, 3.0]
    assert weighting.of_classes(None, targets, labels) is None
    for bad, words in (
        ({"a": -1}, "from 0 to"),
        ({"a": np.inf}, "from 0 to"),
        ({"a": "x"}, "a number"),
        ("even", "None, "),
    ):
        with pytest.raises(InputError, match=words):
            weighting.of_classes(bad, targets, labels)


@pytest.mark.parametrize(
    ("share", "images", "held"), [(0.1, 20, 2), (0.1, 26, 3), (0.1, 3, 1), (0.5, 5, 2), (4, 20, 4)]
)
def test_a_share_is_held_out_as_the_nearest_number_of_images_and_at_least_one(share, images, held):
    x = np.zeros((images, 2, 2, 1), np.uint8)
    parts = weighting.split(x, np.arange(images) % 2, None, share, True)
    assert (len(parts.val[0]), len(parts.train[0])) == (held, images - held)


def test_each_class_is_held_out_in_proportion_where_the_labels_are_sorted():
    y = np.repeat(np.arange(3), 40)
    found = weighting.split(np.zeros((120, 2, 2, 1), np.uint8), y, None, 30, True)
    assert np.bincount(found.val[1]).tolist() == [10, 10, 10] and np.bincount(found.train[1]).tolist() == [30, 30, 30]
    numbers = np.sort(RNG.normal(size=(120, 1)), axis=0)
    found = weighting.split(np.zeros((120, 2, 2, 1), np.uint8), numbers, None, 30, False)
    assert np.array_equal(found.val[1], numbers[90:]) and not found.notes


@pytest.mark.parametrize(
    ("shuffled", "order", "noted"), [(False, np.sort, True), (True, np.sort, False), (False, np.array, False)]
)
def test_sorted_labels_are_mentioned_where_they_are_trained_on_in_their_order(shuffled, order, noted):
    y = order(np.arange(120) % 3)
    notes = weighting.split(np.zeros((120, 2, 2, 1), np.uint8), y, None, 0, shuffled).notes
    assert bool(notes) == noted and all("give shuffle=True" in note for note in notes)


def test_weights_have_the_mean_1_over_what_is_trained_on():
    weights = np.array([1.0, 3.0] * 10 + [100.0] * 4)
    found = weighting.split(np.zeros((24, 2, 2, 1), np.uint8), np.arange(24) % 2, weights, 4, True)
    assert found.weights.tolist() == [0.5, 1.5] * 10


def test_numbers_to_approximate_may_be_a_column():
    assert numbers_of([[1], [2]], 2).tolist() == numbers_of([1, 2], 2).tolist() == [1.0, 2.0]
    for bad, words in (([[1, 2]], "one number per row"), ([1, np.inf], "finite"), (["a", "b"], "real numbers")):
        with pytest.raises(InputError, match=words):
            numbers_of(bad, 2)


def test_labels_in_bytes_are_text():
    assert classes_of(np.array(["zwölf".encode(), b"one"])).tolist() == ["one", "zwölf"]
    said = said_of(require_alike, np.array([5, 5, 7, 1]), np.array([0, 1]))[1]
    assert len(said) == 1 and "y holds 5, which fit never had: 3 images count" in said[0]


@pytest.mark.parametrize("hidden", [3, np.int64(3), (3,), [3], np.array([3])])
def test_hidden_units_are_numbers_above_0(hidden):
    assert MLP(hidden)._settings().architecture == "dense3"
    for bad in ((3, 0), -1, ("3",), 2.5):
        with pytest.raises(InputError, match="expected the units of each hidden layer"):
            MLP(bad)._settings()


def test_one_image_is_asked_for_as_several_of_one():
    x, y = RNG.integers(0, 256, (20, 6, 6)).astype(np.uint8), np.arange(20) % 2
    model = MLP((4,), epochs=1).fit(x, y)
    with pytest.raises(InputError, match=r"that of one image: expected several, give x\[None\]"):
        model.predict(x[0])
    assert CNN("conv2 dense3").summary((9, 8), 4) == CNN("conv2 dense3").summary((9, 8, 1), 4)
