"""Keys pressed while a run is watched: read between compiled calls, without waiting and without a thread."""

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from typing import IO, Any

try:
    import termios
    import tty
except ImportError:  # not on Windows: there Ctrl-C is the only key
    termios = tty = None  # type: ignore[assignment]

HELP = (
    ("p or space", "pause; again to continue"),
    ("q", "stop and save; `jitnet resume` continues"),
    ("h or ?", "show or hide this help"),
)


PANELS = (  # what the parts of the screen show
    ("large numbers", "test accuracy, loss of the epoch, time"),
    ("training loss", "each call; its mean is the large number"),
    ("accuracy %", "training: images before their own update"),
    ("test digits", "the first test images and largest errors"),
    ("right %", "each class; the arrow marks the worst"),
    ("confusions", "row: true class, column: taken for"),
    ("of peak", "share of what this machine can compute"),
)


class Keys:
    """The keyboard of standard input, if that is a terminal which this process may read from."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._descriptor = -1
        self._before: list[Any] | None = None
        with contextlib.suppress(OSError, ValueError, AttributeError):
            self._descriptor = (sys.stdin if stream is None else stream).fileno()

    @property
    def heard(self) -> bool:
        """Are keys read?"""
        return self._before is not None

    def __enter__(self) -> "Keys":
        if termios is not None and self._in_front():
            with contextlib.suppress(termios.error):
                self._before = termios.tcgetattr(self._descriptor)
                tty.setcbreak(self._descriptor, termios.TCSANOW)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._before is not None and self._in_front():
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)
        self._before = None

    def pressed(self) -> Iterator[str]:
        """Yield the keys that were pressed since the last call."""
        while self.heard and self._in_front() and select.select([self._descriptor], [], [], 0)[0]:
            try:
                key = os.read(self._descriptor, 1).decode("ascii", "replace")
            except OSError:
                key = ""
            if not key:  # the terminal is gone
                self._before = None
                return
            yield key

    def _in_front(self) -> bool:
        """May this process use the terminal? One in the background would be stopped by the system if it tried."""
        try:
            return os.isatty(self._descriptor) and os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except (OSError, AttributeError):
            return False
