"""Which view a run is shown in, decided once at its start."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import IO, Protocol

from jitnet.display.jsonlines import JsonLines
from jitnet.display.plain import Plain
from jitnet.display.sink import Sink
from jitnet.events import Event

CHOICES = ("auto", "live", "plain", "json", "quiet")


class View(Protocol):
    """What shows a run. Training calls `handle` after every compiled call, in the main thread."""

    @property
    def broken(self) -> bool:
        """Has the audience gone (a closed pipe, a full disk)? The run continues; the exit code may report it."""

    @property
    def drawing_s(self) -> float:
        """Seconds spent on drawing so far."""

    @property
    def paused(self) -> bool:
        """Does the user want the training to pause? Then `wait` is called until the pause is over."""

    def wait(self) -> None:
        """Pass a moment of a pause."""

    def __enter__(self) -> "View": ...

    def __exit__(self, *exception: object) -> None: ...

    def handle(self, event: Event) -> None:
        """Show the event. Never raises because of a dead stream."""


class Quiet:
    """Shows nothing."""

    broken = False
    paused = False
    drawing_s = 0.0

    def wait(self) -> None:
        """Never called."""

    def __enter__(self) -> "Quiet":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def handle(self, event: Event) -> None:
        """Show nothing."""


def choose(ui: str, terminal: bool, environ: Mapping[str, str]) -> str:
    """Return the view for what was asked: `auto` is live or plain, live without a terminal is plain.

    Colour and animation are decided apart: nothing that forces colour (FORCE_COLOR, TTY_COMPATIBLE=1) starts
    the live view, and NO_COLOR does not stop it. TTY_INTERACTIVE=0 or 1 overrules the guess about CI.

    >>> choose("auto", True, {"TERM": "xterm"}), choose("auto", True, {"TERM": "xterm", "CI": "true"})
    ('live', 'plain')
    """
    if ui not in CHOICES:
        raise ValueError(f"ui is {ui!r}: expected one of {', '.join(CHOICES)}")
    if ui not in ("auto", "live"):
        return ui
    capable = terminal and environ.get("TERM", "").lower() not in ("dumb", "unknown")
    if environ.get("TTY_COMPATIBLE") == "0":  # the terminal understands no escape codes
        capable = False
    watched = environ.get("CI", "").lower() in ("", "0", "false")
    if environ.get("TTY_INTERACTIVE") in ("0", "1"):
        watched = environ["TTY_INTERACTIVE"] == "1"
    return "live" if capable and (watched or ui == "live") else "plain"


def open_view(
    ui: str = "auto",
    stream: IO[str] | None = None,
    errors: IO[str] | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = time.perf_counter,
) -> View:
    """Return the view for `ui`, one of `CHOICES`, to be used as a context manager.

    It writes to `stream` (default: standard output), warnings of plain lines go to `errors` (standard error).
    Raises `ValueError` for an unknown `ui`.
    """
    stream = sys.stdout if stream is None else stream
    errors = sys.stderr if errors is None else errors
    kind = choose(ui, Sink(stream).isatty(), environ)
    if kind == "quiet":
        return Quiet()
    if kind == "json":
        return JsonLines(stream)
    if kind == "plain":
        if ui == "live":
            Sink(errors).line("warning: the live view needs a terminal, so these are plain lines")
        return Plain(stream, errors, clock)
    from jitnet.display.live.dashboard import Dashboard  # rich is loaded only when it is to draw

    return Dashboard(stream, environ, clock)
