"""Replace a file so that a crash at any moment leaves the old one or the new one, never a part of either.

A leaf. A kill keeps what the system has accepted; a power loss keeps only what was synced.
"""

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path


def replace_file(path: Path, data: bytes, *, keep: Path | None = None) -> None:
    """Make `data` the contents of `path`: written next to it, synced, read back, and renamed.

    With `keep`, the old file is found under that name afterwards. Raises `OSError`, leaving no litter; also for a
    device or a pipe, which a rename would remove.
    """
    _require_regular(path)
    temporary = _temporary(path)
    try:
        _write(temporary, data)
        if temporary.read_bytes() != data:
            raise OSError(errno.EIO, "the file reads back different from what was written")
        if keep is not None:
            _give_second_name(path, keep)
        os.replace(temporary, path)
        sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            error.filename = str(path)  # an fsync names no file, and the temporary name would tell the user nothing
        raise


def replace_text(path: Path, text: str) -> None:
    """Make a text the contents of `path`, as `replace_file` does. Bytes of names that are not UTF-8 are escaped."""
    replace_file(path, text.encode("utf-8", "backslashreplace"))


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power loss, as far as its file system can. Raises `OSError`."""
    if os.name == "nt":  # a folder cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # what some network file systems answer: they have no such operation
            raise
    finally:
        os.close(descriptor)


def _require_regular(path: Path) -> None:
    """Raise `OSError` if something is at `path`, or where a link there leads, that is neither a file nor a folder."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or path.parent == Path("/dev"):  # /dev/stdout is a link
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def _temporary(path: Path) -> Path:
    """Return an unused name in the folder of `path`: a rename is atomic only within one file system."""
    if not path.name:  # "." or "/"
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")


def _write(path: Path, data: bytes) -> None:
    """Write a new file down to the disk. A failed fsync may have dropped data: it is never tried twice."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _give_second_name(path: Path, name: Path) -> None:
    """Make `name` another name of the file at `path`, which never vanishes from there."""
    link = _temporary(name)
    try:
        os.link(path, link)
    except OSError:  # no hard links on this file system: `path` is away until the caller replaces it
        os.replace(path, name)
        return
    try:
        os.replace(link, name)
    finally:  # renaming a file onto another name of itself does nothing, and would leave the link
        with contextlib.suppress(OSError):
            os.unlink(link)
