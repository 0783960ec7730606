"""Runs side by side: the settings that differ, the figures, the time to given accuracies; as Markdown and CSV."""

import csv
import io
import re
from dataclasses import dataclass
from typing import Any

from jitnet.history.read import Run, parameters
from jitnet.printing import csv_cell, printable

MINUS = "-"
TARGETS = (90.0, 95.0, 97.0, 98.0, 99.0, 99.5)


@dataclass(frozen=True)
class Table:
    """A titled table of text: the first column names a row, then comes one column for each run."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def compare(runs: list[Run], targets: tuple[float, ...] = ()) -> list[Table]:
    """Return the tables of a comparison; differences are to the first run."""
    head = ("", *(run.name for run in runs))
    times = targets or _reached(runs)
    tables = [
        Table("settings that differ", head, tuple(_differing([_settings(run) for run in runs]))),
        Table("surroundings that differ", head, tuple(_differing([_surroundings(run) for run in runs]))),
        Table("results", head, tuple(_results(runs))),
        Table("seconds of training until a test accuracy", head, tuple(_times(runs, times))),
    ]
    return [table for table in tables if table.rows]


def _differing(sides: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    names = dict.fromkeys(name for side in sides for name in side)
    rows = [(name, *(_text(side.get(name)) for side in sides)) for name in names]
    return [row for row in rows if len(set(row[1:])) > 1]


def _settings(run: Run) -> dict[str, Any]:
    """Return the settings, without `until` where it only repeats `epochs`."""
    return {name: v for name, v in run.settings.items() if name != "until" or v != run.settings["epochs"]}


def _surroundings(run: Run) -> dict[str, Any]:
    meta = run.meta
    versions = meta.get("versions")
    picked = {name: meta.get(name) for name in ("data", "data_sha256", "cpu", "threads", "layer")}
    if isinstance(picked["data_sha256"], str):
        picked["data_sha256"] = picked["data_sha256"][:12]
    return picked | (versions if isinstance(versions, dict) else {})


def _results(runs: list[Run]) -> list[tuple[str, ...]]:
    def row(name: str, values: list[float | None], digits: int) -> tuple[str, ...]:
        cells = []
        for place, value in enumerate(values):
            text = MINUS if value is None else f"{value:,.{digits}f}"
            if place and value is not None and values[0] is not None:
                text += f" ({value - values[0]:+,.{digits}f})"
            cells.append(text)
        return (name, *cells)

    def best(column: str) -> list[float | None]:
        rows = [run.best(column) for run in runs]
        return [row[column] if row else None for row in rows]

    def mean(column: str) -> list[float | None]:
        found = [[row[column] for row in run.epochs if row.get(column) is not None] for run in runs]
        return [sum(values) / len(values) if values else None for values in found]  # type: ignore[arg-type]

    def last(column: str) -> list[float | None]:
        return [run.last(column) for run in runs]

    counts: list[float | None] = [parameters(run) for run in runs]
    rows = [
        ("status", *(run.status for run in runs)),
        row("epochs", [float(len(run.epochs)) for run in runs], 0),
        row("parameters", counts, 0),
        row("training loss", last("train_loss"), 6),
        row("test loss", last("test_loss"), 6),
        row("test accuracy %", last("test_accuracy"), 2),
        row("best test accuracy %", best("test_accuracy"), 2),
        row("validation accuracy %", last("val_accuracy"), 2),
        row("images/s", mean("images_per_s"), 0),
        row("seconds an epoch", mean("train_s"), 2),
        row("minutes in all", [None if s is None else s / 60 for s in last("elapsed_s")], 2),
    ]
    return [cells for cells in rows if set(cells[1:]) != {MINUS}]


def _reached(runs: list[Run]) -> tuple[float, ...]:
    """Return the round accuracies that a run has reached, the three highest."""
    return tuple(level for level in TARGETS if any(run.seconds_to(level) is not None for run in runs))[-3:]


def _times(runs: list[Run], targets: tuple[float, ...]) -> list[tuple[str, ...]]:
    found = [(f"{level:g} %", *(run.seconds_to(level) for run in runs)) for level in targets]
    return [(str(name), *(MINUS if s is None else f"{s:,.1f}" for s in times)) for name, *times in found]


def _text(value: Any) -> str:
    if value is None:
        return MINUS
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def to_markdown(tables: list[Table]) -> str:
    """Return tables as Markdown.

    >>> print(to_markdown([Table("results", ("", "a"), (("loss", "0.1"),))]))
    ### results
    <BLANKLINE>
    |  | a |
    |---|---:|
    | loss | 0.1 |
    """
    blocks = []
    for table in tables:
        rule = "|---|" + "---:|" * (len(table.head) - 1)
        lines = ["| " + " | ".join(map(_markdown, row)) + " |" for row in (table.head, *table.rows)]
        blocks.append("\n".join([f"### {table.title}", "", lines[0], rule, *lines[1:]]))
    return "\n\n".join(blocks)


def _markdown(cell: str) -> str:
    """Return text of which Markdown makes nothing else: no column, tag, link, picture or code."""
    return re.sub(r"([\\|`\[\]!])", r"\\\1", printable(cell)).replace("&", "&amp;").replace("<", "&lt;")


def _plain(cell: str) -> str:
    """Return a number as programs read it, without its difference to another and without separators."""
    found = re.fullmatch(r"(-?[\d,]+(?:\.\d+)?)(?: \([-+][\d.,]+\))?", cell)
    return found[1].replace(",", "") if found else csv_cell(cell)


def to_csv(tables: list[Table]) -> str:
    """Return tables as one CSV table whose first column is the title of each row's table; its numbers are plain.

    >>> print(to_csv([Table("results", ("", "a"), (("parameters", "1,234 (+3)"),))]))
    table,row,a
    results,parameters,1234
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if tables:
        writer.writerow(["table", "row", *map(csv_cell, tables[0].head[1:])])
    writer.writerows([table.title, csv_cell(row[0]), *map(_plain, row[1:])] for table in tables for row in table.rows)
    return out.getvalue().rstrip("\n")
