"""The labels and the numbers to approximate that programs give to the estimators, checked and converted.

Where scikit-learn has a sentence for an error, its words are used.
"""

from typing import Any

import numpy as np

from jitnet.data.labels import MOST_CLASSES
from jitnet.data.readers.regression import LARGEST
from jitnet.errors import InputError
from jitnet.estimators.inputs import as_array, real_numbers, warn

_SAMPLE = 100  # rows that are compared before all of them are


def numbers_of(y: Any, images: int) -> np.ndarray:
    """Return the numbers (images,) float64 that a regressor approximates; raises `InputError` for anything else."""
    if y is None:
        raise InputError("an estimator of numbers requires y to be passed, but the target y is None")
    try:
        numbers = real_numbers(y, "y")
    except InputError as error:
        raise InputError(f"{error}; for classes use CNN or MLP") from None
    if numbers.shape == (images, 1):
        numbers = numbers[:, 0]
    if numbers.shape != (images,):
        raise InputError(f"y has the shape {numbers.shape}: expected ({images},), one number per row of x")
    if not np.isfinite(numbers).all():
        raise InputError("y holds NaN or inf, Input contains NaN or infinity: expected finite numbers")
    if (np.abs(numbers) > LARGEST).any():
        raise InputError(f"y holds {np.abs(numbers).max():g}: expected numbers up to {LARGEST:g} in size")
    return numbers


def labels_of_images(y: np.ndarray, images: int) -> np.ndarray:
    """Return labels as an array (images,); raises `InputError` for another shape or kind."""
    labels = _label_array(y)
    if labels.shape != (images,) and not (labels.shape == () and labels.item() is None):
        hint = "; give y.argmax(axis=1)" if labels.ndim == 2 and len(labels) == images < labels.size else ""
        hint = "; give y.ravel()" if labels.shape == (images, 1) else hint
        raise InputError(f"y has the shape {labels.shape}: expected ({images},), one label per image{hint}")
    return _check_labels(labels)


def classes_of(y: np.ndarray) -> np.ndarray:
    """Return the different labels, sorted; raises `InputError` for one class, too many, or another kind.

    >>> classes_of(["seven", "one", "one"]).tolist()
    ['one', 'seven']
    """
    labels = _label_array(y)
    if labels.shape == () and labels.item() is not None:
        raise InputError(f"the labels are a single {type(labels.item()).__name__}: expected a list or array of them")
    found = np.unique(_check_labels(labels))
    if not 2 <= len(found) <= MOST_CLASSES:
        raise InputError(f"the labels hold {len(found)} classes: expected 2 to {MOST_CLASSES}")
    return found


def warn_of_rows(x: Any, y: Any) -> None:
    """Warn of pandas' tables whose rows are in another order than y, and of a column of x that is y itself."""
    if _are_in_two_orders(getattr(x, "index", None), getattr(y, "index", None)):
        warn(
            "the rows of x and y have one index in two orders, and are taken by their places: "
            "give y.loc[x.index] if they belong together by it"
        )
    rows, answers = as_array(x, "x"), as_array(y, "y")
    if rows.ndim != 2 or answers.ndim != 1 or rows.dtype.kind not in "biuf" or answers.dtype.kind not in "biuf":
        return
    some = slice(None, len(rows), -(-len(rows) // _SAMPLE))
    for place in np.flatnonzero((rows[some] == answers[some, None]).all(axis=0)):
        if (rows[:, place] == answers).all():
            name = getattr(x, "columns", range(1, rows.shape[1] + 1))[place]
            warn(f"the column {name!r} of x is y itself: a network that sees the answer learns nothing else, drop it")


def _are_in_two_orders(one: Any, other: Any) -> bool:
    """Whether two indexes of pandas have the same rows in two orders."""
    if not all(hasattr(each, "equals") and hasattr(each, "sort_values") for each in (one, other)) or one.equals(other):
        return False
    return bool(one.sort_values().equals(other.sort_values()))


def require_alike(labels: np.ndarray, known: np.ndarray) -> None:
    """Refuse labels (n,) that can equal none of the known ones (classes,): text against numbers (`InputError`).

    Warn of others that `fit` never had.
    """
    text = [array.dtype.kind == "U" for array in (labels, known)]
    if text[0] != text[1]:
        kinds = ["text" if each else "numbers" for each in text]
        raise InputError(
            f"y holds {kinds[0]} such as {labels.tolist()[0]!r}, but fit had {kinds[1]} such as {known.tolist()[0]!r}: "
            f"expected labels of one type, give y.astype({'str' if text[1] else 'int'})"
        )
    strange = np.setdiff1d(labels, known)
    if len(strange):
        count = int(np.isin(labels, strange).sum())
        warn(f"y holds {strange.tolist()[0]!r}, which fit never had: {count:,} images count as answered wrongly")


def _label_array(y: Any) -> np.ndarray:
    """Return labels as an array: of objects where NumPy would turn numbers in a list into text, and NaN into "nan"."""
    labels = as_array(y, "y")
    if labels.dtype.kind == "T":  # NumPy's strings of variable length
        return labels.astype(object)
    if labels.dtype.kind in "US" and isinstance(y, list | tuple) and labels.ndim == 1 and len({*map(type, y)}) > 1:
        return np.array(y, object)
    return labels


def _check_labels(labels: np.ndarray) -> np.ndarray:
    """Return labels as whole numbers, floats without fractions, or str; raises `InputError` for others."""
    if labels.shape == () and labels.item() is None:
        raise InputError("an estimator of classes requires y to be passed, but the target y is None")
    if labels.dtype.kind == "O":  # a column of pandas
        labels = _of_one_type(labels)
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "backslashreplace")
    if labels.dtype.kind not in "iubfU":
        raise InputError(
            f"Unknown label type: the labels are of type {labels.dtype}, expected whole or finite numbers, or strings"
        )
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise _no_label(labels, int(np.argmin(np.isfinite(labels))))
    if labels.dtype.kind == "f" and (labels != np.trunc(labels)).any():
        number = labels[labels != np.trunc(labels)][0]
        raise InputError(
            f"Unknown label type: continuous numbers such as {number}: expected classes, as whole numbers or strings; "
            "for a regression use MLPRegressor or CNNRegressor"
        )
    return labels


def _of_one_type(labels: np.ndarray) -> np.ndarray:
    """Return labels (...) of Python objects as str or whole numbers, if all are.

    Raises `InputError` if one is missing.
    """
    given = labels.ravel().tolist()
    if all(isinstance(label, str) for label in given):
        return labels.astype(str)
    if all(isinstance(label, int | np.integer) for label in given):
        return np.array(given).reshape(labels.shape)
    for place, label in enumerate(given):
        is_nan = isinstance(label, float | np.floating) and label != label
        if label is None or is_nan or type(label).__name__ in ("NAType", "NaTType"):
            raise _no_label(labels, place)
    kinds = {type(label): label for label in given}
    if len(kinds) > 1:
        some = " and ".join(f"{kind.__name__} such as {repr(label)[:40]}" for kind, label in list(kinds.items())[:2])
        raise InputError(f"Unknown label type: y holds {some}: expected labels of one type, give all as text")
    return labels


def _no_label(labels: np.ndarray, place: int) -> InputError:
    return InputError(
        f"Unknown label type: y holds {labels.flat[place]} at [{place}], Input contains NaN or infinity: expected a "
        "label for each image, remove the others"
    )
