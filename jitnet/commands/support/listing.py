"""How `jitnet runs` looks on a terminal and in a pipe."""

import os
from typing import Any

from rich.table import Table
from rich.text import Text

from jitnet.data.record import DataRecord
from jitnet.display.console import SafeConsole, safe_console
from jitnet.display.format import (
    CLASS_HEAD,
    EPOCH_COLUMNS,
    NONE,
    age,
    class_rows,
    count,
    epoch_cells,
    epoch_columns,
    number,
)
from jitnet.display.live.frame import glyphs_for
from jitnet.display.overlay import overlay
from jitnet.display.tables import cell_text
from jitnet.history import Run
from jitnet.history.curves import ALONG, METRICS, Curve
from jitnet.history.read import summary
from jitnet.history.tables import Table as Figures
from jitnet.printing import printable

STATUS_TONES = {
    "done": "green",
    "running": "cyan",
    "stopped": "yellow",
    "crashed": "red",
    "diverged": "red",
    "damaged": "red",
}
_PIPE = 160  # columns without a terminal


def console() -> SafeConsole:
    """Return the console of a command's result; a pipe is as wide as a line needs."""
    made = safe_console()
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _PIPE
    return made


def print_run(run: Run) -> None:
    """Print all about one run: settings, surroundings, epochs, confusions, files, commands."""
    out = console()
    row = summary(run)
    reason = f": {row['stop_reason']}" if row["stop_reason"] else ""
    out.print(
        Text.assemble(
            (run.name, "bold"), "  ", (printable(run.status), STATUS_TONES.get(run.status, "")), printable(reason)
        )
    )
    facts = _grid()
    for name, value in _facts(run, row):
        facts.add_row(name, Text(printable(value), overflow="fold"))
    out.print(facts)
    if run.epochs:
        out.print()
        out.print(_epochs(run))
        points = tuple((r["epoch"] + 1, r["test_accuracy"]) for r in run.epochs if _has(r))  # type: ignore[operator]
        if len(points) > 1:
            print_curves([Curve(run.name, points)], "test_accuracy", "epoch", rows=8)  # type: ignore[arg-type]
    matrix = next((e["confusion"] for e in reversed(run.events("EpochDone")) if e.get("confusion")), None)
    if matrix:
        out.print()
        out.print(_classes(matrix, DataRecord.from_dict(run.meta.get("record"))))
    out.print()
    files = sorted((file for file in run.path.iterdir() if not file.name.startswith(".")), key=lambda file: file.name)
    listing = _grid()
    for file in files:
        listing.add_row(f"{file.lstat().st_size:,}".rjust(13), Text(printable(file.name)))
    out.print(listing)
    out.print()
    for line in commands(run):
        out.print(Text(printable(line)), soft_wrap=True)


def commands(run: Run) -> list[str]:
    """Return the commands that continue a run, measure it, and repeat it."""
    import shlex

    path = shlex.quote(str(run.path))
    lines = [] if run.status == "done" else [f"jitnet resume {path}"]
    more = max(run.settings["until"], run.settings["epochs"]) + 3
    if run.status == "done":
        lines.append(f"jitnet resume {path} --epochs {more}")
    lines += [f"jitnet eval {path}", f"jitnet report {path}"]
    return [*lines, f"jitnet train --config {shlex.quote(str(run.path / 'config.toml'))}"]


def print_tables(tables: list[Figures]) -> None:
    """Print tables of figures."""
    out = console()
    for figures in tables:
        table = plain_table()
        for place, name in enumerate(figures.head):
            table.add_column(Text(printable(name)), justify="right" if place else "left", overflow="fold")
        for row in figures.rows:
            table.add_row(*(Text(printable(cell_text(cell))) for cell in row))
        out.print(Text(figures.title, "bold"))
        out.print(table)
        out.print()


def print_curves(curves: list[Curve], metric: str, along: str, rows: int = 16) -> None:
    """Print the curves as characters."""
    out = console()
    glyphs = glyphs_for(out.encoding, os.environ.get("TERM", ""))
    width = max(40, min(out.width, 120))
    lines = [(curve.name, curve.points) for curve in curves]
    out.print(overlay(lines, METRICS[metric], ALONG[along], width, rows, glyphs), end="")


def _facts(run: Run, row: dict[str, Any]) -> list[tuple[str, str]]:
    meta, settings = run.meta, run.settings
    record = DataRecord.from_dict(meta.get("record"))
    versions = meta.get("versions") or {}
    shown = {"network", "architecture", "until"} | {name for name, value in settings.items() if value == ""}
    threads = meta.get("threads")
    threads = count(threads, "thread") if isinstance(threads, int) else NONE
    facts = [
        ("network", f"{settings['network']}: {settings['architecture']}"),
        ("parameters", number(row["parameters"])),
        ("data", f"{meta['data']} {str(meta.get('data_sha256') or '')[:12]}"),
        *record.facts(),
        *(("assumed", note) for note in record.notes),
        (
            "settings",
            ", ".join(f"{name} {value}" for name, value in settings.items() if name not in shown and value != ""),
        ),
        ("machine", f"{meta.get('cpu', '-')}, {threads} ({meta.get('layer', '-')})"),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions.items())),
        ("created", f"{meta['created'][:19].replace('T', ' ')} ({age(meta['created'])} ago)"),
        ("command", " ".join(meta.get("argv") or [NONE])),
    ]
    kept = (("tags", " ".join(meta.get("tags", ()))), ("note", meta.get("note") or ""))
    return facts + [(name, text) for name, text in kept if text]


def _epochs(run: Run) -> Table:
    names = [name for name in epoch_columns(run.epochs) if name != "step"]
    table = plain_table()
    for name in names:
        table.add_column(EPOCH_COLUMNS[name].heading, justify="right")
    for row in run.epochs:
        table.add_row(*epoch_cells(row, names))
    return table


def _classes(matrix: list[list[int]], record: DataRecord) -> Table:
    """Return the table of classes of a confusion matrix whose rows are the true classes."""
    table = plain_table()
    for name in CLASS_HEAD:
        table.add_column(name, justify="right" if name != CLASS_HEAD[-1] else "left")
    for cells in class_rows(matrix, record.name_of):
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table


def _has(row: dict[str, float | None]) -> bool:
    return row.get("test_accuracy") is not None and row.get("epoch") is not None


def plain_table() -> Table:
    """Return an empty table without lines."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    return grid
