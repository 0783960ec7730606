"""Labels that programs give: of every type that people have, refused where one is missing, warned of where they lie."""

import warnings

import numpy as np
import pytest

from jitnet.errors import InputError
from jitnet.estimators.inputs import images
from jitnet.estimators.targets import classes_of, labels_of_images, require_alike, warn_of_rows

Y = np.arange(12) % 3
NAMES = np.array(["cat", "dog", "eel"])


@pytest.mark.parametrize(
    ("given", "classes"),
    [
        (Y, [0, 1, 2]),
        (Y.astype(float), [0.0, 1.0, 2.0]),
        (Y > 0, [False, True]),
        (Y.tolist(), [0, 1, 2]),
        (Y.astype(object), [0, 1, 2]),
        (NAMES[Y], ["cat", "dog", "eel"]),
        (NAMES[Y].astype(object), ["cat", "dog", "eel"]),
        (NAMES[Y].astype("S"), ["cat", "dog", "eel"]),
    ],
)
def test_labels_of_any_type(given, classes):
    labels = labels_of_images(given, len(Y))
    assert classes_of(labels).tolist() == classes and labels.dtype.kind in "biufU"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.where(Y == 2, np.nan, Y), r"y holds nan at \[2\]"),
        (np.where(Y == 1, None, NAMES[Y]), r"y holds None at \[1\]"),
        (np.array([1, "1"] * 6, object), "int such as 1 and str such as '1'"),
        (Y + 0.5, "continuous numbers such as 0.5"),
        (None, "the target y is None"),
        (Y[:, None], "give y.ravel"),
        (np.eye(3)[Y], "give y.argmax"),
    ],
)
def test_labels_that_are_none(given, words):
    with pytest.raises(InputError, match=words):
        labels_of_images(given, len(Y))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([(np.zeros((8, 8)), 0)] * 5, "a list whose items are images with labels"),
        ([{"image": 0}] * 5, "a list whose items are images with labels"),
        (np.where(np.eye(8) > 0, None, 1.0), r"holds 'None' \(NoneType\) at \[0, 0\]"),
        (["a.png"] * 5, r"'a.png' \(str\) at \[0\]"),
        ({"x": 1}, "a single dict"),
        (np.zeros((5, 192)), r"8 x 8 pixels of three colours must be arrays \(N, 8, 8, 3\)"),
    ],
)
def test_images_that_are_none(given, words):
    with pytest.raises(InputError, match=words):
        images(given, False)


class Table(np.ndarray):
    """Stands in for a table of pandas: an array with an index and columns."""

    index = columns = None


class Index(list):
    def equals(self, other):
        return self == other

    def sort_values(self):
        return Index(sorted(self))


def table(values, index, columns=None):
    made = np.asarray(values).view(Table)
    made.index, made.columns = Index(index), columns
    return made


def said_of(call, *given):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(*given)
    assert all(each.filename == __file__ for each in caught)  # at the user's line
    return [str(each.message) for each in caught]


def test_rows_in_two_orders_are_mentioned():
    x, places = np.random.default_rng(0).random((12, 5)), list(range(12))
    assert "one index in two orders" in said_of(warn_of_rows, table(x, places[::-1]), table(Y, places))[0]
    for index in (places, [each + 100 for each in places]):  # of another table, which has another index
        assert not said_of(warn_of_rows, table(x, index), table(Y, places))
    assert not said_of(warn_of_rows, x, Y.tolist())


def test_a_column_that_is_the_answer_is_mentioned():
    x = np.random.default_rng(0).random((300, 5))
    y = np.arange(300) % 2
    x[:, 3] = y
    assert "the column 4 of x is y itself" in said_of(warn_of_rows, x, y)[0]
    assert "'e' of x is y itself" in said_of(warn_of_rows, table(x[:, ::-1], y, list("defgh")), y)[0]
    x[151, 3] = 0.5
    assert not said_of(warn_of_rows, x, y)


def test_labels_that_fit_never_had_are_mentioned():
    assert (
        "holds 'q', which fit never had: 2 images"
        in said_of(require_alike, np.array(["q", "a", "q"]), np.array(["a"]))[0]
    )
    assert not said_of(require_alike, np.array([1, 0]), np.array([0, 1, 2]))
