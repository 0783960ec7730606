"""Labels as numbers 0, 1, ..., from the names in the files; and splits that keep every class on both sides."""

import math
import re
import unicodedata
from typing import Any

import numpy as np

from jitnet.errors import InputError

_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")
_MISSING = ("", "nan", "na", "n/a", "null", "none", "?", "-")  # what stands for no label among numbers
MOST_CLASSES = 256  # the kernels take labels as bytes
HELD_OUT = 7  # where no test images are given, one in seven of each class is for testing: MNIST's own share


def texts(labels: np.ndarray, where: str) -> np.ndarray:
    """Return labels (N,) of any kind as an array of str, whole numbers without a point; raises `InputError`."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.size and np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all():
        labels = labels.argmax(axis=1)  # one-hot
    if labels.ndim != 1:
        raise InputError(f"{where} has shape {labels.shape}: expected one label per image, shape (N,)")
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "backslashreplace")
    if labels.dtype.kind == "U":
        found, places = np.unique(labels, return_inverse=True)
        names = [_text(name) for name in found.tolist()]
        missing = [name for name in names if name.lower() in _MISSING]
        if missing and (missing[0].lower() in ("", "nan") or any(_WHOLE.fullmatch(name) for name in names)):
            at = int(np.argmax(np.array(names)[places] == missing[0]))
            raise InputError(
                f"{where} has the label {missing[0]!r} at [{at}], which stands for none: expected a label for each "
                "image, remove the others"
            )
        broken = next((name for name in names if _is_fraction(name)), None)
        if broken is not None:
            raise InputError(
                f"{where} has the label {broken}: expected classes, as whole numbers or names; to approximate numbers "
                "use --target COLUMN"
            )
        return np.array(names)[places] if len(found) else labels
    if labels.dtype.kind not in "biuf":
        raise InputError(f"{where} has labels of type {labels.dtype}: expected whole numbers or names")
    found, places = np.unique(labels, return_inverse=True)
    for value in found.tolist():
        if not math.isfinite(value) or value != int(value):
            at = int(np.argmax(labels == value)) if value == value else int(np.argmax(labels != labels))
            raise InputError(
                f"{where} has the label {value} at [{at}]: expected classes, as whole numbers or names; to approximate "
                "numbers use --target COLUMN"
            )
    return np.array([str(int(value)) for value in found.tolist()])[places]


def named(values: list[Any], names: list[str], where: str) -> list[str]:
    """Return labels as texts, places in `names` by these if there are any; raises `InputError` for one that is none.

    Data sets of Hugging Face have -1 or nothing where a class is not known.
    """
    for row, value in enumerate(values, 1):
        if value is None or (names and not 0 <= value < len(names)):
            expected = f"one from 0 to {len(names) - 1}" if names else "one"
            raise InputError(
                f"{where} has the label {value} in row {row}: expected {expected} for each image, remove the others"
            )
    return [names[value] if names else str(value) for value in values]


def _is_fraction(name: str) -> bool:
    try:
        return float(name) % 1 != 0
    except ValueError:
        return False


def composed(name: str) -> str:
    """Return a name in Unicode's composed form: é may be one character or two, and is one name.

    >>> composed("e\\u0301") == "\\u00e9"
    True
    """
    return unicodedata.normalize("NFC", name)


def _text(name: str) -> str:
    name = composed(name.strip())
    return str(int(name.split(".")[0])) if _WHOLE.fullmatch(name) else name


def in_order(names: set[str]) -> list[str]:
    """Return names as people count: numbers by their size, then words.

    >>> in_order({"10", "2", "cat"})
    ['2', '10', 'cat']
    """

    def key(name: str) -> tuple[int, float, str]:
        try:
            return 0, float(name), name
        except ValueError:
            return 1, 0.0, name

    return sorted(names, key=key)


def numbered(parts: list[np.ndarray], where: str, names: list[str] | None = None) -> tuple[list[str], list[np.ndarray]]:
    """Return the class names, and arrays (N,) of str as places in them, uint8; raises `InputError`.

    `names` gives their order, if the files do.
    """
    found = {name for part in parts for name in np.unique(part).tolist()}
    names = names or in_order(found)
    if len(found) < 2:
        only = next(iter(found), "none")
        raise InputError(f"{where} has the label {only} only: expected at least two classes; is it the right column?")
    if len(names) > MOST_CLASSES:
        raise InputError(
            f"{where} has {len(names):,} different labels, such as {names[0]!r} and {names[-1]!r}: expected at most "
            f"{MOST_CLASSES} classes; to approximate numbers use --target COLUMN, and for another column --label COLUMN"
        )
    place = {name: i for i, name in enumerate(names)}
    numbers = []
    for part in parts:
        unique, places = np.unique(part, return_inverse=True)
        numbers.append(np.array([place[name] for name in unique.tolist()], np.uint8)[places].astype(np.uint8))
    return names, numbers


def held_out(labels: np.ndarray, names: list[str], where: str) -> np.ndarray:
    """Return which images (N,) bool are for testing: every seventh of each class, and at least one.

    Raises `InputError` for a class of one image only.
    """
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        if len(places) < 2:
            raise InputError(
                f"{where} has 1 image of the class {names[label]}: expected at least 2, one to train on and one to "
                "test with; add some, or correct its label"
            )
        chosen[places[HELD_OUT - 1 :: HELD_OUT] if len(places) >= HELD_OUT else places[-1:]] = True
    return chosen


def chosen(labels: np.ndarray, count: int, last: bool) -> tuple[np.ndarray, bool]:
    """Return the places (count,) of the last or first images, and whether the order had to be left.

    If the classes are not there in about their shares, as in sorted data, that many of each class are taken that they
    are, again the last or first of it.
    """
    n = len(labels)
    if labels.ndim != 1 or count in (0, n):
        return (np.arange(n - count, n) if last else np.arange(count)), False
    end = slice(n - count, n) if last else slice(0, count)
    total = np.bincount(labels)
    inside = np.bincount(labels[end], minlength=len(total))
    expected = total * (count / n)
    loose = np.abs(inside - expected) <= 5 * np.sqrt(expected * (1 - count / n)) + 1
    enough = np.minimum(expected, total - expected) >= 1
    missing = enough & ((inside == 0) | (inside == total)) & (total > 0)
    if loose.all() and not missing.any():
        return np.arange(n)[end], False
    quota = _quota(total, count)
    picked = []
    for label in np.flatnonzero(quota):
        places = np.flatnonzero(labels == label)
        picked.append(places[-quota[label] :] if last else places[: quota[label]])
    return np.sort(np.concatenate(picked)), True


def _quota(total: np.ndarray, count: int) -> np.ndarray:
    """Return how many of each class (C,) make up `count`, in proportion; the largest remainders get what is left."""
    exact = total * (count / total.sum())
    quota = np.floor(exact).astype(np.int64)
    quota = np.maximum(quota, (total > 1) & (exact > 0) & (count >= 2 * np.count_nonzero(total)))
    while quota.sum() > count:
        quota[np.argmax(quota - exact)] -= 1
    for label in np.argsort(-(exact - quota), kind="stable"):
        if quota.sum() == count:
            break
        quota[label] += quota[label] < total[label]
    return quota


def are_in_runs(labels: np.ndarray) -> bool:
    """Whether equal labels follow each other in long runs, so that training in this order forgets each class."""
    if labels.ndim != 1 or len(labels) < 20:
        return False
    changes = int(np.count_nonzero(np.diff(labels.astype(np.int64))))
    shares = np.bincount(labels) / len(labels)
    expected = (1 - float((shares**2).sum())) * len(labels)  # changes in a random order
    return changes < 0.2 * expected
