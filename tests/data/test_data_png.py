"""PNG files without Pillow: every kind of the format, with the same result as Pillow's, and what is refused."""

import itertools
import struct
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitnet.data.readers import images, png
from jitnet.errors import InputError

pillow = pytest.importorskip("PIL.Image")

KINDS = [(colour, depth) for colour in png._CHANNELS for depth in png._DEPTHS.get(colour, (8, 16))]
PILLOW_ERRS = {(0, 2), (0, 4), (2, 16)}  # in which of these is transparent: it compares the file's number with 8 bits


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))


def png_file(width, height, kind, rows: bytes, *, interlace=0, before=(), after=(), pieces=1) -> bytes:
    """Return a PNG file of filtered rows, with chunks (kind, data) before and after those of the picture."""
    colour, depth = kind
    packed = zlib.compress(rows, 1)
    cuts = [len(packed) * piece // pieces for piece in range(pieces + 1)]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)), *before]
    chunks += [(b"IDAT", packed[start:stop]) for start, stop in itertools.pairwise(cuts)]
    return png.SIGNATURE + b"".join(chunk(*each) for each in (*chunks, *after, (b"IEND", b"")))


def row_lengths(width, height, kind, interlace) -> list[int]:
    """Return the bytes of each row of a file, in its order, without that of the filter."""
    passes = png._INTERLACED if interlace else png._WHOLE
    bits = png._CHANNELS[kind[0]] * kind[1]
    lengths = []
    for row, column, down, across in passes:
        columns = len(range(column, width, across))
        lengths += [(columns * bits + 7) // 8 for _ in range(row, height, down) if columns]
    return lengths


def orientation(value: int) -> bytes:
    return b"MM\0*\0\0\0\x08\0\x02" + struct.pack(">HHIHHHHIHHI", 0x100, 3, 1, 9, 0, 0x112, 3, 1, value, 0, 0)


@st.composite
def files(draw) -> bytes:
    """A PNG file of any kind: each filter in any row, whose bytes are random, which is a picture too."""
    kind = draw(st.sampled_from(KINDS))
    width, height, interlace = draw(st.integers(1, 19)), draw(st.integers(1, 12)), draw(st.integers(0, 1))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    most = draw(st.sampled_from([2, 256]))  # few values: neighbours are equal, and some are transparent
    rows = b"".join(
        bytes([random.integers(5)]) + random.integers(0, most, length).astype(np.uint8).tobytes()
        for length in row_lengths(width, height, kind, interlace)
    )
    before, after = [], []
    if kind[0] == 3:
        before.append((b"PLTE", random.integers(0, 256, 3 << kind[1]).astype(np.uint8).tobytes()))
    if kind not in PILLOW_ERRS and kind[0] in (0, 2, 3) and draw(st.booleans()):
        values = random.integers(0, min(256, 1 << kind[1]), png._CHANNELS[kind[0]])
        few = random.integers(0, 256, random.integers(1, (1 << kind[1]) + 1)).astype(np.uint8).tobytes()
        before.append((b"tRNS", few if kind[0] == 3 else values.astype(">u2").tobytes()))
    if draw(st.booleans()):
        after.append((b"eXIf", orientation(draw(st.integers(0, 9)))))
    elif draw(st.booleans()):
        note = f'<x tiff:Orientation="{draw(st.integers(0, 9))}">'
        before.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + note.encode()))
    return png_file(
        width, height, kind, rows, interlace=interlace, before=before, after=after, pieces=draw(st.integers(1, 3))
    )


def outcome(content, channels):
    try:
        return images.decode(content, "it", channels)
    except InputError as error:
        return str(error)


@given(files(), st.integers(1, 4))
def test_every_kind_is_read_as_pillow_reads_it(content, channels):
    expected = outcome(content, channels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "PIL", None)
        found = outcome(content, channels)
    if isinstance(expected, str):
        assert found == expected and "more than 8 bits" in found
    else:
        assert found.dtype == expected.dtype and found.flags.writeable and found.flags.c_contiguous
        np.testing.assert_array_equal(found, expected)


GREYS = b"".join(bytes([row % 5]) + bytes(range(row, row + 9)) for row in range(8))
WHOLE = png_file(9, 8, (0, 8), GREYS)


def refused(content) -> str:
    with pytest.raises(InputError) as caught:
        png.decode(content, "my.png")
    assert str(caught.value).startswith("my.png ") and "\n" not in str(caught.value)
    return str(caught.value)


def test_a_damaged_file_is_refused():
    end = WHOLE.index(b"IEND") - 4
    assert png.decode(WHOLE[:end], "it").shape == (8, 9)
    for length in range(8, end):
        refused(WHOLE[:length])
    for place in range(8, end):
        refused(WHOLE[:place] + bytes([WHOLE[place] ^ 1]) + WHOLE[place + 1 :])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (png_file(9, 8, (1, 8), GREYS), "kind 1, 8 bits"),
        (png_file(9, 8, (2, 4), GREYS), "kind 2, 4 bits"),
        (png_file(9, 8, (0, 8), GREYS, interlace=2), "is none of PNG"),
        (png_file(0, 8, (0, 8), GREYS), "has 0 x 8 pixels"),
        (png_file(5000, 5000, (0, 1), GREYS), "has 5000 x 5000 pixels: expected 1 to 20,000,000, make it smaller"),
        (png_file(9, 9, (0, 8), GREYS), "80 of 90 bytes"),
        (png_file(9, 8, (0, 8), b"\5" + GREYS[1:]), "filter 5"),
        (
            png_file(9, 8, (0, 8), GREYS, before=[(b"acTL", bytes(8))]),
            "is an animation, which needs Pillow: pip install",
        ),
        (png_file(9, 8, (0, 8), GREYS, before=[(b"zTXt", b"Raw profile type exif\0\0x")]), "needs Pillow"),
        (png_file(9, 8, (0, 8), GREYS, before=[(b"eXIf", b"MM")]), "cannot be decoded"),
        (png_file(9, 8, (2, 8), GREYS * 3, before=[(b"tRNS", b"\0")]), "cannot be decoded"),
        (png_file(9, 8, (3, 8), GREYS, before=[(b"PLTE", b"\0")]), "cannot be decoded"),
    ],
)
def test_what_is_no_picture_or_needs_pillow(content, words):
    assert words in refused(content)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("optimize", [False, True])
def test_files_that_pillow_writes(tmp_path, mode, optimize):
    levels = np.add.outer(np.arange(40), np.arange(30)).astype(np.uint8) * 3
    image = pillow.fromarray(levels.astype(np.uint16) * 257 if mode == "I;16" else levels)
    (image if mode == "I;16" else image.convert(mode)).save(tmp_path / "it.png", optimize=optimize)
    content = (tmp_path / "it.png").read_bytes()
    expected = outcome(content, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "PIL", None)
        np.testing.assert_array_equal(outcome(content, 1), expected)
