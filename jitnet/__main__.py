"""`python -m jitnet` is the same as the `jitnet` command.

Ctrl-C counts from here on: imports take a third of a second, and what they were doing is nobody's concern.
"""

import os
import signal
from types import FrameType


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)  # nothing is open or half-written yet


def start() -> None:
    """Run the command line; before its own handlers are there, Ctrl-C ends the process without a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored by who started us
        signal.signal(signal.SIGINT, _leave)
    from jitnet.cli import process

    process()


if __name__ == "__main__":
    start()
