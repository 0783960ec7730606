"""A run folder read back, leniently: one that an older jitnet wrote, or a kill cut short, still tells what it can."""

import csv
import json
import math
import os
import socket
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jitnet.config import Settings
from jitnet.errors import InputError
from jitnet.model import architecture
from jitnet.run.lock import is_held
from jitnet.run.names import find_run, list_runs, read_meta

SHOWN = (
    "name", "status", "network", "architecture", "parameters", "data", "epochs", "planned", "accuracy", "best", "val",
    "loss", "seconds", "images_per_s", "created", "stop_reason",
)  # fmt: skip
STATUSES = ("done", "running", "stopped", "crashed", "diverged")

Row = dict[str, float | None]  # of metrics.csv by column; None = not computed


@dataclass(frozen=True)
class Run:
    """One run. What its folder does not hold is missing here too: an empty table, a default, None."""

    path: Path
    meta: dict[str, Any]
    settings: dict[str, Any]
    epochs: tuple[Row, ...]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.absolute().name

    @property
    def status(self) -> str:
        """What meta.json says; "crashed" for a run that says it is running while nobody trains in it."""
        status = str(self.meta.get("status", "unknown"))
        return "crashed" if status == "running" and not _is_trained(self.path, self.meta) else status

    def last(self, column: str) -> float | None:
        """Return the newest value of a column."""
        return next((row[column] for row in reversed(self.epochs) if row.get(column) is not None), None)

    def best(self, column: str) -> Row | None:
        """Return the first row with a column's highest value."""
        rows = [row for row in self.epochs if row.get(column) is not None]
        return max(rows, key=lambda row: row[column] or 0.0) if rows else None

    def seconds_to(self, accuracy: float, column: str = "test_accuracy") -> float | None:
        """Return the seconds of training and evaluation until an accuracy in percent, None if it was not reached.

        Compiling is left out: it happens in the first run only.
        """
        seconds = 0.0
        for row in self.epochs:
            seconds += (row.get("train_s") or 0.0) + (row.get("eval_s") or 0.0)
            value = row.get(column)
            if value is not None and value >= accuracy:
                return seconds
        return None

    def events(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield the records of one kind from events.jsonl, as far as it is whole."""
        return (record for record in json_lines(self.path / "events.jsonl") if record.get("event") == kind)


def read_run(run: str | Path, runs_dir: str | Path) -> Run:
    """Read RUN: `latest`, a name in `runs_dir`, or a path. Raises `InputError` if there is no such run."""
    path = find_run(run, runs_dir)
    meta = read_meta(path)
    return Run(path, meta, _settings(path, meta), tuple(_rows(path / "metrics.csv")))


def read_runs(runs_dir: str | Path) -> tuple[list[Run], list[str]]:
    """Read all runs in a folder, the newest first; of the damaged ones return a sentence each."""
    if not Path(runs_dir).is_dir():
        raise InputError(
            f"there is no folder {runs_dir}: expected the runs that `jitnet train` makes, or --runs-dir DIR"
        )
    runs, damaged = [], []
    for path in list_runs(runs_dir):
        try:
            runs.append(read_run(path, runs_dir))
        except InputError as error:
            damaged.append(str(error))
    return runs, damaged


def _settings(path: Path, meta: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that config.toml gives, over the defaults of what it does not name yet."""
    try:
        given = tomllib.loads((path / "config.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        given = {}
    known = {name: getattr(Settings(), name) for name in Settings.__slots__}
    if "architecture" not in given:
        known["architecture"] = ""
    settings = known | {"network": meta.get("title", "")} | given
    return settings | {"until": given.get("until", settings["epochs"])}


def _rows(path: Path) -> Iterator[Row]:
    """Yield the whole lines of metrics.csv by the names in its own header."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    except OSError:
        return
    for row in csv.DictReader(line for line in lines if line.endswith("\n")):
        try:
            yield {name: _number(cell) for name, cell in row.items()}
        except (TypeError, ValueError, AttributeError):  # torn by a kill, or damaged: what is behind it is not known
            return


def _number(cell: str) -> float | None:
    value = float(cell) if cell.strip() else None
    return value if value is None or math.isfinite(value) else None


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a JSON Lines file up to the first that is torn."""
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                record = json.loads(line)
                if isinstance(record, dict):
                    yield record
    except (OSError, ValueError, RecursionError):
        return


def _is_trained(path: Path, meta: dict[str, Any]) -> bool:
    """Is the process alive that says it trains here, and does it still hold the folder's lock?"""
    pid = meta.get("pid")
    if meta.get("host") == socket.gethostname() and isinstance(pid, int) and not _is_alive(pid):
        return False
    return is_held(path)  # the process may be another one of that number, or on another machine


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is somebody else's
        pass
    return True


def summary(run: Run) -> dict[str, Any]:
    """Return what a list shows of a run, and what it can be sorted and filtered by: the names are SHOWN."""
    best = run.best("test_accuracy")
    rates = [row["images_per_s"] for row in run.epochs if row.get("images_per_s")]
    return {
        "name": run.name,
        "status": run.status,
        "network": run.settings["network"],
        "architecture": run.settings["architecture"],
        "parameters": parameters(run),
        "data": run.meta["data"],
        "epochs": len(run.epochs),
        "planned": max(run.settings["epochs"], run.settings["until"]),
        "accuracy": run.last("test_accuracy"),
        "best": best["test_accuracy"] if best else None,
        "val": run.last("val_accuracy"),
        "loss": run.last("train_loss"),
        "seconds": run.last("elapsed_s"),
        "images_per_s": sum(rates) / len(rates) if rates else None,  # type: ignore[arg-type]
        "created": run.meta["created"],
        "stop_reason": run.meta.get("stop_reason"),
    }


def parameters(run: Run) -> int | None:
    """Return how many numbers the run's network learns, None if its folder does not say enough."""
    try:
        height, width, channels = (int(extent) for extent in run.meta["image"])
        layers = (*architecture.parse(run.settings["architecture"]), architecture.Dense(int(run.meta["classes"])))
        return architecture.parameter_count(
            architecture.shapes(layers, (height, width, channels), run.settings["bias"])
        )
    except (InputError, KeyError, TypeError, ValueError):
        return None
