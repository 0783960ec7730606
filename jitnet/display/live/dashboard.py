"""The live view: a screen that rich redraws in place, in the main thread, between compiled calls."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import IO, cast

from jitnet.display.console import safe_console
from jitnet.display.live.frame import Frame, glyphs_for
from jitnet.display.live.keys import Keys
from jitnet.display.live.painter import Painter
from jitnet.display.live.progress import DashboardState
from jitnet.display.live.screen import render, render_end
from jitnet.display.sink import Sink
from jitnet.events import Advised, Compiling, Event, RunStarted, StepsDone, Warned
from jitnet.printing import printable

# A frame is followed by a pause of 150 times its own time, so that drawing stays below 1 % of the run on any terminal.
# At most 10 a second, since more are not seen; at least one in 3 s, or the screen would look dead
# after the terminal was slow once. bench/dashboard.py measures it.
SHARE = 150.0
SHORTEST_S, LONGEST_S = 0.1, 3.0


class Dashboard:
    """Draws the run on the terminal that is `stream`; `clock` counts seconds.

    Attributes: `state`, folded from the events; `drawing_s`, seconds spent in here so far; `frames` drawn.
    """

    def __init__(
        self,
        stream: IO[str] | None,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.perf_counter,
        keyboard: IO[str] | None = None,
    ) -> None:
        self.state = DashboardState()
        self.drawing_s = 0.0
        self.frames = 0
        self._sink, self._clock = Sink(stream), clock
        self._glyphs = glyphs_for(self._sink.encoding, environ.get("TERM", ""))
        self._console = safe_console(file=cast("IO[str]", self._sink), force_terminal=True, force_interactive=True)
        if self._console.color_system in ("256", "truecolor") and not self._console.no_color:
            self._glyphs = replace(self._glyphs, greys=self._glyphs.braille)
        self._painter = Painter(self._console)
        self._keys = Keys(keyboard)
        self._size = self._console.size
        self._next_at = clock()

    @property
    def broken(self) -> bool:
        """Is the terminal gone, so that nobody sees this any more?"""
        return self._sink.broken

    def __enter__(self) -> "Dashboard":
        self._painter.start()
        self._keys.__enter__()
        self.state.keys = self._keys.heard
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the curves, all epochs and the closing lines on the screen, and give the cursor back."""
        self._painter.stop()
        self._keys.__exit__()
        size = self._console.size
        self._console.print(render_end(self.state, size.width, self._glyphs, size.height), end="", crop=False)

    def handle(self, event: Event) -> None:
        """Take in the event and draw, if it is time for that."""
        began = self._clock()
        self.state.apply(event)
        if isinstance(event, Warned | Advised):
            self._painter.erase()
            word = "warning: " if isinstance(event, Warned) else "advice: "
            line = Frame([[(word, "val"), (printable(event.message), "")]])
            self._console.print(line, end="", crop=False)  # it stays, above the screen
        touched = self._listen() or self._console.size != self._size
        if not self.broken and (touched or began >= self._next_at or self._long_wait_ahead(event)):
            self._draw()
            ended = self._clock()
            self._next_at = ended + min(max(SHARE * (ended - began), SHORTEST_S), LONGEST_S)
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

    @property
    def paused(self) -> bool:
        """Does the user want the training to pause?"""
        return self.state.paused

    def wait(self) -> None:
        """Pass a moment of a pause, and look whether it is over."""
        time.sleep(0.05)
        if self._listen() or self._console.size != self._size:
            self._draw()

    def _listen(self) -> bool:
        """Act on the keys that were pressed; returns whether there were any."""
        touched = False
        for key in self._keys.pressed():
            touched = True
            if key in "p ":
                self.state.paused = not self.state.paused
            elif key in "h?":
                self.state.help = not self.state.help
            elif key == "q":
                self.state.paused = False
                signal.raise_signal(signal.SIGINT)  # the same way out as Ctrl-C, with the same checkpoint
        return touched

    def _draw(self) -> None:
        self.frames += 1
        size = self._console.size
        if size != self._size:
            self._painter.resized(smaller=size.width < self._size.width or size.height < self._size.height)
        self._size = size
        self._painter.paint(render(self.state, size.width, size.height, self._glyphs))
