"""Where a signal may raise an exception, and where Python would print the exception and lose the signal.

Python runs the handler of a signal between any two instructions: in a callback of C code, a destructor or the callback
of a weak reference too, whose exceptions go to `sys.unraisablehook` and no further.
"""

import _thread
import os
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

_MOMENT_S = 0.02
RAISED: list[int] = []  # the signals of which an exception was raised: a training that begins all the same stops


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise `KeyboardInterrupt`; where that would do harm, send the signal again in a moment."""
    if must_end(frame):
        send_again(number)
    else:
        RAISED.append(number)
        raise KeyboardInterrupt


def recover(lost: Any) -> None:
    """Send the signal again whose `KeyboardInterrupt` was lost; as `sys.unraisablehook`.

    What an interrupt left half made may not be destroyed without an error, which is not printed.
    """
    if isinstance(lost.exc_value, KeyboardInterrupt):
        send_again(signal.SIGINT)
    elif not RAISED:
        sys.__unraisablehook__(lost)


def send_again(number: int) -> None:
    """Send a signal to this process in a moment: its handler then may be another one, that of a training."""

    def send() -> None:
        time.sleep(_MOMENT_S)
        if os.name == "nt":  # there `os.kill` ends the process
            signal.raise_signal(number)
        else:
            os.kill(os.getpid(), number)  # to the process: a main thread that waits is woken

    _thread.start_new_thread(send, ())  # `threading` has locks, which the interrupted code may hold


def must_end(frame: FrameType | None) -> bool:
    """Return whether an exception in this frame would do harm, because of a function that called it.

    In a callback of llvmlite it is only printed, and LLVM then crashes; in a destructor or a callback of a weak
    reference it is only printed, and lost; in the import of an extension C code may print it and raise an
    `ImportError`; in a view that begins or ends, the terminal would be left without its cursor and without its echo.
    """
    return any(_must_end(caller) for caller in _callers(frame))


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _must_end(frame: FrameType) -> bool:
    function, module = frame.f_code.co_name, frame.f_globals.get("__name__", "")
    of_view = module.startswith("jitnet.display.") and function in ("__enter__", "__exit__")
    destroys = function == "__del__" or module in ("weakref", "_weakrefset")
    imports = frame.f_code.co_qualname in ("ExtensionFileLoader.create_module", "ExtensionFileLoader.exec_module")
    return of_view or destroys or imports or function.startswith("_raw_object_cache_")
