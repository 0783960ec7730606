"""metrics.csv: a row for each epoch, read by the names in its own header."""

import csv
import math
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

from jitnet.errors import InputError
from jitnet.events import EpochDone
from jitnet.printing import brief
from jitnet.run import schema
from jitnet.storage.atomic import replace_file

_KINDS = {item.name: item.type for item in fields(EpochDone)}
COLUMNS = tuple(_KINDS)[: tuple(_KINDS).index("elapsed_s") + 1]
HEADER = ",".join(COLUMNS) + "\n"

# Of a row by column, of those in COLUMNS that the file has; None = an empty cell.
Values = dict[str, int | float | None]


class Row(NamedTuple):
    """A row of the file."""

    values: Values
    cells: list[str]  # as they are written, those of unknown columns too


def read(path: Path, *, torn: bool = True) -> Iterator[Row]:
    """Yield the rows of a file; none if it does not exist.

    A last line without its end is what a kill leaves: it is dropped, or damage too if `torn` is false. Raises
    `InputError` at the first line that is damaged, and `OSError`.
    """
    names: list[str] = []
    before = -1
    for count, line in enumerate(_lines(path), 1):
        if not line.endswith(b"\n") and torn:
            return
        try:
            if not line.endswith(b"\n"):
                raise ValueError("it has no end")
            cells = next(csv.reader([line.decode("utf-8").rstrip("\r\n")]), [])
            if count > 1:
                row = Row(_values(names, cells), cells)
                if _epoch(row) <= before:
                    raise ValueError(f"epoch {_epoch(row)} follows epoch {before}")
                before = _epoch(row)
                yield row
                continue
            names = [name.strip() for name in cells]
            if "epoch" not in names or len(set(names)) < len(names):
                raise ValueError("expected a header of different names, epoch among them")
        except (ValueError, csv.Error) as error:
            raise InputError(
                f"line {count} of {path} is damaged ({error}): fix it, or delete the file to continue without it"
            ) from None


def _lines(path: Path) -> Iterator[bytes]:
    schema.require_regular(path)
    try:
        with open(path, "rb") as file:
            yield from iter(lambda: file.readline(schema.LONGEST_LINE), b"")
    except FileNotFoundError:
        return


def _values(names: list[str], cells: list[str]) -> Values:
    """Return the numbers of a row. Raises `ValueError`."""
    if len(cells) != len(names):
        raise ValueError(f"it has {len(cells)} fields: expected {len(names)}")
    values: Values = {}
    for name, cell in zip(names, cells):
        if name not in COLUMNS:
            continue
        try:
            values[name] = (int(cell) if _KINDS[name] is int else float(cell)) if cell.strip() else None
        except ValueError:
            rule = schema.METRICS[name].what
            raise ValueError(f"{name} is {brief(cell)}: expected {rule}") from None
    schema.check(values, schema.METRICS, ("epoch",))
    return values


def columns_of(path: Path) -> tuple[str, ...]:
    """Return the columns in which rows are added to a file: its own, or `COLUMNS`. Raises `OSError`."""
    try:
        first = next(_lines(path), b"").decode("utf-8")
        if not first.endswith("\n"):
            return COLUMNS
        names = tuple(name.strip() for name in next(csv.reader([first.rstrip("\r\n")]), []))
    except (ValueError, csv.Error):
        return COLUMNS
    return names if "epoch" in names else COLUMNS


def row_text(event: EpochDone, columns: tuple[str, ...] = COLUMNS) -> str:
    """Return an event as a line of the file: floats that read back to the same bits, nothing for None."""
    cells = []
    for name in columns:
        value = getattr(event, name) if name in COLUMNS else None
        cells.append("" if value is None else repr(int(value) if _KINDS[name] is int else float(value)))
    return ",".join(cells) + "\n"


def read_epochs(path: Path, epochs: int, data: str) -> tuple[EpochDone, ...]:
    """Return the rows of the first `epochs` epochs as the events that they were; raises `InputError`."""
    try:
        return tuple(_event(row.values, data) for row in _needed(path, epochs))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check its permissions") from None


def rewind(path: Path, epochs: int, data: str) -> tuple[EpochDone, ...]:
    """Cut a file back to the rows of the first `epochs` epochs and return these.

    The file keeps its own columns; those it lacks are added, empty. What follows the last row that is needed is not
    looked at. Raises `InputError` for a damaged line among those that are needed, and `OSError`.
    """
    own = columns_of(path)
    missing = [name for name in COLUMNS if name not in own]
    rows = _needed(path, epochs)
    lines = [[*own, *missing], *([*row.cells, *[""] * len(missing)] for row in rows)]
    replace_file(path, "".join(_line(cells) for cells in lines).encode())
    return tuple(_event(row.values, data) for row in rows)


def _needed(path: Path, epochs: int) -> list[Row]:
    rows: list[Row] = []
    for row in read(path, torn=False) if epochs else ():
        if _epoch(row) < epochs:
            rows.append(row)
        if _epoch(row) >= epochs - 1:
            break
    return rows


def _epoch(row: Row) -> int:
    return int(row.values["epoch"] or 0)


def _line(cells: list[str]) -> str:
    quoted = ('"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\r\n') else cell for cell in cells)
    return ",".join(quoted) + "\n"


def _event(values: Values, data: str) -> EpochDone:
    """Return a row as the event that it was; a number that the file lacks is NaN, or 0 for a count."""
    absent = {int: 0, float: math.nan}
    known = {name: values.get(name) for name in COLUMNS}
    filled = {name: absent.get(_KINDS[name]) if value is None else value for name, value in known.items()}  # type: ignore[arg-type]
    loss, accuracy = known["test_loss"], known["test_accuracy"]
    is_regression = accuracy is None
    rmse = math.sqrt(loss) if loss is not None and loss >= 0 and is_regression else None
    return EpochDone(**filled, data=data, test_rmse=rmse, snapshot=dict)  # type: ignore[arg-type]
