"""The run folder: everything about one training, in files that people, spreadsheets and resumes can read.

It is a view of events, as the terminal's are: it consumes what training yields and returns what it saved.
"""

import os
import secrets
import shutil
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from jitnet.config import Settings
from jitnet.errors import InputError
from jitnet.events import (
    CheckpointSaved,
    Diverged,
    EpochDone,
    Event,
    Interrupted,
    RunFinished,
    RunStarted,
    StepsDone,
    Tensors,
    Warned,
)
from jitnet.run.describe import description
from jitnet.run.lock import Lock
from jitnet.run.logs import RunLogs
from jitnet.run.names import check_name, find_run, publish, require_own, write_meta
from jitnet.run.schema import checkpoint_figures, read_checkpoint, read_meta, read_settings
from jitnet.storage import checkpoint
from jitnet.storage.atomic import replace_file, sync_folder
from jitnet.storage.checkpoint import Metadata, SaveError
from jitnet.storage.metadata import metadata
from jitnet.training.position import Position

STATUS: dict[type, str] = {RunFinished: "done", Interrupted: "stopped", Diverged: "diverged"}


class RunFolder:
    """One run's folder: `create` makes a new one, `open` finds an existing one, and `with` releases its lock.

    Public: `path`; `settings`; `meta`, what meta.json says; `save_failed`, whether the latest save failed.
    """

    def __init__(self, path: Path, settings: Settings, meta: dict[str, Any], lock: Lock | None, save_every_s: float):
        self.path = path
        self.settings = settings
        self.meta = meta
        self.save_failed = False
        self._lock = lock
        self._save_every_s = save_every_s
        self._start()

    def _start(self) -> None:
        self._logs = RunLogs(self.path)
        self._owed: dict[str, EpochDone | StepsDone] = {}  # by kind: the newest state that is not saved yet
        self._tried: float | None = None  # elapsed_s at the latest save, tried or done
        self._train_s = 0.0  # of the epoch at the position
        self._best = float("-inf")  # validation accuracy of best.safetensors
        self._notices: list[Event] = []  # reported when training starts

    @classmethod
    def create(
        cls,
        runs_dir: str | Path,
        title: str,
        *,
        name: str | None = None,
        settings: Settings,
        meta: dict[str, Any],
        tensors: Tensors,
        save_every_s: float = 5.0,
    ) -> "RunFolder":
        """Make the folder of a new run, with its state before the first step, and take its lock.

        It is called `name`, or after the time, the title and four random hex digits, and appears whole under
        a name that nobody had, or not at all. A checkpoint is due every `save_every_s` seconds of training.
        Raises `InputError` for a bad or taken name, and for a folder that cannot be written.
        """
        runs_dir = Path(runs_dir)
        now = datetime.now(UTC)
        stem = f"{now.astimezone():%Y%m%d-%H%M%S}-{title}"
        check_name(name if name is not None else f"{stem}-0000")
        meta = {"status": "running", **meta, "title": title, "pid": os.getpid(), "host": socket.gethostname()}
        meta["created"] = now.isoformat(timespec="microseconds")
        path = runs_dir / f".new-{secrets.token_hex(8)}"
        lock = None
        try:
            path.mkdir(parents=True)
            lock = Lock(path)
            write_meta(path, meta)
            replace_file(path / "config.toml", settings.to_toml().encode())
            RunLogs.create(path)
            checkpoint.save(path / "last.safetensors", tensors, _metadata(settings, meta, 0.0, 0.0))
            path = publish(path, runs_dir, stem, name)
            sync_folder(runs_dir)
        except BaseException as error:
            if lock is not None:
                lock.release()
            shutil.rmtree(path, ignore_errors=True)
            if isinstance(error, OSError | SaveError):
                reason = f"cannot create a run in {runs_dir}: {_reason(error)}"
                raise InputError(f"{reason}; choose another folder with --runs-dir DIR") from error
            raise
        return cls(path, settings, meta, lock, save_every_s)

    @classmethod
    def open(
        cls, run: str | Path, runs_dir: str | Path, *, lock: bool = False, save_every_s: float = 5.0
    ) -> "RunFolder":
        """Open RUN: a path, a name in `runs_dir`, or `latest`. To train in it, `lock` it, then `rewind`.

        Raises `InputError` if it is not found, damaged, or locked by another process.
        """
        path = find_run(run, runs_dir)
        held = None
        try:
            if lock:
                require_own(path, runs_dir)
                held = Lock(path)
                for litter in path.glob(".*.tmp"):  # of a kill while saving: nobody else is saving now
                    litter.unlink()
            return cls(path, read_settings(path), read_meta(path), held, save_every_s)
        except (OSError, InputError) as error:
            if held is not None:
                held.release()
            if isinstance(error, OSError):
                raise _cannot_train(path, error) from error
            raise

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.release()

    def load(self, kind: str) -> tuple[Tensors, Metadata]:
        """Read the checkpoint "last", "previous" or "best", as `checkpoint.load` does, its metadata checked too."""
        tensors, texts = read_checkpoint(self._file(kind))
        Position.from_tensors(tensors, str(self._file(kind)))  # a file of weights may have taken its place
        return tensors, texts

    def load_newest(self) -> tuple[Tensors, Metadata, Path, list[str]]:
        """Read the newest valid checkpoint: arrays, metadata, path, and a sentence for each one skipped.

        Raises `InputError` with the reasons if neither `last` nor `previous` is valid.
        """
        skipped: list[str] = []
        for kind in ("last", "previous"):
            try:
                tensors, metadata = self.load(kind)
            except InputError as error:
                skipped.append(str(error))
            else:
                warnings = [f"{reason}; an older one is used" for reason in skipped]
                return tensors, metadata, self._file(kind), warnings
        raise InputError(f"{self.path} has no valid checkpoint: {'; '.join(skipped)}")

    def change_settings(self, settings: Settings) -> None:
        """Write other settings for the rest of the run. Raises `InputError` if that fails."""
        try:
            replace_file(self.path / "config.toml", settings.to_toml().encode())
        except OSError as error:
            raise _cannot_train(self.path, error) from error
        self.settings = settings

    def rewind(self, epoch: int, step: int) -> tuple[EpochDone, ...]:
        """Cut the logs back to the position of the newest checkpoint: `epoch` epochs, `step` updates.

        A kill may have left lines that are newer, or torn. Returns the epochs that stay (without snapshots),
        for `RunStarted.history`. Raises `InputError` if metrics.csv is damaged or a log cannot be written.
        """
        try:
            rows = RunLogs.rewind(self.path, epoch, step, self.meta["data"])
        except OSError as error:
            raise _cannot_train(self.path, error) from error
        self._start()
        self._train_s = checkpoint_figures(self.load_newest()[1]).get("train_s", 0.0)
        if self._file("best").exists():
            try:
                self._best = checkpoint_figures(self.load("best")[1]).get("val_accuracy", self._best)
            except InputError as error:
                self._notices.append(Warned(message=f"{error}; the next epoch replaces it"))
        return rows

    def note_drawing(self, seconds: float) -> None:
        """Record in meta.json the time that this process spent on drawing, the cost of the view."""
        self._update_meta(drawing_s=round(self.meta.get("drawing_s", 0.0) + seconds, 3))

    def handle(self, event: Event) -> list[Event]:
        """Record the event, save what is due, and return the resulting events: `CheckpointSaved`, `Warned`.

        For the owner of the lock. The events returned are recorded already. A full or failing disk raises
        nothing: it is warned of, and the next save that is due tries again.
        """
        caused = self._logs.record(event)
        if isinstance(event, RunStarted):
            caused += self._notices
            owner = {"pid": os.getpid(), "host": socket.gethostname()}
            self.meta.pop("stop_reason", None)
            caused += self._update_meta(status="running", threads=event.threads, layer=event.layer, **owner)
        elif isinstance(event, StepsDone):
            self._train_s += event.seconds
            self._owed = {"last": event}  # not a "best" whose save failed: its state is gone
            caused += self._save() if self._is_due(event) else []
        elif isinstance(event, EpochDone):
            self._train_s = 0.0
            self._owed = {"last": event}
            if event.val_accuracy is not None and event.val_accuracy > self._best:
                self._owed["best"] = event
            caused += self._save()
        elif isinstance(event, Interrupted | RunFinished):
            caused += self._save()
        if isinstance(event, RunFinished) and event.stop_reason:
            self.meta["stop_reason"] = event.stop_reason
        if type(event) in STATUS:
            caused += self._update_meta(status=STATUS[type(event)])
        return caused + self._logs.record(*caused)

    def _is_due(self, event: StepsDone) -> bool:
        if self._tried is None:
            self._tried = event.elapsed_s - event.seconds
        return event.elapsed_s - self._tried >= self._save_every_s

    def _save(self) -> list[Event]:
        """Save what is owed, if anything is.

        The order makes a kill between any two writes harmless. An epoch's row is on the disk before any
        checkpoint past that epoch, and "best" before "last": a resume from the older "last" trains the epoch
        again, to the same bits, and writes them again.
        """
        caused: list[Event] = []
        for kind in ("best", "last"):
            if kind not in self._owed:
                continue
            event = self._owed[kind]
            self._tried = event.elapsed_s
            started = time.perf_counter()
            try:
                self._logs.sync_metrics()
                self._save_kind(kind, event)
            except (OSError, SaveError) as error:
                caused.append(Warned(message=f"{_reason(error)}; training continues and saves again later"))
                continue
            del self._owed[kind]
            path, seconds = str(self._file(kind)), time.perf_counter() - started
            caused.append(CheckpointSaved(path=path, kind=kind, epoch=event.epoch, step=event.step, seconds=seconds))
        if caused:
            self.save_failed = any(isinstance(result, Warned) for result in caused)
        return caused

    def _save_kind(self, kind: str, event: EpochDone | StepsDone) -> None:
        times = float(event.elapsed_s), float(self._train_s)
        if kind == "last":
            texts = _metadata(self.settings, self.meta, *times)
            checkpoint.save_rotating(self._file("last"), self._file("previous"), event.snapshot(), texts)
        else:
            assert isinstance(event, EpochDone) and event.val_accuracy is not None
            texts = _metadata(self.settings, self.meta, *times, val_accuracy=repr(float(event.val_accuracy)))
            checkpoint.save(self._file("best"), event.snapshot(), texts)
            self._best = event.val_accuracy

    def _update_meta(self, **changes: Any) -> list[Event]:
        self.meta.update(changes)
        try:
            write_meta(self.path, self.meta)
        except OSError as error:
            return [Warned(message=f"{_reason(error)}, so it does not say that the run is {self.meta['status']}")]
        return []

    def _file(self, kind: str) -> Path:
        return self.path / f"{kind}.safetensors"


def _metadata(settings: Settings, meta: dict[str, Any], elapsed_s: float, train_s: float, **more: str) -> Metadata:
    """Return the metadata of a checkpoint; `train_s` is that of the epoch at its position, so far."""
    return metadata(description(settings, meta), elapsed_s=repr(elapsed_s), train_s=repr(train_s), **more)


def _cannot_train(path: Path, error: OSError) -> InputError:
    return InputError(f"cannot train in {path}: {_reason(error)}; check its permissions")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot write {error.filename or 'the run folder'}: {error.strerror}"
    return str(error)
