"""A run folder read back: one that an older jitnet wrote, or a kill cut short, still tells what it can.

Damage is reported in a sentence: `jitnet.run.schema` says what a file may hold.
"""

import os
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jitnet.config import Settings
from jitnet.errors import InputError
from jitnet.model import architecture
from jitnet.printing import printable
from jitnet.run import metrics, schema
from jitnet.run.lock import is_held
from jitnet.run.names import find_run, list_runs
from jitnet.setting import toml_values

SHOWN = (
    "name", "status", "network", "architecture", "parameters", "data", "epochs", "planned", "accuracy", "best", "val",
    "rmse", "loss", "seconds", "images_per_s", "created", "stop_reason", "tags", "note",
)  # fmt: skip
STATUSES = ("done", "running", "stopped", "crashed", "diverged", "damaged")

Row = metrics.Values  # of metrics.csv by column; None = not computed


@dataclass(frozen=True)
class Run:
    """One run. What its folder does not hold is missing here too: an empty table, a default, None.

    `damage` is the sentence of a run that cannot be read, of which nothing else is known; `notices` collects what is
    damaged in its logs, of which the records before are read.
    """

    path: Path
    meta: dict[str, Any]
    settings: dict[str, Any]
    epochs: tuple[Row, ...]
    damage: str = ""
    notices: list[str] = field(default_factory=list, compare=False)

    @property
    def name(self) -> str:
        """The folder's name, as it can be printed."""
        return printable(self.path.absolute().name)

    @property
    def status(self) -> str:
        """What meta.json says; "crashed" for a run that says it is running while nobody trains in it."""
        if self.damage:
            return "damaged"
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

        Compiling is excluded: it happens in the first run only.
        """
        seconds = 0.0
        for row in self.epochs:
            seconds += (row.get("train_s") or 0.0) + (row.get("eval_s") or 0.0)
            value = row.get(column)
            if value is not None and value >= accuracy:
                return seconds
        return None

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the records of one kind from events.jsonl, up to the first line that is damaged."""
        return [record for record in self._log("events.jsonl", schema.event_record) if record["event"] == kind]

    def steps(self) -> list[dict[str, Any]]:
        """Return the records of steps.jsonl, up to the first line that is damaged."""
        return self._log("steps.jsonl", schema.step_record)

    def _log(self, name: str, record_of: Callable[[bytes], dict[str, Any]]) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        try:
            records.extend(record for _, record in schema.log_lines(self.path / name, record_of))
        except schema.DamagedLineError as error:
            notice = f"{error}, so only what comes before is shown"
            self.notices.extend([notice] * (notice not in self.notices))
        return records


def read_run(run: str | Path, runs_dir: str | Path) -> Run:
    """Read RUN: `latest`, a name in `runs_dir`, or a path. Raises `InputError` if it is not there or damaged."""
    return _read(find_run(run, runs_dir))


def read_runs(runs_dir: str | Path) -> list[Run]:
    """Read all runs in a folder, the newest first; of a damaged one there is its name and `damage`, a sentence."""
    if not Path(runs_dir).is_dir():
        raise InputError(
            f"there is no folder {runs_dir}: expected the runs that `jitnet train` makes, or --runs-dir DIR"
        )
    return [read_or_damaged(path) for path in list_runs(runs_dir)]


def read_or_damaged(path: Path) -> Run:
    """Read the run at a path, or return what stands for a damaged one."""
    try:
        return _read(path)
    except InputError as error:
        return Run(path, {}, {}, (), damage=str(error))


def _read(path: Path) -> Run:
    meta = schema.read_meta(path)
    try:
        rows = tuple(row.values for row in metrics.read(path / "metrics.csv"))
    except OSError as error:
        raise InputError(f"cannot read {path / 'metrics.csv'}: {error.strerror}; check its permissions") from None
    settings = _settings(path, meta)
    return Run(path, meta, settings, tuple(map(_with_rmse, rows)) if settings["target"] else rows)


def _with_rmse(row: Row) -> Row:
    """Return an epoch of a regression with the root of its mean squared error."""
    loss = row.get("test_loss")
    return row | {"test_rmse": None if loss is None or loss < 0 else loss**0.5}


def _settings(path: Path, meta: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that config.toml gives, over the defaults for the others."""
    file = path / "config.toml"
    if os.path.lexists(file):
        known = asdict(schema.read_settings(path))
        given = set(toml_values(file))
    else:
        known, given = asdict(Settings()), set()
    if "network" not in given:
        known["network"] = meta["title"]
    if "architecture" not in given:
        known["architecture"] = ""
    return known


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
    if run.damage:
        return dict.fromkeys(SHOWN) | {"name": run.name, "status": run.status, "stop_reason": run.damage}
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
        "rmse": run.last("test_rmse"),
        "loss": run.last("train_loss"),
        "seconds": run.last("elapsed_s"),
        "images_per_s": sum(rates) / len(rates) if rates else None,  # type: ignore[arg-type]
        "created": run.meta["created"],
        "stop_reason": run.meta.get("stop_reason"),
        "tags": " ".join(run.meta.get("tags", ())) or None,
        "note": run.meta.get("note"),
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
