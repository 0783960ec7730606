"""Tables of numbers: what a comparison, a sweep's statistics and its trials are made of before a view formats them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jitnet.history.read import Run
from jitnet.history.statistics import CONFIDENCE, FIGURES, Summary
from jitnet.history.sweep_record import Sweep


class Name(NamedTuple):
    """The name of a row: for people, and for programs, which find a number's unit in it."""

    text: str
    plain: str


class Cell(NamedTuple):
    """A number, and what is known about it; None where there is none.

    `unit` decides how it is written: "count", "epoch" (from 0), "loss", "accuracy" (in percent), "seconds", "minutes",
    "time" (seconds in a table that names them), "rate", or "number" for any other.
    """

    value: float | None
    unit: str
    change: float | None = None  # its difference to the first run's
    deviation: float | None = None  # the standard deviation of which it is the mean
    end: float | None = None  # of an interval that begins at `value`


Line = tuple[Name | Cell | str, ...]


@dataclass(frozen=True)
class Table:
    """A titled table whose first column names its rows; the other cells are numbers or texts."""

    title: str
    head: tuple[str, ...]
    rows: tuple[Line, ...]


def unit_of(figure: str) -> str:
    """Return the unit of a figure of an epoch."""
    return "accuracy" if figure.endswith("accuracy") else "loss"


def statistics_tables(found: dict[str, list[Summary]], every: bool = False) -> list[Table]:
    """Return the figures of the last epoch (or of `every` one) of one configuration, or of several side by side."""
    if len(found) > 1:
        return [_configurations(found)]
    tables = []
    for rows in found.values():
        last = max((row.epoch for row in rows), default=0)
        chosen = tuple(_summary(row) for row in rows if every or row.epoch == last)
        if chosen:
            tables.append(Table("every epoch" if every else "last epoch", _HEAD, chosen))
    return tables


_HEAD = ("", "epoch", "n", "mean", "sd", "min", "max", f"{100 * CONFIDENCE:.0f} % of the mean")


def _summary(row: Summary) -> Line:
    unit = unit_of(row.figure)
    values = (Cell(value, unit) for value in (row.mean, row.sd, row.min, row.max))
    name = row.figure.replace("_", " ")
    return (name, Cell(row.epoch, "epoch"), Cell(row.n, "count"), *values, Cell(row.low, unit, end=row.high))


def _configurations(found: dict[str, list[Summary]]) -> Table:
    """Return a row for each configuration, the best first: epochs, seeds, and mean and deviation of each figure."""
    last = {}
    for group, rows in found.items():
        epoch = max((row.epoch for row in rows), default=None)
        last[group] = {row.figure: row for row in rows if row.epoch == epoch}
    figures = [figure for figure in FIGURES if any(figure in rows for rows in last.values())]
    means = {group: {figure: row.mean for figure, row in rows.items()} for group, rows in last.items()}
    lines: list[Line] = []
    for group in sorted(last, key=lambda group: rank(means[group])):
        of_group = last[group]
        any_row = next(iter(of_group.values()), None)
        counts = (Cell(any_row.epoch + 1 if any_row else 0, "count"), Cell(any_row.n if any_row else 0, "count"))
        lines.append((group, *counts, *(_mean(figure, of_group.get(figure)) for figure in figures)))
    head = ("", "epochs", "seeds", *(figure.replace("_", " ") for figure in figures))
    return Table("configurations, mean and standard deviation over their seeds", head, tuple(lines))


def rank(figures: dict[str, float]) -> tuple[int, float]:
    """Return a key that sorts the best first: the highest accuracy, on validation images if there are any.

    Without accuracies, as of a regression, the lowest loss; without both a place after the others.
    """
    for figure, sign in (("val_accuracy", -1), ("test_accuracy", -1), ("val_loss", 1), ("test_loss", 1)):
        if figure in figures:
            return 0, sign * figures[figure]
    return 1, 0.0


def best_run(sweep: Sweep) -> Run | None:
    """Return the best of a sweep's runs, as `rank` has it; None if no epoch is done."""
    runs = [run for group in sweep.runs.values() for run in group if run.epochs]
    figures = {
        run.path: {figure: value for figure in FIGURES if (value := run.last(figure)) is not None} for run in runs
    }
    return min(runs, key=lambda run: rank(figures[run.path]), default=None)


def _mean(figure: str, row: Summary | None) -> Cell:
    return Cell(row.mean if row else None, unit_of(figure), deviation=row.sd if row else None)


def trials_table(sweep: Sweep) -> Table | None:
    """Return a row for each trial of a sweep, the best first, from its table.csv."""
    if not sweep.table:
        return None
    hidden = {"weights", "host", "seconds", "attempts"}
    names = [
        name for name in sweep.table[0] if name and name not in hidden and any(line.get(name) for line in sweep.table)
    ]
    lines = sorted(sweep.table, key=lambda line: rank(_figures(line)))
    rows: tuple[Line, ...] = tuple(tuple(_cell(name, line.get(name) or "") for name in names) for line in lines)
    return Table("trials", ("", *(name.replace("_", " ") for name in names[1:])), rows)


def _figures(line: dict[str, str]) -> dict[str, float]:
    values = {figure: _number(line.get(figure) or "") for figure in FIGURES}
    return {figure: value for figure, value in values.items() if value is not None}


def _cell(name: str, text: str) -> Cell | str:
    value = _number(text)
    if value is None:
        return text or Cell(None, "number")
    return Cell(value, unit_of(name) if name in FIGURES else "number")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def without_empty(rows: Sequence[Line]) -> tuple[Line, ...]:
    """Return the rows in which something is known."""
    return tuple(row for row in rows if any(not isinstance(cell, Cell) or cell.value is not None for cell in row[1:]))
