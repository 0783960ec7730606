"""A notice that kernels are compiled, where nothing else shows it: once it takes more than a second."""

from typing import IO

from jitnet.display.format import about_left
from jitnet.display.sink import Sink
from jitnet.events import Compiling, Event

LONG_S = 1.0
_CLEAR = "\r\x1b[K"  # back to the start of the line, and nothing in it


class CompilationNotice:
    """Writes to `stream`: on a terminal a line that counts down and goes away, elsewhere a line that stays."""

    def __init__(self, stream: IO[str] | None) -> None:
        self._out = Sink(stream)
        self._live = self._out.isatty()
        self._shown = False

    def handle(self, event: Event) -> None:
        """Take in an event of any kind; only compilation that is not loaded from the cache is shown."""
        if not isinstance(event, Compiling) or event.cached:
            return
        if event.index >= event.total:
            if self._shown and self._live:
                self._out.write(_CLEAR)
                self._out.flush()
            self._shown = False
        elif event.seconds >= LONG_S and (self._live or not self._shown):
            text = f"jitnet compiles its kernels{about_left(event.left_s)}; this happens once, later starts load them"
            if self._live:
                self._out.write(f"{_CLEAR}{text}")
                self._out.flush()
            else:
                self._out.line(text)
            self._shown = True
