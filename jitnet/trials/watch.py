"""The progress of a trial that trains in another process, perhaps on another machine: read from its run folder."""

from pathlib import Path
from typing import Any

from jitnet.history.board import RUNNING, Row
from jitnet.history.statistics import FIGURES
from jitnet.run.schema import event_record


class Watch:
    """The progress of a trial, read from the end of its events as they grow."""

    def __init__(self, path: Path):
        self._path = path
        self._at = path.stat().st_size if path.exists() else 0

    def read(self, row: Row) -> bool:
        """Bring a row up to date with the lines that are new; returns whether any was."""
        try:
            size = self._path.stat().st_size
            if size < self._at:  # it was cut back by a resume
                self._at = 0
            if size == self._at:
                return False
            with open(self._path, "rb") as file:
                file.seek(self._at)
                new = file.read(size - self._at)
        except OSError:
            return False
        whole = new[: new.rfind(b"\n") + 1]
        self._at += len(whole)
        for line in whole.splitlines():
            try:
                self._apply(row, event_record(line))
            except (ValueError, KeyError, TypeError):
                continue
        return bool(whole)

    def _apply(self, row: Row, event: dict[str, Any]) -> None:
        match event.get("event"):
            case "RunStarted":
                row.status = RUNNING
                row.epoch, steps = event["epoch"], max(1, event["steps_per_epoch"])
                row.fraction = event["step_in_epoch"] / steps
            case "StepsDone":
                row.status, row.epoch = RUNNING, event["epoch"]
                row.fraction = event["step_in_epoch"] / max(1, event["steps_per_epoch"])
            case "EpochDone":
                row.status, row.epoch, row.fraction = RUNNING, event["epoch"] + 1, 0.0
                for name in FIGURES:
                    setattr(row, name, event[name])
