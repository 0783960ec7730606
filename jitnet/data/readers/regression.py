"""A table of numbers for regression: a small CSV file, of which one column is to be approximated from the others.

Each seventh row is for testing (the table may be sorted). Columns are brought to mean 0 and deviation 1, by the
training rows; losses are reported in the target's own unit.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from jitnet.data.content import read_file, sha256, unzipped
from jitnet.data.dataset import Dataset, own_name
from jitnet.data.labels import composed
from jitnet.data.readers.columns import place_of
from jitnet.data.readers.fields import fields_of, require_width, separator_of
from jitnet.data.readers.tables import as_utf8
from jitnet.data.record import DataRecord
from jitnet.errors import InputError
from jitnet.printing import printable

_HELD_OUT = 7
LARGEST = 1e30  # what is beyond it in size is taken for a mistake
_SAMPLE = 60  # lines that show what separates the columns


def load(path: str, target: str, warn: Callable[[str], None] = lambda message: None) -> Dataset:
    """Read a CSV file of finite numbers, its columns named in the first line or not.

    Parameters
    ----------
    path : of the file
    target : the name of a column, or its number from 1
    warn : takes a sentence about what was assumed of the table

    Returns
    -------
    Dataset with rows as x (N, 1, D) float32, targets as y (N, 1) float32, one "class", and `unit` the target's variance

    Raises
    ------
    InputError : no such file or column, fewer than two columns or seven rows, or a field that is not a finite number
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"--data is {path!r}: with --target expected a CSV file of numbers, check the path")
    names, table = _table(unzipped(read_file(file), path), path)
    notes = _header_or_row(names, table, path)
    for note in notes:
        warn(note)
    if not table.size:
        raise InputError(f"{path} has no rows of numbers: expected at least {_HELD_OUT}")
    column = _column(names, target, path)
    index = _index(names, table, column)
    if index is not None:
        table = np.delete(table, index, axis=1)
        names = names[:index] + names[index + 1 :]
        column -= index < column
        notes.append(f"the first column of {path} numbers the rows: it is not used")
        warn(notes[-1])
    held = np.arange(len(table)) % _HELD_OUT == _HELD_OUT - 1
    if table.shape[1] < 2 or not held.any():
        raise InputError(
            f"{path} has {len(table)} rows of {table.shape[1]} columns: expected at least {_HELD_OUT} rows of two"
        )
    if np.ptp(table[:, column]) == 0:
        raise InputError(f"--target {target} of {path} is {table[0, column]:g} in all rows: expected different ones")
    mean, deviation = table[~held].mean(axis=0), table[~held].std(axis=0)
    deviation[deviation == 0] = 1  # a column that never changes
    scaled = ((table - mean) / deviation).astype(np.float32)
    x, y = np.delete(scaled, column, axis=1)[:, None, :], scaled[:, column : column + 1]
    parts = [np.ascontiguousarray(part) for part in (x[~held], y[~held], x[held], y[held])]
    whole = hashlib.sha256("".join(sha256(part) for part in parts).encode()).hexdigest()
    x_train, y_train, x_test, y_test = parts
    inputs = [place for place in range(table.shape[1]) if place != column]
    named = [names[place] or str(place + 1) for place in range(len(names))]
    facts = DataRecord(
        kind="table of numbers",
        label_column=named[column],
        header=",".join(names)[:200],
        columns=tuple(named[place] for place in inputs),
        means=tuple(float(mean[place]) for place in (*inputs, column)),
        deviations=tuple(float(deviation[place]) for place in (*inputs, column)),
        split=f"every seventh row is for testing, {int(held.sum()):,} in all",
        notes=tuple(notes),
        sha256=whole,
    )
    unit = float(deviation[column]) ** 2
    return Dataset(own_name(file), x_train, y_train, x_test, y_test, 1, path, whole, unit, facts)


def rows_like(
    content: bytes, where: str, record: DataRecord, target: str, warn: Callable[[str], None] = lambda message: None
) -> np.ndarray:
    """Read rows to predict, their columns as in the table that a run was trained on, by name or else by place.

    Returns x (N, 1, D, 1) float32, scaled as in training. Raises `InputError` for columns that are not there.
    """
    names, table = _table(content, where)
    for note in _header_or_row(names, table, where):
        warn(note)
    wanted = [composed(name) for name in record.columns]
    if all(name in names for name in wanted):
        table = table[:, [names.index(name) for name in wanted]]
    elif any(names) and record.header:
        missing = next(name for name in wanted if name not in names)
        raise InputError(f"{where} has no column {missing!r}: expected {printable(', '.join(wanted))}, as in training")
    elif table.shape[1] == len(wanted) + 1:  # the table of the training, its target included
        place = place_of(names, target)
        table = np.delete(table, len(wanted) if place is None else place, axis=1)
    if table.shape[1] != len(wanted):
        raise InputError(f"{where} has {table.shape[1]} columns: expected {len(wanted)}, {', '.join(wanted)}")
    return scaled(table, record)


