"""Images from files: npy, PGM and IDX are read here; everything else by Pillow, which is optional."""

import io
import warnings
from pathlib import Path

import numpy as np

from jitnet.data import pixels
from jitnet.data.content import brief, read_file
from jitnet.data.readers import idx, npy
from jitnet.errors import InputError

LARGEST = 20_000_000  # pixels of one image
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")  # few decoders, the well-kept ones
_CONTRAST = 24  # grey levels: with less between the darkest and the lightest pixel the colour says nothing


def read_levels(path: str | Path, rows_of: tuple[int, int] | None = None) -> list[tuple[str, np.ndarray]]:
    """Read the grey images of a file, whose kind follows from its first bytes.

    Parameters
    ----------
    path : an .npy file (H, W), (N, H, W) or (N, H, W, 1), an IDX file plain or .gz, a PGM file (P2 or P5), or a PNG,
        JPEG, GIF, BMP, TIFF or WebP by Pillow: turned as its EXIF says, transparency over white, first frame only
    rows_of : (height, width) of a network's images: rows of that many numbers are images

    Returns
    -------
    list of (name, (H, W) array of numbers as the file has them), in the file's order; the name is the path as given

    Raises
    ------
    InputError : the file is missing, damaged, of another kind or too large, or Pillow is needed and missing
    """
    name, path = str(path), Path(path)
    content = read_file(path)
    if not content:
        raise InputError(f"{path} is empty: expected an image")
    if content.startswith(b"\x93NUMPY"):
        return _stack(npy.decode(content, str(path)), name, rows_of)
    if content.startswith((b"\x1f\x8b", b"\0\0\x08")):
        return _stack(idx.decode(content, str(path)), name, rows_of)
    return [(name, decode(content, str(path)))]


def decode(content: bytes, where: str) -> np.ndarray:
    """Return the bytes of a PGM file, or of one for Pillow, as grey levels (H, W); raises `InputError`."""
    return _pgm(content, where) if content.startswith((b"P2", b"P5")) else _with_pillow(content, where)


def read_images(path: str | Path) -> list[tuple[str, np.ndarray]]:
    """Read a file as `read_levels` does; return (H, W) uint8, deeper numbers by their own full scale."""
    found = read_levels(path)
    if all(image.dtype == np.uint8 for _, image in found):
        return found
    scale = pixels.scale_of([image for _, image in found], str(path))
    return [(name, pixels.to_bytes(image, scale, str(path))) for name, image in found]


def _stack(values: np.ndarray, name: str, rows_of: tuple[int, int] | None) -> list[tuple[str, np.ndarray]]:
    if rows_of and values.size and values.ndim in (1, 2) and values.shape[-1] == rows_of[0] * rows_of[1]:
        if values.shape[-1] != 1 and values.shape != rows_of:
            values = values.reshape(-1, *rows_of) if values.ndim == 2 else values.reshape(rows_of)
    elif values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim not in (2, 3) or values.size == 0:
        rows = f", or rows of {rows_of[0] * rows_of[1]} numbers" if rows_of else ""
        hint = "; save x[:, 0]" if values.ndim == 4 and values.shape[1] == 1 else ""
        raise InputError(f"{name} has shape {values.shape}: expected one image (H, W) or several (N, H, W){rows}{hint}")
    _check_size(values.shape[-2:], name)
    if values.ndim == 2:
        return [(name, values)]
    return [(f"{name}[{i}]", image) for i, image in enumerate(values)]


def _check_size(shape: tuple[int, ...], where: str) -> None:
    height, width = shape
    if not 0 < height * width <= LARGEST:
        raise InputError(f"{where} has {width} x {height} pixels: expected 1 to {LARGEST:,}, make it smaller")


def _pgm(content: bytes, where: str) -> np.ndarray:
    try:
        fields, rest = _pgm_header(content)
        width, height, largest = (int(field) for field in fields)
    except (IndexError, ValueError):
        raise InputError(f"{where} has no sound PGM header: expected width, height and largest grey level") from None
    if not 0 < largest < 65536 or width < 0 or height < 0:
        raise InputError(f"{where} has a PGM header of {width} x {height}, largest {largest}: expected 1 to 65535")
    _check_size((height, width), where)
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


def _pgm_header(content: bytes) -> tuple[list[bytes], bytes]:
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


def _with_pillow(content: bytes, where: str) -> np.ndarray:
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise InputError(
            f"{where} is not an npy, PGM or IDX file, and other images need Pillow: pip install 'jitnet[image]'"
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a size that is checked below, or a flaw that decodes all the same
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                _check_size((image.height, image.width), where)
                return _grey(ImageOps.exif_transpose(image), where)
    except InputError:
        raise
    except Image.DecompressionBombError:  # beyond Pillow's own limit, which is higher
        raise InputError(f"{where} has too many pixels: expected at most {LARGEST:,}, make it smaller") from None
    except UnidentifiedImageError:
        raise InputError(f"{where} is not an image: expected npy, PGM, IDX or one of {', '.join(_FORMATS)}") from None
    except Exception as error:  # a decoder may raise anything for a damaged file
        raise InputError(f"{where} cannot be decoded ({brief(error)}): expected a whole image, save it again") from None


def _grey(image, where: str) -> np.ndarray:
    """Return a Pillow image as (H, W) uint8, or uint16 of deeper greys; by its transparency if only that shows ink."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would clip at 255
        levels = np.asarray(image, np.int64)
        if levels.min() < 0 or levels.max() > 65535:
            raise InputError(f"{where} has grey levels {levels.min()} to {levels.max()}: expected 8 or 16 bits")
        return levels.astype(np.uint16)
    if image.mode == "F":
        raise InputError(f"{where} has fractional grey levels: expected 8 or 16 bits, save it so")
    if image.mode in ("L", "1"):
        return np.array(image.convert("L"))
    colour = image.convert("RGBA")
    over = [
        np.array(Image.alpha_composite(Image.new("RGBA", colour.size, paper), colour).convert("L"))
        for paper in ("white", "black")
    ]
    seen = [int(np.ptp(each)) for each in over]
    alpha = np.array(colour.getchannel("A"))
    drawn = int(np.ptp(alpha)) >= _CONTRAST
    channels = [np.array(colour.getchannel(name)) for name in "RGB"]
    clearest = max(channels, key=np.ptp)
    if not drawn and max(seen) < 2 * _CONTRAST and int(np.ptp(clearest)) > 3 * max(seen):
        return clearest  # colours of one luminance, as red on green
    return over[1] if drawn and seen[0] < _CONTRAST <= seen[1] else over[0]  # white ink shows on black only
