"""Statistics and trials as the tables that a comparison prints."""

from jitnet.history.compare import MINUS, Table
from jitnet.history.statistics import CONFIDENCE, Summary
from jitnet.history.sweep import Sweep

_DIGITS = {"val_accuracy": 2, "test_accuracy": 2}
_HEAD = ("", "epoch", "n", "mean", "sd", "min", "max", f"{100 * CONFIDENCE:.0f} % of the mean")


def statistics_table(found: dict[str, list[Summary]], every: bool = False) -> list[Table]:
    """Return a table for each configuration: the figures of its last epoch, or of `every` one."""
    tables = []
    for group, rows in found.items():
        last = max((row.epoch for row in rows), default=0)
        chosen = tuple(_cells(row) for row in rows if every or row.epoch == last)
        if chosen:
            title = "statistics" if every else "statistics of the last epoch"
            tables.append(Table(f"{title}: {group}" if group else title, _HEAD, chosen))
    return tables


def trials_table(sweep: Sweep) -> Table | None:
    """Return a row for each trial of a sweep, from its table.csv."""
    if not sweep.table:
        return None
    hidden = {"weights", "host", "seconds", "attempts"}
    names = [
        name for name in sweep.table[0] if name and name not in hidden and any(line.get(name) for line in sweep.table)
    ]
    rows = tuple(tuple(_short(line.get(name) or MINUS) for name in names) for line in sweep.table)
    return Table("trials", ("", *(name.replace("_", " ") for name in names[1:])), rows)


def _cells(row: Summary) -> tuple[str, ...]:
    digits = _DIGITS.get(row.figure, 6)
    shown = [MINUS if value is None else f"{value:.{digits}f}" for value in row[3:]]
    interval = MINUS if row.low is None else f"{shown[4]} to {shown[5]}"
    return (row.figure.replace("_", " "), str(row.epoch), str(row.n), *shown[:4], interval)


def _short(cell: str) -> str:
    """Return a number of table.csv with at most six digits, and any other text as it is."""
    try:
        return f"{float(cell):.6g}"
    except ValueError:
        return cell
