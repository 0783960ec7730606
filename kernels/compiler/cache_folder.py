"""Folders of compiled kernels: each process holds a lock on its own, and a new one takes the place of the old ones.

A folder is obsolete when another version of the same source folder, with the same tile and Python, makes its own; and
in any case when it was not used for `UNUSED_DAYS`. A folder that a process uses is never removed: every process has a
shared lock on the note in it as long as it lives, and removing a folder takes the exclusive one.
"""

import contextlib
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: nobody can tell whether a folder is used, so only age counts
    fcntl = None  # type: ignore[assignment]

NOTE = ".in-use"  # its text says what the folder was made for, its time when it was used last
UNUSED_DAYS = 30
_NAME = re.compile(r"kernels-.+-[0-9a-f]{16}")
_held: list[int] = []  # descriptors of the locks of this process, closed by its end


def open_folder(folder: Path, made_for: str) -> bool:
    """Make a folder if need be, and lock it against removal. Returns whether it can be written.

    `made_for` tells the source folder and what else has a separate cache there. The first process in a new folder
    removes the obsolete ones next to it.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        is_new = not folder.exists()
        while not _hold(folder, made_for):
            pass
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    if is_new:
        remove_obsolete(folder, made_for)
    return True


def _hold(folder: Path, made_for: str) -> bool:
    """Take a shared lock for the life of this process; false if the folder was removed meanwhile."""
    folder.mkdir(exist_ok=True)
    try:
        descriptor = os.open(folder / NOTE, os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError:  # removed since
        return False
    with contextlib.suppress(OSError):  # a file system without locks
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        here = os.path.samestat(os.stat(folder / NOTE), os.fstat(descriptor))
    except OSError:
        here = False
    if not here:
        os.close(descriptor)
        return False
    _held.append(descriptor)
    if os.fstat(descriptor).st_size == 0:
        os.write(descriptor, made_for.encode("utf-8", "surrogateescape"))
    os.utime(folder / NOTE)
    return True


def remove_obsolete(folder: Path, made_for: str) -> None:
    """Remove the obsolete folders next to this one, as far as no process uses them."""
    with contextlib.suppress(OSError):
        for other in folder.parent.iterdir():
            if other != folder and _NAME.fullmatch(other.name) and other.is_dir() and not other.is_symlink():
                with contextlib.suppress(OSError):
                    _remove_if_obsolete(other, made_for.encode("utf-8", "surrogateescape"))


def _remove_if_obsolete(folder: Path, made_for: bytes) -> None:
    note = folder / NOTE
    if not note.exists():  # of a version that left no note
        if _days_since(folder) > UNUSED_DAYS:
            shutil.rmtree(folder)
        return
    descriptor = os.open(note, os.O_RDWR)
    try:
        is_old = _days_since(note) > UNUSED_DAYS
        if fcntl is None:
            removable = is_old
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an `OSError` if a process uses it
            removable = is_old or os.read(descriptor, 1 << 16) == made_for
        if removable:
            gone = folder.with_name(f".{folder.name}.removed-{os.getpid()}")
            folder.rename(gone)  # at once: a process that comes now makes a new one
            shutil.rmtree(gone)
    finally:
        os.close(descriptor)


def _days_since(path: Path) -> float:
    return (time.time() - path.stat().st_mtime) / 86400
