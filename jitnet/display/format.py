"""How numbers, times, epochs and classes are written for people: by every view, on the terminal and on a page.

Functions of figures alone: numbers are formatted here, at the end, and nowhere before.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import isnan
from typing import NamedTuple

NONE = "-"  # what is not known, or was not computed


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with separators; a dash for None and NaN.

    >>> number(1234.567, 1), number(None)
    ('1,234.6', '-')
    """
    return NONE if value is None or isnan(value) else f"{value:,.{digits}f}"


def significant(value: float | None, digits: int = 6) -> str:
    """Return a number with that many significant digits, such as an error in the unit of a target.

    >>> significant(0.001234567), significant(None)
    ('0.00123457', '-')
    """
    return NONE if value is None or isnan(value) else f"{value:.{digits}g}"


def count(number: int, noun: str = "epoch", several: str = "") -> str:
    """Return a count with its noun.

    >>> count(1), count(1200), count(2, "process", "processes")
    ('1 epoch', '1,200 epochs', '2 processes')
    """
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"


def data_size(octets: float | None) -> str:
    """Return a number of bytes, of a file, memory or a disk.

    >>> data_size(800), data_size(71_949), data_size(1_562_000), data_size(16.4e9), data_size(None)
    ('0.8 kB', '72 kB', '1.6 MB', '16.4 GB', '-')
    """
    if octets is None:
        return NONE
    unit, name = next((each for each in ((1e9, "GB"), (1e6, "MB")) if octets >= each[0]), (1e3, "kB"))
    return f"{octets / unit:,.{0 if 1e4 <= octets < 1e6 else 1}f} {name}"


def percentage(value: float | None, digits: int = 2) -> str:
    """Return an accuracy, given in percent. Only all images are 100 %: one wrong in a million is 99.99 %.

    >>> percentage(98.076), percentage(99.9999), percentage(100.0), percentage(None)
    ('98.08 %', '99.99 %', '100.00 %', '-')
    """
    return NONE if value is None or isnan(value) else f"{_percent(value, digits)} %"


def _percent(value: float, digits: int) -> str:
    return f"{value if value >= 100 else min(value, 100 - 10**-digits):.{digits}f}"


def percent_number(value: float | None, digits: int = 2) -> str:
    """Return a percentage without its sign, for a column or a panel whose heading has it."""
    return NONE if value is None or isnan(value) else _percent(value, digits)


def duration(seconds: float | None) -> str:
    """Return a time in its two largest units.

    >>> duration(0.05), duration(4.21), duration(192), duration(7322), duration(200_000), duration(None)
    ('0.05 s', '4.2 s', '3 min 12 s', '2 h 2 min', '2 d 8 h', '-')
    """
    if seconds is None or isnan(seconds):
        return NONE
    if not seconds:
        return "0 s"
    if seconds < 59.5:
        return f"{seconds:.2f} s" if seconds < 0.995 else f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    for (name, length), (lower, part) in pairwise(units):
        whole = round(seconds / part) * part  # of the lower unit, so that no 60 s is left over
        if whole >= length:
            rest = whole % length // part
            return f"{whole // length} {name}" + (f" {rest} {lower}" if rest else "")
    raise AssertionError("a minute is at least a minute")


def about_left(seconds: float | None) -> str:
    """Return the end of a sentence that says how long something still takes; nothing where that is not known.

    >>> about_left(0.2), about_left(75.4), about_left(None)
    (', about 1.0 s left', ', about 1 min 15 s left', '')
    """
    return "" if seconds is None else f", about {duration(max(1, round(seconds)))} left"


def clock(seconds: float | None) -> str:
    """Return a time that is watched while it runs, as hours, minutes and seconds of fixed width.

    >>> clock(4.2), clock(192), clock(7322), clock(None)
    ('0:04', '3:12', '2:02:02', '-:--')
    """
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def age(created: str, now: datetime | None = None) -> str:
    """Return how long ago a moment was, given as meta.json has it.

    >>> age("2026-11-21T02:25:12+00:00", datetime(2026, 11, 21, 4, 26, tzinfo=UTC))
    '2 h 1 min'
    """
    try:
        return duration(max(0.0, ((now or datetime.now(UTC)) - datetime.fromisoformat(created)).total_seconds()))
    except (ValueError, TypeError, OverflowError):
        return NONE


