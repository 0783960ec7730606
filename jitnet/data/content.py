"""Bytes from files nobody vouches for: read with a limit, hashed as the IDX file they amount to."""

import gzip
import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from jitnet.errors import InputError

LARGEST = 2**31  # bytes of one array; a claim beyond it is refused without reading it
_CHUNK = 2**20

Report = Callable[[str, float], None]  # takes what takes a while, and how much of it is done: 0 when it begins, to 1


def silent(what: str, share: float) -> None:
    """Report to nobody."""


class Stream(Protocol):
    """What the readers need of a file or a decompressor."""

    def read(self, size: int, /) -> bytes: ...


class Part(NamedTuple):
    """One array of a data set with the hash of its content."""

    array: np.ndarray
    sha256: str


def sha256(array: np.ndarray) -> str:
    """Return the SHA-256 of the IDX file that would hold a uint8 array, so that it covers the shape too.

    >>> sha256(np.zeros((1, 2), np.uint8))[:16]
    'f443a9f8cebc1dd4'
    """
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    digest = hashlib.sha256(header)
    digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return digest.hexdigest()


def brief(error: Exception) -> str:
    """Return what a library said of a damaged file in a few printable words: some quote all of its bytes."""
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    return "".join(c if c.isprintable() else "?" for c in said[:80])


def read_file(path: Path) -> bytes:
    """Return a whole file's bytes; raises `InputError` when it cannot be read or is beyond `LARGEST`."""
    try:
        if not path.is_file():
            raise InputError(f"{path} is not a file: expected one that can be read, check the path")
        size = path.stat().st_size
        if size > LARGEST:
            raise InputError(f"{path} has {size:,} bytes: expected at most {LARGEST:,}, give a smaller file")
        return path.read_bytes()
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read {path} ({reason}): check the path and its permissions") from None


def read_some(stream: Stream, size: int, where: str) -> bytearray:
    """Read up to `size` bytes of a file or a decompressor; raises `InputError` when its input is damaged.

    Memory follows what really arrives, never the claimed size.
    """
    content = bytearray()
    try:
        while len(content) < size and (chunk := stream.read(min(_CHUNK, size - len(content)))):
            content += chunk
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise InputError(f"{where} is damaged or cut short ({error}): expected a whole file, get it again") from None
    return content


def read_exactly(stream: Stream, size: int, where: str, largest: int = LARGEST) -> bytearray:
    """Read the `size` bytes that a header announced, which must be all that is left of the stream.

    Raises `InputError` for fewer bytes, for more (reading stops one beyond), or for `size` > `largest`.
    """
    if size > largest:
        raise InputError(f"{where} announces {size:,} bytes: expected at most {largest:,}, check the file")
    content = read_some(stream, size + 1, where)
    if len(content) < size:
        raise InputError(f"{where} is cut short: expected {size:,} bytes after the header, got {len(content):,}")
    if len(content) > size:
        raise InputError(f"{where} continues after its data: expected {size:,} bytes after the header, check the file")
    return content


def unzipped(content: bytes, where: str) -> bytes:
    """Return a file's content, decompressed if it is gzipped; raises `InputError` if that is damaged or too large."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        plain = read_some(stream, LARGEST + 1, where)
    if len(plain) > LARGEST:
        raise InputError(f"{where} has more than {LARGEST:,} bytes when decompressed: expected fewer, cut it up")
    return bytes(plain)


def shaped(array: np.ndarray, shape: tuple[int, ...], where: str) -> np.ndarray:
    """Return an array in a shape of as many elements; raises `InputError` for one that no array can have.

    An extent of 0 lets the others claim anything: the size was right, and numpy still refuses.
    """
    try:
        return array.reshape(shape)
    except (ValueError, OverflowError):
        raise InputError(f"{where} announces the shape {shape}: expected a possible one, check the file") from None
