"""The view for programs: one JSON object per event and line, and nothing else on the stream."""

import math
import time
from collections.abc import Callable
from numbers import Integral, Real
from typing import IO, Any

from jitnet.display.sink import Sink
from jitnet.events import Compiling, Event, Progress, as_record
from jitnet.printing import json_text

SILENCE_S = 1.0


class JsonLines:
    """Writes each event's record to `stream` and flushes it; a sign of life only after a second of silence."""

    drawing_s = 0.0
    paused = False

    def __init__(self, stream: IO[str] | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = Sink(stream)
        self._clock = clock
        self._spoke_at = clock()
        self._compiled = -1  # index of the latest kernel of which a line was written

    @property
    def broken(self) -> bool:
        """Has the stream died, so that nobody reads these lines any more?"""
        return self._out.broken

    def __enter__(self) -> "JsonLines":
        return self

    def wait(self) -> None:
        """Nobody can pause a run from here, so this is never called."""

    def __exit__(self, *exception: object) -> None:
        pass

    def handle(self, event: Event) -> None:
        """Write the event as one line."""
        life = isinstance(event, Progress) or (isinstance(event, Compiling) and event.index == self._compiled)
        if life and self._clock() - self._spoke_at < SILENCE_S:
            return
        if isinstance(event, Compiling):
            self._compiled = event.index
        self._out.line(to_json(event))
        self._spoke_at = self._clock()


def to_json(event: Event) -> str:
    """Return the event as one line of strict JSON: a number that is not finite becomes null.

    >>> from jitnet.events import Warned
    >>> to_json(Warned(message="no cache"))
    '{"event": "Warned", "message": "no cache"}'
    """
    return json_text(_strict(as_record(event)))


def _strict(value: Any) -> Any:
    match value:
        case dict():
            return {key: _strict(item) for key, item in value.items()}
        case list() | tuple():
            return [_strict(item) for item in value]
        case bool():
            return value
        case Integral():  # numpy's numbers too
            return int(value)
        case Real():
            return float(value) if math.isfinite(value) else None
    return value