class EpochColumn(NamedTuple):
    """A column of the table of epochs."""

    heading: str
    text: Callable[[float], str]
    width: int = 0  # columns on the live screen; 0: it is not shown there
    rank: int = 0  # on a narrow screen the lowest go first


# By name in EpochDone and metrics.csv. Epochs are counted from 1 wherever a person reads them.
EPOCH_COLUMNS = {
    "epoch": EpochColumn("epoch", lambda epoch: f"{epoch + 1:.0f}", 5, 9),
    "step": EpochColumn("steps", number),
    "lr": EpochColumn("lr", lambda rate: f"{rate:.6f}" if rate >= 1e-5 else f"{rate:.2e}", 8, 4),
    "train_loss": EpochColumn("avg loss", lambda loss: number(loss, 6), 8, 8),
    "test_accuracy": EpochColumn("accuracy", percentage, 8, 7),
    "test_rmse": EpochColumn("rmse", significant, 9, 7),
    "test_loss": EpochColumn("test loss", lambda loss: number(loss, 6)),
    "val_loss": EpochColumn("val loss", lambda loss: number(loss, 6), 8, 2),
    "val_accuracy": EpochColumn("val acc", percentage, 8, 6),
    "train_s": EpochColumn("seconds", lambda seconds: number(seconds, 1), 7, 3),
    "eval_s": EpochColumn("evaluation", duration),
    "images_per_s": EpochColumn("images/s", number, 9, 1),
    "elapsed_s": EpochColumn("elapsed", duration),
}


def epoch_columns(rows: Sequence[Mapping[str, float | None]]) -> list[str]:
    """Return the names of the columns of which a row has a value."""
    return [name for name in EPOCH_COLUMNS if any(row.get(name) is not None for row in rows)]


def epoch_cells(row: Mapping[str, float | None], names: Iterable[str]) -> list[str]:
    """Return a row's texts in these columns."""
    values = ((name, row.get(name)) for name in names)
    return [NONE if value is None else EPOCH_COLUMNS[name].text(value) for name, value in values]


class ClassFigures(NamedTuple):
    """One class of a confusion matrix: shares from 0 to 1, None where there is nothing to divide by."""

    label: int
    images: int
    recall: float | None  # of its images, found
    precision: float | None  # of what was taken for it, right
    f1: float | None
    confused_with: tuple[tuple[int, int], ...]  # (label, images) it was taken for, most often first


CLASS_HEAD = ("class", "images", "recall %", "precision %", "F1 %", "most often taken for")


def class_figures(confusion: Sequence[Sequence[int]]) -> list[ClassFigures]:
    """Return the figures of each class; a row of `confusion` is a true class, a column the class it was taken for.

    >>> class_figures([[1, 1], [0, 2]])[0]
    ClassFigures(label=0, images=2, recall=0.5, precision=1.0, f1=0.6666666666666666, confused_with=((1, 1),))
    """
    taken = [sum(column) for column in zip(*confusion)]
    found = []
    for label, row in enumerate(confusion):
        right, images = int(row[label]), int(sum(row))
        both = images + int(taken[label])
        wrong = sorted(((int(n), other) for other, n in enumerate(row) if n and other != label), key=lambda w: -w[0])
        found.append(
            ClassFigures(
                label,
                images,
                right / images if images else None,
                right / int(taken[label]) if taken[label] else None,
                2 * right / both if both else None,
                tuple((other, n) for n, other in wrong[:3]),
            )
        )
    return found


def class_rows(confusion: Sequence[Sequence[int]], name_of: Callable[[int], str] = str) -> list[tuple[str, ...]]:
    """Return the rows of the table of classes, whose columns are CLASS_HEAD; `name_of` names a class."""
    return [
        (
            name_of(each.label),
            number(each.images),
            *(percent_number(None if share is None else 100 * share) for share in each[2:5]),
            ", ".join(f"{name_of(other)} ({n:,})" for other, n in each.confused_with) or NONE,
        )
        for each in class_figures(confusion)
    ]
