"""A lock on a folder: one process at a time has it, and the kernel frees it when that process ends."""

import contextlib
import os
import socket
from pathlib import Path

from jitnet.errors import InputError

try:
    import fcntl
except ImportError:  # not on Windows: there the lock is a note that nobody enforces
    fcntl = None  # type: ignore[assignment]


class Lock:
    """The right to train in a run folder. A killed owner leaves nothing to clean up."""

    def __init__(self, folder: Path) -> None:
        """Take the lock. Raises `InputError`, naming its owner, or `OSError` if the folder is read-only.

        A link in its place is refused, since what it leads to would be overwritten.
        """
        self._descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            if fcntl is not None:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._descriptor, 200).decode("utf-8", "replace").strip() or "another process"
            self.release()
            raise InputError(f"{folder.name} is being trained by {owner}: wait for it, or stop it first") from None
        except OSError:  # a file system without locks
            pass
        with contextlib.suppress(OSError):  # a full disk: the note is for people, the lock holds without it
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode())

    def release(self) -> None:
        """Give the lock back; doing it twice is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_held(folder: Path) -> bool:
    """Does a process train in this folder? Where locks cannot be told, the answer is yes."""
    if fcntl is None:
        return True
    try:
        descriptor = os.open(folder / ".lock", os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return False  # a copy without the lock: nobody trains in that
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return True
    finally:
        os.close(descriptor)
    return False
