"""IDX, the format of MNIST's files: two zero bytes, a type, the number of extents, the extents, the data."""

import gzip
import io
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from jitnet.data.content import LARGEST, Stream, read_exactly, read_file, read_some, shaped
from jitnet.errors import InputError

_UBYTE = 8
_GZIP = b"\x1f\x8b"


def read(stream: Stream, where: str, largest: int = LARGEST) -> np.ndarray:
    """Read one IDX file of unsigned bytes to the stream's end.

    Parameters
    ----------
    stream : an uncompressed file, or a decompressor
    where : what to call it in an error
    largest : more data than these many bytes is refused before any is read

    Returns
    -------
    uint8 array of 1 to 4 extents, C-contiguous and writeable

    Raises
    ------
    InputError : the header lies, or the data is damaged, too short or too long
    """
    head = bytes(read_some(stream, 4, where))
    if len(head) < 4 or head[:2] != b"\0\0":
        raise InputError(f"{where} is not an IDX file: expected it to begin with two zero bytes, got {head!r}")
    kind, ndim = head[2], head[3]
    if kind != _UBYTE:
        raise InputError(f"{where} holds IDX type 0x{kind:02x}: expected 0x08 (unsigned bytes), convert it")
    if not 1 <= ndim <= 4:
        raise InputError(f"{where} announces {ndim} extents: expected 1 (labels) to 4 (colour images), check the file")
    extents = bytes(read_some(stream, 4 * ndim, where))
    if len(extents) < 4 * ndim:
        raise InputError(f"{where} ends inside its header: expected {ndim} extents of 4 bytes, get the file again")
    shape = struct.unpack(f">{ndim}I", extents)
    content = read_exactly(stream, math.prod(shape), where, largest)
    return shaped(np.frombuffer(content, np.uint8), shape, where)


def decode(content: bytes, where: str) -> np.ndarray:
    """Read an IDX file from its bytes, plain or gzipped; raises `InputError` as `read`."""
    plain = io.BytesIO(content)
    if content[:2] == _GZIP:
        with gzip.GzipFile(fileobj=plain) as stream:
            return read(stream, where)
    return read(plain, where)


def extents_of(path: Path) -> int:
    """Return how many extents the array of an IDX file has, plain or gzipped; 0 of another file."""
    try:
        with open(path, "rb") as file:
            head = file.read(4)
        if head.startswith(_GZIP):
            with gzip.open(path) as stream:
                head = stream.read(4)
    except (OSError, EOFError, zlib.error):
        return 0
    return head[3] if len(head) == 4 and head[:2] == b"\0\0" else 0


def read_path(path: Path) -> np.ndarray:
    """Read an IDX file, plain or gzipped; raises `InputError` as `read`."""
    return decode(read_file(path), str(path))
