"""The live table of trials: the progress and the result of each, and how long all of them will take."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import IO, cast

from jitnet.display.console import safe_console
from jitnet.display.format import about_left, number, percent_number
from jitnet.display.live.frame import Frame, Glyphs, Line, bar, fit, glyphs_for, panel
from jitnet.display.live.painter import Painter
from jitnet.display.sink import Sink
from jitnet.display.trial_text import overview
from jitnet.history.board import CUT, DIVERGED, DONE, FAILED, LOST, PAUSED, RUNNING, STOPPED, WAITING, Board, Row
from jitnet.printing import printable

_TONES = {RUNNING: "loss", DONE: "accuracy", CUT: "label", PAUSED: "label", WAITING: "label", STOPPED: "val"}
_FIRST = (RUNNING, DIVERGED, FAILED, LOST, STOPPED, DONE, PAUSED, CUT, WAITING)  # what is shown if not all fits
FRAME_S = 0.2  # between two frames


def render(board: Board, width: int, height: int, glyphs: Glyphs) -> Frame:
    """Return the whole board as exactly `height` lines, or fewer if that is all there is."""
    best = board.best
    rows = _chosen(board.rows, max(1, height - 6))
    name_width = min(max((len(row.name) for row in rows), default=5), max(12, width - 56))
    names = f"  {'trial':{name_width}}  {'status':9} {'epochs':>18}  {'avg loss':>9}  {'val %':>6}  {'test %':>6}"
    body: list[Line] = [[(names, "label")], *(_row(row, name_width, row is best, glyphs) for row in rows)]
    if len(rows) < len(board.rows):
        body.append([(f"  and {len(board.rows) - len(rows)} more", "label")])
    now = "preparing data and kernels"
    if not board.preparing:
        now = f"{board.count(RUNNING)} running"
    elif board.compiling is not None and board.compiling.index < board.compiling.total:
        now = f"compiling kernels{about_left(board.compiling.left_s)}"
    lines = panel([(printable(board.title), "title")], [(now, "label")], body, width, len(body) + 2, glyphs)
    share = min(1.0, board.trained / board.planned) if board.planned else 1.0
    lines.append(
        fit(
            [(" ", ""), *bar(share, min(30, width // 3), "loss", glyphs), (f" {printable(overview(board))}", "")],
            width,
            glyphs,
        )
    )
    lines.append(fit([(f" {printable(board.path)} {glyphs.dot} {printable(board.engine)}", "label")], width, glyphs))
    return Frame(lines[:height])


def _chosen(rows: list[Row], most: int) -> list[Row]:
    """Return the rows that matter most, in their own order."""
    if len(rows) <= most:
        return rows
    order = sorted(rows, key=lambda row: (_FIRST.index(row.status), -row.figure))
    kept = {row.name for row in order[: most - 1]}
    return [row for row in rows if row.name in kept]


def _row(row: Row, name_width: int, best: bool, glyphs: Glyphs) -> Line:
    mark = f"{glyphs.best} " if best else "  "
    tone = _TONES.get(row.status, "error")
    share = row.trained / max(1, row.epochs)
    val, test = percent_number(row.val_accuracy), percent_number(row.test_accuracy)
    loss = number(row.train_loss, 6)[:9]
    return [
        (mark, "best"),
        (f"{printable(row.name)[:name_width]:{name_width}}  ", ""),
        (f"{row.status:9} ", tone),
        *bar(share, 10, tone, glyphs),
        (f" {row.epoch:>3}/{row.epochs:<3}", ""),
        (f"  {loss:>9}  {val:>6}  {test:>6}  ", "best" if best else ""),
        (printable(row.message), "label" if row.status in (RUNNING, DONE, CUT) else tone),
    ]


class TrialTable:
    """Draws the board on the terminal that is `stream`; `clock` counts seconds."""

    def __init__(
        self,
        board: Board,
        stream: IO[str],
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._board, self._clock, self._sink = board, clock, Sink(stream)
        self._glyphs = glyphs_for(self._sink.encoding, environ.get("TERM", ""))
        self._console = safe_console(file=cast("IO[str]", self._sink), force_terminal=True, force_interactive=True)
        self._painter = Painter(self._console)
        self._size = self._console.size
        self._next_at = clock()

    def __enter__(self) -> "TrialTable":
        self._painter.start()
        self._draw()
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the whole table on the screen, the best trial first, and show the cursor again."""
        self._painter.stop()
        ranked = replace(self._board, rows=self._board.ranked())
        whole = render(ranked, self._console.width, len(self._board.rows) + 8, self._glyphs)
        self._console.print(whole, end="", crop=False)

    def handle(self, row: Row | None) -> None:
        """Draw, if it is time for that."""
        while self._board.notices:
            self._painter.erase()
            line = Frame([[("warning: ", "val"), (printable(self._board.notices.pop(0)), "")]])
            self._console.print(line, end="", crop=False)  # it stays, above the table
        if not self._sink.broken and self._clock() >= self._next_at:
            self._draw()
            self._next_at = self._clock() + FRAME_S

    def _draw(self) -> None:
        size = self._console.size
        if size != self._size:
            self._painter.resized(size.width < self._size.width or size.height < self._size.height)
        self._size = size
        self._painter.paint(render(self._board, size.width, size.height - 1, self._glyphs))
