"""Many trials at once: a table on a terminal, lines in a pipe, JSON for programs."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import IO, Protocol

from jitnet.display import choose
from jitnet.display.compiling import CompilationNotice
from jitnet.display.format import count
from jitnet.display.sink import Sink
from jitnet.display.trial_text import outcome, overview
from jitnet.events import Compiling, as_record
from jitnet.history.board import OVER, RUNNING, Board, Row
from jitnet.printing import json_text

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


class PlainTrials:
    """A line for each trial that is over, or that something happened to; now and then the progress of all."""

    def __init__(self, board: Board, stream: IO[str] | None, errors: IO[str], clock: Callable[[], float]) -> None:
        self._board, self._clock = board, clock
        self._out, self._errors = Sink(stream), Sink(errors)
        self._reported: dict[str, str] = {}
        self._notice = CompilationNotice(stream)
        self._wrote_at = clock()

    def __enter__(self) -> "PlainTrials":
        board = self._board
        trials, most = len(board.rows), max(row.epochs for row in board.rows)
        of = "of up to" if board.planned < trials * most else "of"  # where epochs vary, or some trials are cut
        self._write(f"{board.title}: {count(trials, 'trial')} {of} {count(most)} in {board.path}")
        self._write(f"  runs on {board.engine}")
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def handle(self, row: Row | None) -> None:
        """Write the lines that are due."""
        while self._board.notices:
            self._errors.line(f"warning: {self._board.notices.pop(0)}")
        if self._board.compiling is not None:
            self._notice.handle(self._board.compiling)
        if row is None:
            if self._clock() - self._wrote_at >= HEARTBEAT_S:
                self._write(self._progress())
            return
        news = f"{row.status} {row.epoch} {row.message}"
        if (row.status in OVER or row.message) and self._reported.get(row.name) != news:
            self._reported[row.name] = news
            self._write(f"{row.name}: {outcome(row)} ({overview(self._board)})")

    def _progress(self) -> str:
        if self._board.preparing:
            return "preparing data and kernels (the first run takes a while)"
        return f"{self._board.count(RUNNING)} running: {overview(self._board)}"

    def _write(self, text: str) -> None:
        self._out.line(text)
        self._wrote_at = self._clock()


class JsonTrials:
    """A line of JSON for each change: {"event": "TrialChanged", ...} with the fields of a row."""

    def __init__(self, board: Board, stream: IO[str]) -> None:
        self._board, self._out = board, Sink(stream)
        self._compiling: Compiling | None = None  # what is written already

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
        if self._board.compiling not in (None, self._compiling):
            self._compiling = self._board.compiling
            self._write(as_record(self._compiling))
        if row is not None:
            self._write({"event": "TrialChanged"} | asdict(row))

    def _write(self, record: dict) -> None:
        self._out.line(json_text(record))
