"""The logs of a run: metrics.csv, steps.jsonl and events.jsonl, grown by whole lines and cut back by them."""

import contextlib
import json
import os
from pathlib import Path

from jitnet.errors import InputError
from jitnet.events import Compiling, EpochDone, Event, Progress, StepsDone, Warned, as_record
from jitnet.run import metrics, schema
from jitnet.storage.atomic import replace_file

FIRST = 40  # calls, about three seconds of training, of which each is recorded


class RunLogs:
    """The three logs of the run folder `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._metrics = Log(path / "metrics.csv")
        self._steps = Log(path / "steps.jsonl")
        self._events = Log(path / "events.jsonl")
        self._columns: tuple[str, ...] = ()  # of metrics.csv, read when its first row is added
        self._failed = False
        self._calls = 0  # taken in
        self._accuracy: float | None = None  # of a step that was not recorded
        self._compiled = -1  # index of the latest kernel that is recorded
        self._sampled = 0.0  # elapsed_s of the latest step recorded

    @staticmethod
    def create(path: Path) -> None:
        """Write the logs of a run that has not begun. Raises `OSError`."""
        replace_file(path / "metrics.csv", metrics.HEADER.encode())
        for name in ("steps.jsonl", "events.jsonl"):
            replace_file(path / name, b"")

    @staticmethod
    def rewind(path: Path, epoch: int, step: int, data: str) -> tuple[EpochDone, ...]:
        """Cut the logs back to `epoch` epochs and `step` updates; returns the epochs that stay.

        Raises `InputError` if a row that is needed is damaged, `OSError`.
        """
        rows = metrics.rewind(path / "metrics.csv", epoch, data)
        for name, record_of in (("steps.jsonl", schema.step_record), ("events.jsonl", schema.event_record)):
            kept: list[bytes] = []
            with contextlib.suppress(schema.DamagedLineError):
                for line, record in schema.log_lines(path / name, record_of):
                    late = record.get("event") == "EpochDone" and record["epoch"] >= epoch
                    if late or (record.get("step") or 0) > step:
                        break
                    kept.append(line)
            replace_file(path / name, b"".join(kept))
        return rows

    def record(self, *events: Event) -> list[Event]:
        """Write events down, of the steps a sample; returns a warning, once, while that fails."""
        for event in events:
            if isinstance(event, Progress):  # a sign of life, nothing to keep
                continue
            if isinstance(event, Compiling):
                if event.index == self._compiled:
                    continue
                self._compiled = event.index
            if isinstance(event, EpochDone):
                self._add_row(event)
            if isinstance(event, StepsDone):
                self._accuracy = event.accuracy if event.accuracy is not None else self._accuracy
                if not self._is_sample(event.elapsed_s):
                    continue
                row = {"epoch": event.epoch, "step": event.step, "loss": event.call_loss, "lr": event.lr}
                row["t"] = event.elapsed_s
                if self._accuracy is not None:
                    row["accuracy"], self._accuracy = self._accuracy, None
                self._steps.add(json.dumps(row) + "\n")
            self._events.add(json.dumps(as_record(event)) + "\n")
        try:
            self._events.flush()
            self._steps.flush()
        except OSError as error:
            warned, self._failed = self._failed, True
            message = f"cannot write the logs in {self.path}: {error.strerror}; training continues"
            return [] if warned else [Warned(message=message)]
        self._failed = False
        return []

    def _add_row(self, event: EpochDone) -> None:
        if not self._columns:
            try:
                self._columns = metrics.columns_of(self._metrics.path)
            except (OSError, InputError):  # the flush says what is wrong
                self._columns = metrics.COLUMNS
        self._metrics.add(metrics.row_text(event, self._columns))

    def sync_metrics(self) -> None:
        """Make the rows of metrics.csv survive a power loss. Raises `OSError`."""
        self._metrics.flush(sync=True)

    def _is_sample(self, elapsed_s: float) -> bool:
        """Choose the first calls, so that a run of a second has a curve too, and from then on two a second.

        Later it is one in a thousandth of the time so far: 5,000 in ten hours.
        """
        self._calls += 1
        if self._calls > FIRST and elapsed_s - self._sampled < max(0.5, elapsed_s / 1000):
            return False
        self._sampled = elapsed_s
        return True


class Log:
    """A file that grows by lines. What could not be written is kept, and comes first the next time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = -1  # bytes known to be whole lines; measured at the first write
        self._pending = b""

    def add(self, text: str) -> None:
        """Take lines for the next `flush`."""
        self._pending += text.encode("utf-8")

    def flush(self, *, sync: bool = False) -> None:
        """Append what is pending; with `sync` it survives a power loss. Raises `OSError`."""
        if not self._pending:
            return
        try:
            with open(self.path, "r+b") as file:
                if self._size < 0:
                    self._size = os.fstat(file.fileno()).st_size
                file.seek(self._size)  # over the torn rest of a flush that failed
                file.write(self._pending)
                file.flush()
                if sync:
                    os.fsync(file.fileno())
        except OSError as error:
            error.filename = str(self.path)  # an fsync names no file
            raise
        self._size += len(self._pending)
        self._pending = b""
