"""The live view: a screen that rich redraws in place, in the main thread, between compiled calls."""

import os
import time
from collections.abc import Callable, Mapping
from typing import IO, cast

from rich.console import Console
from rich.live import Live

from jitnet.events import Compiling, Event, RunStarted, StepsDone, Warned
from jitnet.views.frame import Frame, clean, glyphs_for
from jitnet.views.progress import DashboardState
from jitnet.views.screen import render, render_end
from jitnet.views.sink import Sink

# A frame is followed by a pause of 150 times what it took, so that drawing stays below 1 % of the run: 2 ms
# (measured at 100x40) make 3 frames a second. At most 8, since more are not seen; at least one in 3 s, or the
# screen would look dead after the terminal was slow once.
SHARE = 150.0
SHORTEST_S, LONGEST_S = 0.125, 3.0


class Dashboard:
    """Draws the run on the terminal behind `stream`; `clock` counts seconds.

    Attributes: `state`, folded from the events; `drawing_s`, seconds spent in here so far; `frames` drawn.
    """

    def __init__(
        self,
        stream: IO[str] | None,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.state = DashboardState()
        self.drawing_s = 0.0
        self.frames = 0
        self._sink, self._clock = Sink(stream), clock
        self._glyphs = glyphs_for(self._sink.encoding, environ.get("TERM", ""))
        self._console = Console(
            file=cast("IO[str]", self._sink), force_terminal=True, force_interactive=True, highlight=False
        )
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
        self._size = self._console.size
        self._next_at = clock()

    @property
    def broken(self) -> bool:
        """Is the terminal gone, so that nobody sees this any more?"""
        return self._sink.broken

    def __enter__(self) -> "Dashboard":
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the curves, all epochs and the closing lines on the screen, and give the cursor back."""
        self._stop()
        self._console.print(render_end(self.state, self._console.width, self._glyphs), end="", crop=False)

    def handle(self, event: Event) -> None:
        """Take in the event and draw, if it is time for that."""
        began = self._clock()
        self.state.apply(event)
        if isinstance(event, Warned):
            line = Frame([[("warning: ", "val"), (clean(event.message), "")]])
            self._console.print(line, end="", crop=False)  # it stays, above the screen
        if not self.broken and (began >= self._next_at or self._long_wait_ahead(event)):
            self._draw()
            ended = self._clock()
            self._next_at = ended + min(max(SHARE * (ended - began), SHORTEST_S), LONGEST_S)
            self.frames += 1
        self.drawing_s += self._clock() - began

    def _long_wait_ahead(self, event: Event) -> bool:
        """Will the next event be long in coming? Then a frame costs little, and a stale one would stay."""
        match event:
            case RunStarted():
                return True
            case Compiling():
                return not event.cached
            case StepsDone():
                return self.state.evaluating and self.state.eval_s > LONGEST_S
        return False

    def _draw(self) -> None:
        size = self._console.size
        if size.width < self._size.width or size.height < self._size.height:
            self._start_over()
        self._size = size
        self._live.update(render(self.state, size.width, size.height, self._glyphs), refresh=True)

    def _start_over(self) -> None:
        """Clear the terminal: when it shrank it wrapped our lines, and nobody knows where they are."""
        self._stop()
        self._console.clear()
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
        self._live.start()

    def _stop(self) -> None:
        """Erase the screen and give the cursor back."""
        self._live.update(Frame([]))
        self._live.stop()
