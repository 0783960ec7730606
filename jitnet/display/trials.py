"""Many trials at once: a table on a terminal, lines in a pipe, JSON for programs."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import IO, Protocol

from jitnet.display import choose
from jitnet.display.live.progress import counted
from jitnet.display.sink import Sink
from jitnet.printing import json_text
from jitnet.trials.board import OVER, Board, Row

HEARTBEAT_S = 30.0


class TrialsView(Protocol):
    """What shows a board; `handle` is called with each row that changed, and with None a few times a second."""

    def __enter__(self) -> "TrialsView": ...

    def __exit__(self, *exception: object) -> None: ...

    def handle(self, row: Row | None) -> None:
        """Show that a row has changed, or that time has passed. Never raises because of a dead stream."""


def open_trials_view(
    ui: str,
    board: Board,
    stream: IO[str] | None = None,
    errors: IO[str] | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = time.monotonic,
) -> TrialsView:
    """Return the view for `ui`, as `jitnet.display.open_view` does for one run."""
    stream, errors = stream or sys.stdout, errors or sys.stderr
    kind = choose(ui, Sink(stream).isatty(), environ)
    if kind == "live":
        from jitnet.display.trial_table import TrialTable  # rich is loaded only when it is to draw

        return TrialTable(board, stream, environ, clock)
    if kind == "json":
        return JsonTrials(board, stream)
    if kind == "quiet":
        return PlainTrials(board, None, errors, clock)
    return PlainTrials(board, stream, errors, clock)


def outcome(row: Row) -> str:
    """Return what became of a trial, as a clause."""
    parts = [row.status]
    if row.epoch:
        parts.append(f"{row.epoch} epoch{'s' * (row.epoch != 1)}")
    if row.train_loss is not None:
        parts.append(f"avg loss = {row.train_loss:.6f}")
    for name, value in (("val accuracy", row.val_accuracy), ("accuracy", row.test_accuracy)):
        if value is not None:
            parts.append(f"{name} = {value:.2f}")
    if row.test_accuracy is None and row.test_loss is not None:
        parts.append(f"rmse = {row.test_loss**0.5:.6g}")
    return ", ".join(parts) + (f": {row.message}" if row.message else "")


def standing(board: Board) -> str:
    """Return how far all of it is, as a clause: how many are over, the best, the time left."""
    parts = [f"{board.count(*OVER)} of {len(board.rows)}"]
    if board.best is not None:
        parts.append(f"best {_figure(board.best)} ({board.best.name})")
    left = board.left_s()
    if left:
        parts.append(f"about {duration(left)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Return a time for people.

    >>> duration(42), duration(600), duration(9000)
    ('42 s', '10.0 minutes', '2.5 hours')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} minutes" if seconds < 6000 else f"{seconds / 3600:.1f} hours"


def _figure(row: Row) -> str:
    if row.val_accuracy is not None:
        return f"{row.val_accuracy:.2f} on validation"
    return f"{row.test_accuracy:.2f}" if row.test_accuracy is not None else f"loss {-row.figure:.6g}"


class PlainTrials:
    """A line for each trial that is over, or that something happened to; now and then how far all of it is."""

    def __init__(self, board: Board, stream: IO[str] | None, errors: IO[str], clock: Callable[[], float]) -> None:
        self._board, self._clock = board, clock
        self._out, self._errors = Sink(stream), Sink(errors)
        self._said: dict[str, str] = {}
        self._spoke_at = clock()

    def __enter__(self) -> "PlainTrials":
        board = self._board
        trials, most = len(board.rows), max(row.epochs for row in board.rows)
        of = "of up to" if board.planned < trials * most else "of"  # where epochs vary, or some trials are cut
        self._say(f"{board.title}: {trials} trial{'s' * (trials != 1)} {of} {counted(most)} in {board.path}")
        self._say(f"  runs on {board.engine}")
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def handle(self, row: Row | None) -> None:
        """Write the lines that are due."""
        while self._board.notices:
            self._errors.line(f"warning: {self._board.notices.pop(0)}")
        if row is None:
            if self._clock() - self._spoke_at >= HEARTBEAT_S:
                preparing = "data and kernels are made ready (the first run takes a while)"
                self._say(preparing if self._board.preparing else f"{self._running()} running: {standing(self._board)}")
            return
        told = f"{row.status} {row.epoch} {row.message}"
        if (row.status in OVER or row.message) and self._said.get(row.name) != told:
            self._said[row.name] = told
            self._say(f"{row.name}: {outcome(row)} ({standing(self._board)})")

    def _running(self) -> int:
        return self._board.count("running")

    def _say(self, text: str) -> None:
        self._out.line(text)
        self._spoke_at = self._clock()


class JsonTrials:
    """A line of JSON for each change: {"event": "TrialChanged", ...} with the fields of a row."""

    def __init__(self, board: Board, stream: IO[str]) -> None:
        self._board, self._out = board, Sink(stream)

    def __enter__(self) -> "JsonTrials":
        board = self._board
        self._write({"event": "TrialsPlanned", "title": board.title, "path": str(board.path),
                     "trials": [row.name for row in board.rows], "engine": board.engine})  # fmt: skip
        return self

    def __exit__(self, *exception: object) -> None:
        self._write({"event": "TrialsEnded", "rows": [asdict(row) for row in self._board.rows]})

    def handle(self, row: Row | None) -> None:
        """Write the row down."""
        while self._board.notices:
            self._write({"event": "Warned", "message": self._board.notices.pop(0)})
        if row is not None:
            self._write({"event": "TrialChanged"} | asdict(row))

    def _write(self, record: dict) -> None:
        self._out.line(json_text(record))
