"""The lines of `jitnet runs list`: runs, with the settings in which they differ, and sweeps."""

from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from jitnet.commands.support.listing import STATUS_TONES, console, plain_table
from jitnet.config import SETTINGS
from jitnet.display.format import NONE, age, count, duration, number, percentage, significant
from jitnet.history import Run
from jitnet.history.read import summary
from jitnet.history.sweep_record import Sweep
from jitnet.history.tables import best_run
from jitnet.printing import printable
from jitnet.recipes.named import values_of
from jitnet.setting import show

_TEXTS = {"run", "status", "network", "data", "tags", "architecture"}  # the other columns are numbers, at the right
# Omitted first in a narrow terminal; then the settings, the last one first; then _LAST.
_SPARE = ("images/s", "best", "loss", "architecture", "time", "age")
_LAST = ("tags", "network", "data", "epochs", "status")
_ELSEWHERE = {"network", "data", "epochs", "until"}  # settings that have a column already


def print_list(runs: list[Run], there: int, sweeps: list[Sweep], runs_dir: Path) -> None:
    """Print a line for each run, with the columns that there is room for, and one for each sweep."""
    out = console()
    varied, result = _varied(runs), _result(runs)
    rows = [_cells(run, varied, result) for run in runs]
    if runs:
        out.print(_table(rows, _fitting(rows, varied, out.width)))
    counts = f"{len(runs)} of " * (len(runs) != there) + count(there, "run")
    out.print(Text(f"{counts} in {printable(runs_dir)}"), style="dim")
    if sweeps:
        trials = [run for sweep in sweeps for group in sweep.runs.values() for run in group]
        lines = [_sweep_cells(sweep, _result(trials)) for sweep in sweeps]
        out.print()
        out.print(_table(lines, list(lines[0])))
        out.print(Text(f"{count(len(sweeps), 'sweep')}; `jitnet runs compare NAME` lists the trials"), style="dim")


def _table(rows: list[dict[str, Text]], shown: list[str]) -> Table:
    table = plain_table()
    for name in shown:
        table.add_column(name, justify="left" if name in _TEXTS else "right", no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(row[name] for name in shown))
    return table


def _varied(runs: list[Run]) -> list[str]:
    """Return the settings in which the runs differ, without those that follow from their recipes in all of them."""
    known = [run.settings for run in runs if not run.damage]
    names = [name for name in SETTINGS if name not in _ELSEWHERE]
    differ = [name for name in names if len({str(settings.get(name)) for settings in known}) > 1]
    return [name for name in differ if not all(_follows(name, settings) for settings in known)]


def _follows(name: str, settings: dict[str, Any]) -> bool:
    """Whether a setting is what the recipe sets, or its target; the learning rate is worth a column in any case."""
    if name == "loss":
        return bool(settings[name] == ("mse" if settings["target"] else "cross-entropy"))
    theirs = values_of(settings["recipe"], settings["network"])
    return name != "lr" and name in theirs and theirs[name] == settings[name]


def _result(runs: list[Run]) -> str:
    """Return the heading of the results: of classifications accuracies, of regressions errors."""
    kinds = {bool(run.settings["target"]) for run in runs if not run.damage}
    return {(True,): "rmse", (False, True): "accuracy, rmse"}.get(tuple(sorted(kinds)), "accuracy")


def _cells(run: Run, varied: list[str], result: str) -> dict[str, Text]:
    """Return a run's line by column."""
    row = summary(run)
    settings = {name: "" if run.damage else show(run.settings.get(name, "")) for name in varied}
    return {
        "run": Text(row["name"]),
        "status": _text(row["status"], STATUS_TONES.get(row["status"], "")),
        "network": _text(row["network"]),
        "data": _text(row["data"], "yellow" if row["data"] == "synthetic" else ""),
        "epochs": Text(NONE if row["epochs"] is None else f"{row['epochs']}/{row['planned']}"),
        result: _measure(row),
        "best": Text(percentage(row["best"])),
        "loss": Text(number(row["loss"], 4)),
        "time": Text(duration(row["seconds"])),
        **{_heading(name): _text(value or NONE) for name, value in settings.items()},
        "images/s": Text(number(row["images_per_s"])),
        "age": Text(NONE if row["created"] is None else age(row["created"])),
        "tags": _text(row["tags"] or ""),
    }


def _measure(row: dict[str, Any]) -> Text:
    """Return the accuracy of a classification, the error of a regression."""
    return Text(percentage(row["accuracy"]) if row["rmse"] is None else significant(row["rmse"]))


def _heading(name: str) -> str:
    other = {"architecture": "architecture", "loss": "loss function"}  # the loss has a column
    return other.get(name) or SETTINGS[name].option.removeprefix("--")


def _text(text: str | None, style: str = "") -> Text:
    return Text(NONE if text is None else printable(text), style)


def _fitting(rows: list[dict[str, Text]], varied: list[str], width: int) -> list[str]:
    """Return the columns that fit: whole ones, so that no number is cut; the least telling go first."""
    names = [name for name in rows[0] if name != "tags" or any(str(row[name]) for row in rows)]
    widths = {name: max(len(name), *(row[name].cell_len for row in rows)) for name in names}
    settings = [_heading(name) for name in reversed(varied) if name != "architecture"]
    for name in (*_SPARE, *settings, *_LAST):
        if sum(widths.values()) + 2 * len(widths) > width:
            widths.pop(name, None)
    return list(widths)


def sweep_summary(sweep: Sweep) -> dict[str, Any]:
    """Return what the list shows of a sweep."""
    runs = [run for group in sweep.runs.values() for run in group]
    best = best_run(sweep)
    created = [run.meta["created"] for run in runs if not run.damage]
    return {
        "name": sweep.name,
        "kind": sweep.record.get("kind", "sweep"),
        "trials": len(sweep.record["trials"]),
        "done": sum(run.status == "done" for run in runs),
        "best": None if best is None else best.name,
        "accuracy": None if best is None else best.last("test_accuracy"),
        "rmse": None if best is None else best.last("test_rmse"),
        "created": max(created, default=None),
        "path": str(sweep.path),
    }


def _sweep_cells(sweep: Sweep, result: str) -> dict[str, Text]:
    row = sweep_summary(sweep)
    return {
        "run": Text(row["name"]),
        "status": Text(f"{row['done']}/{row['trials']} done"),
        "best": _text(row["best"]),
        result: _measure(row),
        "age": Text(NONE if row["created"] is None else age(row["created"])),
    }
