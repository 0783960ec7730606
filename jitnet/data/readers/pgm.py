"""PGM files, P2 and P5: the plainest format of grey pictures."""

import numpy as np

from jitnet.data.readers.levels import check_size
from jitnet.errors import InputError


def decode(content: bytes, where: str) -> np.ndarray:
    """Return the picture of a PGM file as grey levels (H, W) uint8; raises `InputError`."""
    try:
        fields, rest = _header(content)
        width, height, largest = (int(field) for field in fields)
    except (IndexError, ValueError):
        raise InputError(f"{where} has no sound PGM header: expected width, height and largest grey level") from None
    if not 0 < largest < 65536 or width < 0 or height < 0:
        raise InputError(f"{where} has a PGM header of {width} x {height}, largest {largest}: expected 1 to 65535")
    check_size((height, width), where)
    if content.startswith(b"P5"):
        kind = np.dtype(">u2" if largest > 255 else "u1")
        rest = rest[: height * width * kind.itemsize]
        levels = np.frombuffer(rest[: len(rest) // kind.itemsize * kind.itemsize], kind).astype(np.int64)
    else:
        try:
            levels = np.array(rest.split(), np.int64)
        except (ValueError, OverflowError):
            raise InputError(
                f"{where} has a grey level that is not a number: expected {height * width} numbers"
            ) from None
    if len(levels) != height * width:
        raise InputError(f"{where} has {len(levels):,} grey levels: expected {width} x {height}, get the file again")
    if levels.min() < 0 or levels.max() > largest:
        raise InputError(f"{where} has grey levels {levels.min()} to {levels.max()}: expected 0 to {largest}")
    return np.rint(levels * (255 / largest)).astype(np.uint8).reshape(height, width)


def _header(content: bytes) -> tuple[list[bytes], bytes]:
    """Return width, height and largest level as written, and what follows the one white space after them."""
    fields: list[bytes] = []
    at = 2
    while len(fields) < 3:
        if content[at : at + 1].isspace():
            at += 1
        elif content[at] == ord("#"):
            at = content.index(b"\n", at)
        else:
            word = content[at : at + 20].split(maxsplit=1)[0].split(b"#")[0]
            fields.append(word)
            at += len(word)
    return fields, content[at + 1 :]
