"""Images to predict, from files, and made to look like MNIST's.

npy, PGM and IDX are read here; everything else by Pillow, which is optional.
"""

import io
import warnings
from pathlib import Path

import numpy as np

from jitnet.data import checks
from jitnet.data.content import brief, read_file
from jitnet.data.readers import idx, npy
from jitnet.errors import InputError

LARGEST = 20_000_000  # pixels of one image
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")  # few decoders, the well-kept ones
_CONTRAST = 24  # grey levels: below it, between the darkest and the lightest pixel, there is nothing drawn
_PAPER = 0.25  # of the strongest ink: below it is paper, its shadows, and what JPEG adds


def read_images(path: str | Path) -> list[tuple[str, np.ndarray]]:
    """Read the grey images of a file, whose kind is told from its first bytes.

    Parameters
    ----------
    path : an .npy file (H, W) or (N, H, W), an IDX file plain or .gz, a PGM file (P2 or P5), or a PNG, JPEG,
        GIF, BMP, TIFF or WebP by Pillow: turned as its EXIF says, transparency over white, first frame only

    Returns
    -------
    list of (name, (H, W) uint8 array), in the file's order

    Raises
    ------
    InputError : the file is missing, damaged, of another kind or too large, or Pillow is needed and missing
    """
    path = Path(path)
    content = read_file(path)
    if not content:
        raise InputError(f"{path} is empty: expected an image")
    if content.startswith(b"\x93NUMPY"):
        return _stack(npy.decode(content, str(path)), path)
    if content.startswith((b"\x1f\x8b", b"\0\0\x08")):
        return _stack(idx.decode(content, str(path)), path)
    if content.startswith((b"P2", b"P5")):
        return [(path.name, _pgm(content, str(path)))]
    return [(path.name, _with_pillow(content, str(path)))]


def centre(image: np.ndarray, height: int = 28, width: int = 28) -> np.ndarray:
    """Prepare a drawing as MNIST's digits were: light on black, 20 pixels long, centre of mass in the middle.

    Parameters
    ----------
    image : (H, W) uint8, light on dark or dark on light (told by its border)
    height, width : of the result; the ink's longer side becomes 20/28 of the smaller one

    Returns
    -------
    (height, width) uint8. An image that already has this size and is light on dark comes back as it is.

    Raises
    ------
    InputError : the image is blank
    """
    if int(image.max()) - int(image.min()) < _CONTRAST:
        raise InputError(f"the image is blank (grey levels {image.min()} to {image.max()}): expected a drawn digit")
    paper = float(np.median(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])))
    if paper < 128 and image.shape == (height, width):
        return image.copy()
    ink = image - np.float32(paper) if paper < 128 else np.float32(paper) - image
    ink = np.maximum(ink / max(float(ink.max()), 1.0) - _PAPER, 0)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = round(min(height, width) * 20 / 28) / max(ink.shape)
    small = _resized(ink, *(max(1, round(extent * scale)) for extent in ink.shape))
    out = np.zeros((height, width), np.uint8)
    top, left = _middle(small, 0, height), _middle(small, 1, width)
    out[top : top + small.shape[0], left : left + small.shape[1]] = np.rint(small * (255 / small.max()))
    return out


def _resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the image at another size, each pixel the mean over the area it covers."""
    return _coverage(image.shape[0], height) @ image @ _coverage(image.shape[1], width).T


def _coverage(old: int, new: int) -> np.ndarray:
    """Return the (new, old) matrix of how much of each new pixel every old one covers; its rows sum to 1."""
    edges = np.arange(new + 1) * (old / new)
    start, stop = edges[:-1, None], edges[1:, None]
    pixel = np.arange(old)
    covered = np.minimum(stop, pixel + 1) - np.maximum(start, pixel)
    return (np.maximum(covered, 0) * (new / old)).astype(np.float32)


def _middle(ink: np.ndarray, axis: int, extent: int) -> int:
    """Return where the ink begins so that its centre of mass is in the middle and all of it fits.

    The middle is pixel extent / 2 counted from 0, as in MNIST: the mean over its digits is (13.99, 14.00).
    """
    mass = ink.sum(axis=1 - axis)
    centre_of_mass = float(mass @ np.arange(len(mass)) / mass.sum())
    return min(max(round(extent / 2 - centre_of_mass), 0), extent - len(mass))


def _stack(values: np.ndarray, path: Path) -> list[tuple[str, np.ndarray]]:
    if values.ndim not in (2, 3) or values.size == 0:
        raise InputError(f"{path} has shape {values.shape}: expected one image (H, W) or several (N, H, W)")
    _check_size(values.shape[-2:], str(path))
    values = checks.whole_bytes(values, str(path))
    if values.ndim == 2:
        return [(path.name, values)]
    return [(f"{path.name}[{i}]", image) for i, image in enumerate(values)]


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
            raise InputError(f"{where} has a grey level that is no number: expected {height * width} numbers") from None
    if len(levels) != height * width:
        raise InputError(f"{where} has {len(levels):,} grey levels: expected {width} x {height}, get the file again")
    if levels.min() < 0 or levels.max() > largest:
        raise InputError(f"{where} has grey levels {levels.min()} to {levels.max()}: expected 0 to {largest}")
    return np.rint(levels * (255 / largest)).astype(np.uint8).reshape(height, width)


def _pgm_header(content: bytes) -> tuple[list[bytes], bytes]:
    """Return width, height and largest level as written, and what follows the one white space behind them."""
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
            f"{where} is no npy, PGM or IDX file, and other images need Pillow: pip install 'jitnet[image]'"
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
        raise InputError(f"{where} is no image: expected npy, PGM, IDX or one of {', '.join(_FORMATS)}") from None
    except Exception as error:  # a decoder raises whatever a damaged file leads it to
        raise InputError(f"{where} cannot be decoded ({brief(error)}): expected a whole image, save it again") from None


def _grey(image, where: str) -> np.ndarray:
    """Return a Pillow image as (H, W) uint8."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would clip at 255
        levels = np.asarray(image, np.int64)
        if levels.min() < 0 or levels.max() > 65535:
            raise InputError(f"{where} has grey levels {levels.min()} to {levels.max()}: expected 8 or 16 bits")
        return (levels >> 8).astype(np.uint8)
    if image.mode == "F":
        raise InputError(f"{where} has fractional grey levels: expected 8 or 16 bits, save it so")
    colour = image.convert("RGBA")
    paper = Image.new("RGBA", colour.size, "white")
    return np.array(Image.alpha_composite(paper, colour).convert("L"))
