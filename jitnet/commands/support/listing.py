"""How `jitnet runs` looks on a terminal and in a pipe."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jitnet.data.record import DataRecord
from jitnet.display.live.frame import glyphs_for
from jitnet.display.live.progress import counted
from jitnet.display.live.screen import clock
from jitnet.display.overlay import overlay
from jitnet.history import Run
from jitnet.history.compare import Table as Comparison
from jitnet.history.curves import ALONG, METRICS, Curve
from jitnet.history.read import summary

_STATUS = {"done": "green", "running": "cyan", "stopped": "yellow", "crashed": "red", "diverged": "red"}
_PIPE = 160  # columns where there is no terminal


def console() -> Console:
    """Return the console of a command's result; a pipe is as wide as a line needs."""
    made = Console(highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _PIPE
    return made


def print_list(runs: list[Run], there: int, runs_dir: Path) -> None:
    """Print a line for each run, with the columns that there is room for."""
    out = console()
    rows = [_cells(run) for run in runs]
    shown = _fitting(rows, out.width)
    table = _table()
    for name in shown:
        text = name in ("run", "status", "network", "data")
        table.add_column(name, justify="left" if text else "right", no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(row[name] for name in shown))
    if runs:
        out.print(table)
    left = "" if len(runs) == there else f" of {there}"
    out.print(Text(f"{len(runs)}{left} run{'s' * (there != 1)} in {runs_dir}"), style="dim")


def _cells(run: Run) -> dict[str, Text]:
    """Return a run's line by column."""
    row = summary(run)
    rate = row["images_per_s"]
    return {
        "run": Text(row["name"]),
        "status": Text(row["status"], _STATUS.get(row["status"], "")),
        "network": Text(str(row["network"])),
        "data": Text(row["data"], "yellow" if row["data"] == "synthetic" else ""),
        "epochs": Text(f"{row['epochs']}/{row['planned']}"),
        "accuracy": Text(_number(row["accuracy"], 2)),
        "best": Text(_number(row["best"], 2)),
        "loss": Text(_number(row["loss"], 4)),
        "time": Text(clock(row["seconds"]) if row["seconds"] is not None else "-"),
        "images/s": Text("-" if rate is None else f"{rate:,.0f}"),
        "age": Text(age(row["created"])),
    }


def _fitting(rows: list[dict[str, Text]], width: int) -> list[str]:
    """Return the columns that fit: whole ones, so that no number is cut; the least telling go first."""
    names = list(rows[0]) if rows else []
    widths = {name: max(len(name), *(row[name].cell_len for row in rows)) for name in names}
    for name in ("images/s", "best", "loss", "network", "time", "data", "age", "epochs", "status"):
        if sum(widths.values()) + 2 * len(widths) > width:
            del widths[name]
    return list(widths)


def print_run(run: Run) -> None:
    """Print all about one run: settings, surroundings, epochs, confusions, files, commands."""
    out = console()
    row = summary(run)
    reason = f": {row['stop_reason']}" if row["stop_reason"] else ""
    out.print(Text.assemble((run.name, "bold"), "  ", (run.status, _STATUS.get(run.status, "")), reason))
    facts = _grid()
    for name, value in _facts(run, row):
        facts.add_row(name, Text(value, overflow="fold"))
    out.print(facts)
    if run.epochs:
        out.print()
        out.print(_epochs(run))
        points = tuple((r["epoch"] + 1, r["test_accuracy"]) for r in run.epochs if _has(r))  # type: ignore[operator]
        if len(points) > 1:
            print_curves([Curve(run.name, points)], "test_accuracy", "epoch", rows=8)  # type: ignore[arg-type]
    matrix = next((e["confusion"] for e in reversed(list(run.events("EpochDone"))) if e.get("confusion")), None)
    if matrix:
        out.print()
        out.print(_classes(matrix, DataRecord.from_dict(run.meta.get("record")).name_of))
    out.print()
    files = sorted((file for file in run.path.iterdir() if not file.name.startswith(".")), key=lambda file: file.name)
    listing = _grid()
    for file in files:
        listing.add_row(f"{file.stat().st_size:,}".rjust(13), Text(file.name))
    out.print(listing)
    out.print()
    for line in commands(run):
        out.print(Text(line), soft_wrap=True)


def commands(run: Run) -> list[str]:
    """Return the commands that go on with a run, measure it, and repeat it."""
    import shlex

    path = shlex.quote(str(run.path))
    lines = [] if run.status == "done" else [f"jitnet resume {path}"]
    more = max(run.settings["until"], run.settings["epochs"]) + 3
    if run.status == "done":
        lines.append(f"jitnet resume {path} --epochs {more}")
    lines += [f"jitnet eval {path}", f"jitnet report {path}"]
    return [*lines, f"jitnet train --config {shlex.quote(str(run.path / 'config.toml'))}"]


def print_tables(tables: list[Comparison]) -> None:
    """Print the tables of a comparison."""
    out = console()
    for comparison in tables:
        table = _table()
        for place, name in enumerate(comparison.head):
            table.add_column(Text(name), justify="right" if place else "left", overflow="fold")
        for row in comparison.rows:
            table.add_row(*(Text(cell) for cell in row))
        out.print(Text(comparison.title, "bold"))
        out.print(table)
        out.print()


def print_curves(curves: list[Curve], metric: str, along: str, rows: int = 16) -> None:
    """Print the curves as characters."""
    out = console()
    glyphs = glyphs_for(out.encoding, os.environ.get("TERM", ""))
    width = max(40, min(out.width, 120))
    lines = [(curve.name, curve.points) for curve in curves]
    out.print(overlay(lines, METRICS[metric], ALONG[along], width, rows, glyphs), end="")


def age(created: str, now: datetime | None = None) -> str:
    """Return how long ago that was, in the largest unit of which there are two.

    >>> age("2026-11-21T02:25:12+00:00", datetime(2026, 11, 21, 4, 26, tzinfo=UTC))
    '2 h'
    """
    try:
        seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(created)).total_seconds()
    except (ValueError, TypeError):
        return "-"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _facts(run: Run, row: dict[str, Any]) -> list[tuple[str, str]]:
    meta, settings = run.meta, run.settings
    count = row["parameters"]
    versions = meta.get("versions") if isinstance(meta.get("versions"), dict) else {}
    shown = {"network", "architecture", "until"} | {name for name, value in settings.items() if value == ""}
    threads = counted(meta.get("threads", "-"), "thread")
    facts = [
        ("network", f"{settings['network']}: {settings['architecture']}"),
        ("parameters", "-" if count is None else f"{count:,}"),
        ("data", f"{meta['data']} {str(meta.get('data_sha256') or '')[:12]}"),
        *DataRecord.from_dict(meta.get("record")).facts(),
        (
            "settings",
            ", ".join(f"{name} {value}" for name, value in settings.items() if name not in shown and value != ""),
        ),
        ("machine", f"{meta.get('cpu', '-')}, {threads} ({meta.get('layer', '-')})"),
        ("versions", ", ".join(f"{name} {version}" for name, version in (versions or {}).items())),
        ("created", f"{meta['created'][:19].replace('T', ' ')} ({age(meta['created'])} ago)"),
        ("command", " ".join(map(str, meta.get("argv") or ["-"]))),
    ]
    return facts


