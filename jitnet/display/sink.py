"""A text stream that may die under us: a closed pipe, a full disk, a terminal that is gone."""

import functools
import os
from typing import IO

from jitnet.printing import printable, warn


@functools.cache
def _tell(why: str) -> None:
    """Warn once of an output that is lost, though several views may write to it."""
    warn(f"the output cannot be written ({why}): the training continues without it, and the exit code is 1")


class Sink:
    """Writes to `stream` until that fails once; from then on it swallows everything and `broken` is true.

    Training must outlive its audience (`jitnet train cnn | head -1`), so nothing here raises. A warning says why
    nothing more is written, unless a reader has left. Characters that the stream's encoding lacks become `?`.
    """

    def __init__(self, stream: IO[str] | None) -> None:
        self.stream = stream
        self.broken = stream is None
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        if stream is None:
            _tell("it is closed")

    def line(self, text: str) -> None:
        """Write one line and flush it. What is not printable (an escape code in a path) is escaped."""
        self.write(printable(text) + "\n")
        self.flush()

    def write(self, text: str) -> int:
        """Write text as it is."""
        if self.stream is not None and not self.broken:
            try:
                self.stream.write(text.encode(self.encoding, "replace").decode(self.encoding))
            except (OSError, ValueError) as error:  # ValueError: the stream is closed
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Hand everything written so far to the system."""
        if self.stream is not None and not self.broken:
            try:
                self.stream.flush()
            except (OSError, ValueError) as error:
                self._give_up(error)

    def isatty(self) -> bool:
        """Is this a real terminal, regardless of what the environment claims?"""
        try:
            return self.stream is not None and self.stream.isatty()
        except ValueError:
            return False

    def _give_up(self, reason: Exception) -> None:
        """Point a dead stream at the null device: what it still holds would fail again when Python exits."""
        self.broken = True
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(null, self.stream.fileno())  # type: ignore[union-attr]
            finally:
                os.close(null)
        except (OSError, ValueError):  # not a file of the system
            pass
        if not isinstance(reason, BrokenPipeError):
            _tell(str(getattr(reason, "strerror", None) or reason))
