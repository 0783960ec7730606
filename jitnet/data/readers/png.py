"""PNG files without Pillow: every kind of the format but animations, as the same numbers.

Its filters predict a byte from those to the left, above, and above left. So all bytes of one diagonal, from the lower
left to the upper right, can be undone at once: NumPy needs as many steps as a picture is high and wide together.
"""

import re
import struct
import zlib
from collections.abc import Iterator

import numpy as np

from jitnet.data.content import brief
from jitnet.data.readers.levels import check_size
from jitnet.errors import InputError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOUR, _PALETTE, _GREY_ALPHA, _COLOUR_ALPHA = 0, 2, 3, 4, 6
_CHANNELS = {_GREY: 1, _COLOUR: 3, _PALETTE: 1, _GREY_ALPHA: 2, _COLOUR_ALPHA: 4}
_DEPTHS = {_GREY: (1, 2, 4, 8, 16), _PALETTE: (1, 2, 4, 8)}  # bits of a number; else 8 and 16
_WHOLE = ((0, 0, 1, 1),)  # first row, first column, and the steps between them
_INTERLACED = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
_TURNS = {  # by the orientation of EXIF: whether rows and columns change places, then whether each is reversed
    2: (False, False, True), 3: (False, True, True), 4: (False, True, False), 5: (True, False, False),
    6: (True, False, True), 7: (True, True, True), 8: (True, True, False),
}  # fmt: skip
_XMP = b"XML:com.adobe.xmp\0"


def decode(content: bytes, where: str) -> np.ndarray:
    """Return the picture of a PNG file: greys (H, W) uint8, of 16 bits uint16, or RGBA (H, W, 4) uint8.

    Of colours of 16 bits the upper 8 are kept. Raises `InputError`, also for what only Pillow reads.
    """
    try:
        return _decode(content, where)
    except (ValueError, LookupError, struct.error, zlib.error) as error:
        raise InputError(f"{where} cannot be decoded ({brief(error)}): expected a whole image, save it again") from None