def scaled(table: np.ndarray, record: DataRecord) -> np.ndarray:
    """Return rows (N, D) float64, their columns as in a run's data, as its network takes them: (N, 1, D, 1) float32.

    Raises `InputError` for numbers that are too far from those of the data for a float32.
    """
    mean, deviation = np.array(record.means[:-1]), np.array(record.deviations[:-1])
    with np.errstate(all="ignore"):
        rows = (table - mean) / deviation
    wrong = ~(np.abs(rows) < LARGEST)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        name = printable(record.columns[column])
        raise InputError(
            f"row {row + 1} has {table[row, column]:g} as {name}: expected a number like those that were trained on, "
            f"about {mean[column]:g}"
        )
    return np.ascontiguousarray(rows, np.float32)[:, None, :, None]


def _table(content: bytes, where: str) -> tuple[list[str], np.ndarray]:
    """Return the columns' names, "" where the file has none, and the numbers (N, columns) float64."""
    lines = as_utf8(content, where).decode().splitlines()
    separator = separator_of([line for line in lines if line.strip()][:_SAMPLE] or [""], where)
    rows: list[list[float]] = []
    names: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        fields = fields_of(line, separator)
        if not names:
            names = [""] * len(fields)
            counted = [str(start + place) for start in (0, 1) for place in range(len(fields))]
            words = [field for field in fields if not _is_number(field)]
            if len(words) == len(fields) or (words and words[0] == "" == fields[0] and len(words) == 1):
                names = [composed(field) for field in fields]
                continue
            if len(fields) > 1 and fields in (counted[: len(fields)], counted[len(fields) :]):
                names = fields
                continue
        require_width(fields, len(names), where, number)
        for column, field in enumerate(fields, 1):
            if not _is_number(field) or not abs(float(field)) < LARGEST:
                raise InputError(
                    f"{where} has {field[:20]!r} in line {number}, column {column}: expected a finite number in "
                    "each field; remove such rows, or that column"
                )
        rows.append([float(field) for field in fields])
    doubled = [name for name in names if name and names.count(name) > 1]
    if doubled:
        raise InputError(f"{where} has several columns called {doubled[0]!r}: expected one, rename the others")
    return names, np.array(rows, np.float64).reshape(len(rows), len(names))


def _header_or_row(names: list[str], table: np.ndarray, where: str) -> list[str]:
    """Return a note if the first row of a table (N, columns) without `names` may be names that are numbers.

    They are whole, and in even steps, as years are, or far from all numbers below them.
    """
    first, others = table[:1], table[1:]
    if any(names) or not others.size or (first != np.trunc(first)).any() or table.shape[1] < 2:
        return []
    steps, low, high = np.diff(first[0]), others.min(axis=0), others.max(axis=0)
    outside = ((first < low) | (first > high)).any()
    even = steps[0] != 0 and (steps == steps[0]).all() and (outside or len(steps) > 2) and len(steps) > 1
    far = (np.abs(first - (low + high) / 2) > 3 * (high - low)).all() and len(set(first[0].tolist())) == len(first[0])
    if not even and not far:
        return []
    shown = ", ".join(f"{value:.15g}" for value in first[0, :3]) + ", ..." * (table.shape[1] > 3)
    return [f"the first line of {where} is taken for a row ({shown}): if it names the columns, write words for them"]


def _index(names: list[str], table: np.ndarray, column: int) -> int | None:
    """Return the place of the column in which pandas numbered the rows, None if there is none."""
    unnamed = names and any(names) and (names[0] == "" or names[0].lower() in ("unnamed: 0", "index"))
    if column == 0 or not unnamed or table.shape[1] < 3:
        return None
    first = table[:, 0]
    return 0 if np.array_equal(first, first[0] + np.arange(len(first))) else None


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _column(names: list[str], target: str, where: str) -> int:
    if (place := place_of(names, target)) is not None:
        return place
    known = ", ".join(name for name in names if name)
    raise InputError(
        f"--target is {target!r}: expected a column of {where}, a number from 1 to {len(names)}"
        + (f" or one of {known}" if known else "")
    )
