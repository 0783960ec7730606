"""The logs of a run: metrics.csv, steps.jsonl and events.jsonl, grown by whole lines and cut back by them."""

import json
import math
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from jitnet.errors import InputError
from jitnet.events import EpochDone, Event, Progress, StepsDone, Warned, as_record
from jitnet.storage.atomic import replace_file

_KINDS = {item.name: item.type for item in fields(EpochDone)}
COLUMNS = tuple(_KINDS)[: tuple(_KINDS).index("elapsed_s") + 1]  # of metrics.csv
HEADER = ",".join(COLUMNS) + "\n"
FIRST = 40  # calls, some three seconds of training, of which each is recorded


class RunLogs:
    """The three logs of the run folder `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._metrics = Log(path / "metrics.csv")
        self._steps = Log(path / "steps.jsonl")
        self._events = Log(path / "events.jsonl")
        self._failed = False
        self._calls = 0  # taken in
        self._sampled = 0.0  # elapsed_s of the latest step recorded

    @staticmethod
    def create(path: Path) -> None:
        """Write the logs of a run that has not begun. Raises `OSError`."""
        replace_file(path / "metrics.csv", HEADER.encode())
        for name in ("steps.jsonl", "events.jsonl"):
            replace_file(path / name, b"")

    @staticmethod
    def rewind(path: Path, epoch: int, step: int, data: str) -> tuple[EpochDone, ...]:
        """Cut the logs back to `epoch` epochs and `step` updates; returns the epochs that stay.

        Raises `InputError` if a row that is needed is damaged, `OSError`.
        """

        def is_past(record: dict[str, Any]) -> bool:
            late = record.get("event") == "EpochDone" and record["epoch"] >= epoch
            return not late and record.get("step", 0) <= step

        rows = read_metrics(path / "metrics.csv", epoch, data)
        replace_file(path / "metrics.csv", "".join([HEADER, *map(metrics_row, rows)]).encode())
        for name in ("steps.jsonl", "events.jsonl"):
            replace_file(path / name, leading_lines(path / name, is_past))
        return rows

    def record(self, *events: Event) -> list[Event]:
        """Write events down, of the steps a sample; returns a warning, once, while that fails."""
        for event in events:
            if isinstance(event, Progress):  # a sign of life, nothing to keep
                continue
            if isinstance(event, EpochDone):
                self._metrics.add(metrics_row(event))
            if isinstance(event, StepsDone):
                if not self._is_sample(event.elapsed_s):
                    continue
                row = {"epoch": event.epoch, "step": event.step, "loss": event.call_loss, "lr": event.lr}
                self._steps.add(json.dumps({**row, "t": event.elapsed_s}) + "\n")
            self._events.add(json.dumps(as_record(event)) + "\n")
        try:
            self._events.flush()
            self._steps.flush()
        except OSError as error:
            warned, self._failed = self._failed, True
            message = f"cannot write the logs in {self.path}: {error.strerror}; training goes on"
            return [] if warned else [Warned(message=message)]
        self._failed = False
        return []

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


def metrics_row(event: EpochDone) -> str:
    """Return the event as a line of metrics.csv: floats that read back to the same bits, nothing for None."""
    values = ((_KINDS[name], getattr(event, name)) for name in COLUMNS)
    cells = ("" if value is None else repr(int(value) if kind is int else float(value)) for kind, value in values)
    return ",".join(cells) + "\n"


def read_metrics(path: Path, epochs: int, data: str) -> tuple[EpochDone, ...]:
    """Return the rows of the first `epochs` epochs; what a kill may have left behind them is not looked at.

    A missing file has no rows. Raises `InputError` for a damaged line among those that are needed.
    """
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return ()
    rows: list[EpochDone] = []
    for number, line in enumerate(lines[1:], start=2):
        if (rows[-1].epoch if rows else -1) == epochs - 1:
            break
        try:
            row = _parse_row(line, data)
        except ValueError:
            raise InputError(
                f"line {number} of {path} is damaged: mend it, or delete the file to go on without it"
            ) from None
        if row.epoch >= epochs:
            break
        rows.append(row)
    return tuple(rows)


def _parse_row(line: bytes, data: str) -> EpochDone:
    cells = line.decode("ascii").rstrip("\r\n").split(",")
    if not line.endswith(b"\n") or len(cells) != len(COLUMNS):
        raise ValueError
    values: dict[str, Any] = {}
    for name, cell in zip(COLUMNS, cells):
        optional = _KINDS[name] == float | None
        values[name] = None if optional and not cell else int(cell) if _KINDS[name] is int else float(cell)
    loss, accuracy = values["test_loss"], values["test_accuracy"]
    rmse = math.sqrt(loss) if loss is not None and accuracy is None else None  # a regression has no accuracy
    return EpochDone(**values, data=data, test_rmse=rmse, snapshot=dict)


def leading_lines(path: Path, keep: Callable[[dict[str, Any]], bool]) -> bytes:
    """Return the lines of a JSON Lines file before the first that is torn or not to `keep`."""
    kept = b""
    if path.exists():
        for line in path.read_bytes().splitlines(keepends=True):
            try:
                if not (line.endswith(b"\n") and keep(json.loads(line))):
                    break
            except (ValueError, TypeError, AttributeError, RecursionError):
                break
            kept += line
    return kept