def _epochs(run: Run) -> Table:
    names = [name for name in run.epochs[0] if any(row.get(name) is not None for row in run.epochs)]
    digits = {"epoch": 0, "step": 0, "images_per_s": 0, "test_accuracy": 2, "val_accuracy": 2, "lr": 6}
    digits |= {"train_s": 1, "eval_s": 2, "elapsed_s": 1}
    names = [name for name in names if name != "step"]
    table = _table()
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for row in run.epochs:
        table.add_row(*(_number(row.get(name), digits.get(name, 4)) for name in names))
    return table


def _classes(matrix: list[list[int]], name_of: Callable[[int], str]) -> Table:
    """Return the per-class table of a confusion matrix whose rows are the true classes."""
    table = _table()
    for name in ("class", "images", "right %", "most often taken for"):
        table.add_column(name, justify="right" if name != "most often taken for" else "left")
    for label, row in enumerate(matrix):
        images = sum(row)
        others = sorted(((n, other) for other, n in enumerate(row) if n and other != label), reverse=True)[:3]
        wrong = ", ".join(f"{name_of(other)} ({n})" for n, other in others)
        table.add_row(
            name_of(label), f"{images:,}", _number(100 * row[label] / images if images else None, 2), wrong or "-"
        )
    return table


def _has(row: dict[str, float | None]) -> bool:
    return row.get("test_accuracy") is not None and row.get("epoch") is not None


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    return grid


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