def _decode(content: bytes, where: str) -> np.ndarray:
    found: dict[bytes, bytes] = {}
    for kind, data in _chunks(content):
        if kind == b"acTL" or data.startswith(b"Raw profile type exif\0") or data.startswith(_XMP + b"\1"):
            what = "an animation" if kind == b"acTL" else "a picture with packed notes on how it is turned"
            raise InputError(f"{where} is {what}, which needs Pillow: pip install 'jitnet[image]'")
        if kind == b"iTXt" and data.startswith(_XMP):
            kind = _XMP
        found[kind] = found.get(kind, b"") + data if kind == b"IDAT" else data
    width, height, depth, colour, packing, filtering, interlace = struct.unpack(">IIBBBBB", found[b"IHDR"])
    if colour not in _CHANNELS or depth not in _DEPTHS.get(colour, (8, 16)) or packing or filtering or interlace > 1:
        raise ValueError(f"kind {colour}, {depth} bits, {packing}, {filtering}, {interlace} is none of PNG")
    check_size((height, width), where)
    numbers = _numbers(found[b"IDAT"], height, width, _CHANNELS[colour], depth, _INTERLACED if interlace else _WHOLE)
    picture = _picture(numbers, colour, depth, found.get(b"PLTE", b""), found.get(b"tRNS"))
    swap, down, across = _TURNS.get(_orientation(found), (False, False, False))
    picture = picture.swapaxes(0, 1) if swap else picture
    return np.ascontiguousarray(picture[:: -1 if down else 1, :: -1 if across else 1])


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the data of each chunk, all of whose sums agree; the first has the head of the picture."""
    at = len(SIGNATURE)
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        data = content[at + 8 : at + 8 + length]
        (check,) = struct.unpack_from(">I", content, at + 8 + length)
        if check != zlib.crc32(kind + data):
            raise ValueError(f"the sum of {kind.decode('latin-1')!r} does not agree")
        yield kind, data
        if kind == b"IEND":
            break
        at += 12 + length


def _numbers(packed: bytes, height: int, width: int, channels: int, depth: int, passes) -> np.ndarray:
    """Return the numbers (height, width, channels) of a picture, uint8, or uint16 of 16 bits, from compressed rows."""
    parts = []  # of each pass: its place, its number of rows and columns, and the bytes of a row
    for row, column, down, across in passes:
        rows, columns = -(-(height - row) // down), -(-(width - column) // across)
        if rows > 0 and columns > 0:
            parts.append((row, column, down, across, rows, columns, (columns * channels * depth + 7) // 8))
    total = sum(rows * (1 + length) for *_, rows, _, length in parts)
    unpacked = zlib.decompressobj().decompress(packed, total)
    if len(unpacked) < total:
        raise ValueError(f"{len(unpacked):,} of {total:,} bytes")
    out = np.empty((height, width, channels), np.uint16 if depth == 16 else np.uint8)
    at = 0
    for row, column, down, across, rows, columns, length in parts:
        lines = np.frombuffer(unpacked, np.uint8, rows * (1 + length), at).reshape(rows, 1 + length)
        at += lines.size
        octets = _unfiltered(lines, max(1, channels * depth // 8))
        if depth == 16:
            values = octets.view(">u2")
        elif depth == 8:
            values = octets
        else:
            shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
            values = (octets[..., None] >> shifts & (1 << depth) - 1).reshape(rows, -1)
        out[row::down, column::across] = values[:, : columns * channels].reshape(rows, columns, channels)
    return out


def _unfiltered(lines: np.ndarray, size: int) -> np.ndarray:
    """Return the bytes (H, L) uint8 of filtered rows (H, 1 + L) uint8, which begin with their filter.

    A pixel has `size` bytes, or one byte has several pixels.
    """
    filters, rows = lines[:, :1], np.ascontiguousarray(lines[:, 1:])
    if int(filters.max()) > 4:
        raise ValueError(f"filter {filters.max()}")
    if not filters.any():
        return rows
    height, width = len(rows), rows.shape[1] // size
    filtered = rows.reshape(-1, size)  # the pixels of a diagonal are `width - 1` apart
    out = np.empty((height * width, size), np.uint8)
    before, last, here = (np.zeros((1 + height, size), np.int16) for _ in range(3))  # diagonals; 0 is above the picture
    to_left, to_above, to_mean, to_nearest = (filters == kind for kind in (1, 2, 3, 4))
    for diagonal in range(height + width - 1):
        first, stop = max(0, diagonal - width + 1), min(height, diagonal + 1)
        part, upper, lower = slice(first, stop), slice(first, stop), slice(first + 1, stop + 1)
        left, above, corner = last[lower], last[upper], before[upper]
        to_corner = np.abs(left + above - 2 * corner)
        from_left, from_above = np.abs(above - corner), np.abs(left - corner)
        nearest = np.where(from_above <= to_corner, above, corner)
        nearest = np.where((from_left <= from_above) & (from_left <= to_corner), left, nearest)
        predicted = np.where(to_nearest[part], nearest, to_mean[part] * (left + above >> 1))
        predicted += to_left[part] * left + to_above[part] * above
        start = first * (width - 1) + diagonal
        pixels = slice(start, start + (stop - first - 1) * (width - 1) + 1, width - 1 or 1)
        np.bitwise_and(predicted + filtered[pixels], 255, out=here[lower])
        out[pixels] = here[lower]
        before, last, here = last, here, before
    return out.reshape(height, -1)


def _picture(numbers: np.ndarray, colour: int, depth: int, palette: bytes, clear: bytes | None) -> np.ndarray:
    """Return numbers (H, W, C) as greys (H, W) or RGBA (H, W, 4): `clear` says which of them are transparent."""
    if colour == _PALETTE:
        colours = np.zeros((256, 4), np.uint8)
        colours[:, 3] = 255
        colours[: len(palette) // 3, :3] = np.frombuffer(palette, np.uint8).reshape(-1, 3)
        colours[: len(clear or b""), 3] = np.frombuffer(clear or b"", np.uint8)
        return colours[numbers[..., 0]]
    if colour == _GREY and (clear is None or depth == 16):
        return numbers[..., 0] if depth == 16 else numbers[..., 0] * np.uint8(255 // ((1 << depth) - 1))
    opaque = np.full((*numbers.shape[:2], 1), 255, np.uint8)
    if clear is not None and colour in (_GREY, _COLOUR):
        value = struct.unpack(f">{numbers.shape[2]}H", clear[: 2 * numbers.shape[2]])
        opaque[(numbers == value).all(axis=2)] = 0
    if depth == 16:
        numbers = (numbers >> 8).astype(np.uint8)
    elif depth < 8:
        numbers = numbers * np.uint8(255 // ((1 << depth) - 1))
    if colour in (_GREY_ALPHA, _COLOUR_ALPHA):
        numbers, opaque = numbers[..., :-1], numbers[..., -1:]
    return np.concatenate((np.broadcast_to(numbers, (*numbers.shape[:2], 3)), opaque), axis=2)


def _orientation(chunks: dict[bytes, bytes]) -> int:
    """Return how a picture is turned, 1 to 8 as EXIF numbers it: by EXIF, else by XMP, else 1."""
    exif = chunks.get(b"eXIf", b"").removeprefix(b"Exif\0\0")
    if exif:
        order = "<" if exif.startswith(b"II") else ">"
        (table,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, table)
        for entry in range(table + 2, table + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, entry)
            if tag == 0x0112 and kind == 3:
                return value
    noted = re.search(rb'tiff:Orientation(?:="|>)([0-9])', chunks.get(_XMP, b""))
    return int(noted[1]) if noted else 1
