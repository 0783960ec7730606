"""Runs side by side: the settings that differ, the figures, the time to given accuracies."""

from collections.abc import Callable
from typing import Any

from jitnet.history.read import Run, parameters
from jitnet.history.tables import Cell, Line, Name, Table, without_empty

TARGETS = (90.0, 95.0, 97.0, 98.0, 99.0, 99.5)


def compare(runs: list[Run], targets: tuple[float, ...] = ()) -> list[Table]:
    """Return the tables of a comparison: one column for each run; changes are those from the first run."""
    head = ("", *(run.name for run in runs))
    tables = [
        Table("settings that differ", head, _differing([_settings(run) for run in runs])),
        Table("surroundings that differ", head, _differing([_surroundings(run) for run in runs])),
        Table("results", head, _results(runs)),
        Table("seconds of training until a test accuracy", head, _times(runs, targets or _reached(runs))),
    ]
    return [table for table in tables if table.rows]


def _differing(sides: list[dict[str, Any]]) -> tuple[Line, ...]:
    names = dict.fromkeys(name for side in sides for name in side)
    rows = [(name, *(_setting(side.get(name)) for side in sides)) for name in names]
    return tuple(row for row in rows if len(set(row[1:])) > 1)


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


def _setting(value: Any) -> Cell | str:
    """Return a setting as it is typed; a number is not rounded."""
    if value is None:
        return Cell(None, "number")
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _results(runs: list[Run]) -> tuple[Line, ...]:
    def row(name: str, unit: str, value: Callable[[Run], float | None], plain: str = "") -> Line:
        values = [value(run) for run in runs]
        first = values[0]
        cells = [Cell(values[0], unit)]
        cells += [Cell(v, unit, None if v is None or first is None else v - first) for v in values[1:]]
        return (Name(name, plain or name), *cells)

    def last(column: str) -> Callable[[Run], float | None]:
        return lambda run: run.last(column)

    def best(run: Run) -> float | None:
        found = run.best("test_accuracy")
        return found["test_accuracy"] if found else None

    def mean(column: str) -> Callable[[Run], float | None]:
        def of(run: Run) -> float | None:
            values = [value for row in run.epochs if (value := row.get(column)) is not None]
            return sum(values) / len(values) if values else None

        return of

    def minutes(run: Run) -> float | None:
        seconds = run.last("elapsed_s")
        return None if seconds is None else seconds / 60

    rows = [
        ("status", *(run.status for run in runs)),
        row("epochs", "count", lambda run: float(len(run.epochs))),
        row("parameters", "count", parameters),
        row("training loss", "loss", last("train_loss")),
        row("test loss", "loss", last("test_loss")),
        row("test RMSE", "number", last("test_rmse")),
        row("test accuracy", "accuracy", last("test_accuracy"), "test accuracy %"),
        row("best test accuracy", "accuracy", best, "best test accuracy %"),
        row("validation accuracy", "accuracy", last("val_accuracy"), "validation accuracy %"),
        row("images/s", "rate", mean("images_per_s")),
        row("time an epoch", "seconds", mean("train_s"), "seconds an epoch"),
        row("time in all", "minutes", minutes, "minutes in all"),
    ]
    return without_empty(rows)


def _reached(runs: list[Run]) -> tuple[float, ...]:
    """Return the round accuracies that a run has reached, the three highest."""
    return tuple(level for level in TARGETS if any(run.seconds_to(level) is not None for run in runs))[-3:]


def _times(runs: list[Run], targets: tuple[float, ...]) -> tuple[Line, ...]:
    return tuple((f"{level:g} %", *(Cell(run.seconds_to(level), "time") for run in runs)) for level in targets)
