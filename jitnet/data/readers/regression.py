"""A table of numbers for regression: a small CSV file, of which one column is to be approximated from the others.

Each seventh row is for testing (the table may be sorted). Columns are brought to mean 0 and deviation 1, by the
training rows; losses are reported in the target's own unit.
"""

import hashlib
from pathlib import Path

import numpy as np

from jitnet.data.content import read_file, sha256
from jitnet.data.dataset import Dataset, own_name
from jitnet.errors import InputError

_HELD_OUT = 7


def load(path: str, target: str) -> Dataset:
    """Read a CSV file of finite numbers, its columns named in the first line or not.

    Parameters
    ----------
    path : of the file
    target : the name of a column, or its number from 1

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
    names, table = _table(read_file(file), path)
    column = _column(names, target, path)
    held = np.arange(len(table)) % _HELD_OUT == _HELD_OUT - 1
    if table.shape[1] < 2 or not held.any():
        raise InputError(
            f"{path} has {len(table)} rows of {table.shape[1]} columns: expected at least {_HELD_OUT} rows of two"
        )
    mean, deviation = table[~held].mean(axis=0), table[~held].std(axis=0)
    deviation[deviation == 0] = 1  # a column that never changes
    scaled = ((table - mean) / deviation).astype(np.float32)
    x, y = np.delete(scaled, column, axis=1)[:, None, :], scaled[:, column : column + 1]
    parts = [np.ascontiguousarray(part) for part in (x[~held], y[~held], x[held], y[held])]
    whole = hashlib.sha256("".join(sha256(part) for part in parts).encode()).hexdigest()
    x_train, y_train, x_test, y_test = parts
    return Dataset(own_name(file), x_train, y_train, x_test, y_test, 1, path, whole, float(deviation[column]) ** 2)


def _table(content: bytes, where: str) -> tuple[list[str], np.ndarray]:
    """Return the columns' names, "" where the file has none, and the numbers (N, columns) float64."""
    lines = content.decode("utf-8-sig", "replace").splitlines()
    rows: list[list[float]] = []
    names: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        fields = [field.strip(' "\t') for field in line.split(",")]
        if not names:
            names = [""] * len(fields)
            if not any(_is_number(field) for field in fields):
                names = fields
                continue
        if len(fields) != len(names):
            raise InputError(f"{where} has {len(fields)} columns in line {number}: expected {len(names)} as before")
        for column, field in enumerate(fields, 1):
            if not _is_number(field) or not np.isfinite(float(field)):
                raise InputError(
                    f"{where} has {field[:20]!r} in line {number}, column {column}: expected a finite number"
                )
        rows.append([float(field) for field in fields])
    return names, np.array(rows, np.float64).reshape(len(rows), len(names))


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _column(names: list[str], target: str, where: str) -> int:
    if target in names:
        return names.index(target)
    if target.isdecimal() and 1 <= int(target) <= len(names):
        return int(target) - 1
    known = ", ".join(name for name in names if name)
    raise InputError(
        f"--target is {target!r}: expected a column of {where}, a number from 1 to {len(names)}"
        + (f" or one of {known}" if known else "")
    )
