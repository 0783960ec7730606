"""Statistics and trials as the tables that a comparison prints."""

from jitnet.history.compare import MINUS, Table
from jitnet.history.statistics import CONFIDENCE, FIGURES, Summary
from jitnet.history.sweep_record import Sweep

_HEAD = ("", "epoch", "n", "mean", "sd", "min", "max", f"{100 * CONFIDENCE:.0f} % of the mean")


def statistics_tables(found: dict[str, list[Summary]], every: bool = False) -> list[Table]:
    """Return the figures of the last epoch (or of `every` one) of one configuration, or of several side by side."""
    if len(found) > 1:
        return _side_by_side(found)
    tables = []
    for rows in found.values():
        last = max((row.epoch for row in rows), default=0)
        chosen = tuple(_cells(row) for row in rows if every or row.epoch == last)
        if chosen:
            tables.append(Table("every epoch" if every else "last epoch", _HEAD, chosen))
    return tables


def _side_by_side(found: dict[str, list[Summary]]) -> list[Table]:
    """Return a row for each configuration, the best first: epochs, seeds, and mean and deviation of each figure."""
    last = {}
    for group, rows in found.items():
        epoch = max((row.epoch for row in rows), default=None)
        last[group] = {row.figure: row for row in rows if row.epoch == epoch}
    figures = [figure for figure in FIGURES if any(figure in rows for rows in last.values())]

    def rank(group: str) -> tuple[int, float]:
        """By the epochs it was found worth, then by validation, else by the test."""
        rows = last[group]
        for figure, sign in (("val_accuracy", -1), ("val_loss", 1), ("test_accuracy", -1), ("test_loss", 1)):
            if figure in rows:
                return -rows[figure].epoch, sign * rows[figure].mean
        return 1, 0.0

    lines = []
    for group in sorted(last, key=rank):
        of_group = last[group]
        any_row = next(iter(of_group.values()), None)
        counts = ("0", "0") if any_row is None else (str(any_row.epoch + 1), str(any_row.n))
        lines.append((group, *counts, *(_spread(of_group.get(figure)) for figure in figures)))
    head = ("", "epochs", "seeds", *(figure.replace("_", " ") for figure in figures))
    return [Table("configurations, mean and standard deviation over their seeds", head, tuple(lines))]


def _spread(row: Summary | None) -> str:
    if row is None:
        return MINUS
    digits = _digits(row.figure)
    return f"{row.mean:.{digits}f}" + (f" ± {row.sd:.{digits}f}" if row.sd is not None else "")


def _digits(figure: str) -> int:
    return 2 if figure.endswith("accuracy") else 6


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
    digits = _digits(row.figure)
    shown = [MINUS if value is None else f"{value:.{digits}f}" for value in row[3:]]
    interval = MINUS if row.low is None else f"{shown[4]} to {shown[5]}"
    return (row.figure.replace("_", " "), str(row.epoch), str(row.n), *shown[:4], interval)


def _short(cell: str) -> str:
    """Return a number of table.csv with at most six digits, and any other text as it is."""
    try:
        return f"{float(cell):.6g}"
    except ValueError:
        return cell
