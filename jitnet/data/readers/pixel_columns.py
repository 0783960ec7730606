"""The names of a table's pixel columns: they tell which pixel is which, where columns are in another order."""

import re
from itertools import pairwise, permutations

import numpy as np

from jitnet.errors import InputError

_MOST = 3  # numbers in a name: row, column, channel


def in_sequence(names: tuple[str, ...], where: str) -> tuple[np.ndarray | None, str]:
    """Return in which order columns (D,) that are numbered follow each other, and a note; None where they do.

    Names with a row and a column may count either first. Raises `InputError` if they follow neither.

    >>> in_sequence(("pixel1", "pixel10", "pixel2"), "t.csv")[0].tolist(), in_sequence(("1x1", "2x1", "1x2"), "")
    ([0, 2, 1], (None, ''))
    """
    numbers = _numbers(names)
    if numbers is None or _follow(numbers):
        return None, ""
    if numbers.shape[1] > 1:
        raise InputError(
            f"the pixel columns of {where} are not in order, from {names[0]!r} to {names[-1]!r}: expected them row by "
            "row, sort them"
        )
    note = f"the pixel columns of {where} are not in order, {', '.join(names[:3])}, ...: they are sorted by number"
    return np.argsort(numbers[:, 0], kind="stable"), note


def as_in(names: tuple[str, ...], where: str, wanted: tuple[str, ...], other: str) -> tuple[np.ndarray | None, str]:
    """Return in which order columns (D,) are those of another table, by their names, and a note; None if in its order.

    Columns without names, or numbered otherwise in the same sequence, are taken by their place. Raises `InputError`
    for a name that the other table has and this one has not.

    >>> as_in(("b", "a"), "test.csv", ("a", "b"), "train.csv")[0].tolist()
    [1, 0]
    """
    if not names or not wanted or names == wanted or len(names) != len(wanted):
        return None, ""
    place = {name: i for i, name in enumerate(names)}
    if set(wanted) == set(names):
        note = f"the pixel columns of {where} are in another order than those of {other}: they are matched by name"
        return np.array([place[name] for name in wanted]), note
    lost = next(name for name in wanted if name not in place)
    if _numbers(names) is None or _numbers(wanted) is None:
        raise InputError(f"{where} has no column {lost!r}, which {other} has: expected the same pixel columns")
    return None, (
        f"the pixel columns of {where} are called {names[0]!r} to {names[-1]!r}, those of {other} {wanted[0]!r} to "
        f"{wanted[-1]!r}: they are matched by place"
    )


def is_out_of_order(header: str) -> bool:
    """Whether the beginning of a header has numbered columns that do not follow each other.

    >>> is_out_of_order("label,p1,p10,p2,p"), is_out_of_order("label,p1,p2,p10,p"), is_out_of_order("")
    (True, False, False)
    """
    names = [name for name in re.split("[,;\t]", header)[:-1] if re.search(r"\d", name)]
    numbers = _numbers(tuple(names))
    return numbers is not None and not _follow(numbers)


def _numbers(names: tuple[str, ...]) -> np.ndarray | None:
    """Return the numbers in names (D, 1 to 3) that differ in nothing else, without those that never change, or None."""
    parts = [re.split(r"(\d{1,9})", name) for name in names]
    if len({tuple(each[::2]) for each in parts}) != 1 or len(set(names)) < 2:
        return None
    numbers = np.array([[int(number) for number in each[1::2]] for each in parts])
    numbers = numbers[:, (numbers != numbers[0]).any(axis=0)]
    return numbers if 1 <= numbers.shape[1] <= _MOST else None


def _follow(numbers: np.ndarray) -> bool:
    """Whether rows (N, K) of whole numbers ascend, by some order of their columns."""
    orders = (numbers[:, list(major)].tolist() for major in permutations(range(numbers.shape[1])))
    return any(all(a < b for a, b in pairwise(rows)) for rows in orders)
