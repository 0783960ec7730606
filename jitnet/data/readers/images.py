"""Images from files: npy, PGM and IDX are read here; everything else by Pillow, which is optional."""

import io
import math
import warnings
from pathlib import Path

import numpy as np

from jitnet.data import pixels
from jitnet.data.content import brief, read_file
from jitnet.data.readers import idx, npy
from jitnet.errors import InputError

LARGEST = 20_000_000  # pixels of one image
_PHOTO = 100_000_000  # pixels of one that Pillow reads: from `LARGEST` on it is made smaller
_MOST_PAGES = 5  # times `LARGEST`: the pixels of all images of a file
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")  # few decoders, the well-kept ones
_TINT = 48  # levels between a pixel's channels: from here on it has a colour
_COLOURED = 0.02  # of the pixels have a colour in a picture that has
_CONTRAST = 24  # grey levels: with less between the darkest and the lightest pixel the colour says nothing


def read_levels(path: str | Path, like: tuple[int, int, int] | None = None) -> list[tuple[str, np.ndarray]]:
    """Read the images of a file, whose kind follows from its first bytes.

    Parameters
    ----------
    path : an .npy file (H, W), (N, H, W) or (N, H, W, 1), an IDX file plain or .gz, a PGM file (P2 or P5), or a PNG,
        JPEG, GIF, BMP, TIFF or WebP by Pillow: turned as its EXIF says, transparency over white, all pages and frames
    like : (height, width, channels) of a network's images: rows of that many numbers are images, and of several
        channels the colours are read

    Returns
    -------
    list of (name, array of numbers as the file has them), in the file's order: (H, W), or (H, W, C) of C > 1 channels.
        The name is the path as given

    Raises
    ------
    InputError : the file is missing, damaged, of another kind or too large, or Pillow is needed and missing
    """
    name, path = str(path), Path(path)
    content = read_file(path)
    if not content:
        raise InputError(f"{path} is empty: expected an image")
    if content.startswith(b"\x93NUMPY"):
        return _stack(npy.decode(content, str(path)), name, like)
    if content.startswith((b"\x1f\x8b", b"\0\0\x08")):
        return _stack(idx.decode(content, str(path)), name, like)
    if content.startswith(b"PK\x03\x04"):
        raise InputError(f"{path} is an archive: expected images, save an array alone by np.save, or unpack a zip file")
    found = _decode_all(content, str(path), like[2] if like else 1)
    return [(f"{name}[{i}]" if len(found) > 1 else name, image) for i, image in enumerate(found)]


def decode(content: bytes, where: str, channels: int = 1) -> np.ndarray:
    """Return the bytes of a PGM file, or of one for Pillow, as grey levels (H, W), or with more channels (H, W, C).

    Two are grey and how opaque it is, three are red, green and blue, and four are all of these. Raises `InputError`,
    also for a file of several pictures.
    """
    found = _decode_all(content, where, channels)
    if len(found) > 1:
        raise InputError(f"{where} holds {len(found)} pictures: expected one in each file, save them apart")
    return found[0]


def _decode_all(content: bytes, where: str, channels: int) -> list[np.ndarray]:
    """Return the pictures of a file as `decode` does, of pages or an animation all."""
    if not content.startswith((b"P2", b"P5")):
        return _with_pillow(content, where, channels)
    grey = _pgm(content, where)
    return [grey if channels == 1 else _with_opacity(np.repeat(grey[..., None], channels, axis=2))]


def colour_note(contents: list[bytes], where: str) -> list[str]:
    """Return a note if a picture that can be read has more than greys and the tints of paper and light."""
    for content in contents:
        try:
            colours = decode(content, where, 3)
        except InputError:
            continue
        if float((np.ptp(colours, axis=2) > _TINT).mean()) > _COLOURED:
            return [
                f"the pictures of {where} have colours, which become grey: save arrays (N, H, W, 3) to learn from these"
            ]
    return []


def read_images(path: str | Path) -> list[tuple[str, np.ndarray]]:
    """Read a file as `read_levels` does; return (H, W) uint8, deeper numbers by their own full scale."""
    found = read_levels(path)
    if all(image.dtype == np.uint8 for _, image in found):
        return found
    scale = pixels.scale_of([image for _, image in found], str(path))
    return [(name, pixels.to_bytes(image, scale, str(path))) for name, image in found]


def _stack(values: np.ndarray, name: str, like: tuple[int, int, int] | None) -> list[tuple[str, np.ndarray]]:
    """Return the images of an array by their names, as `read_levels` describes; raises `InputError`."""
    height, width, channels = like or (0, 0, 1)
    image = (height, width) if channels == 1 else (height, width, channels)
    size, deep = height * width * channels, len(image)
    if values.ndim in (1, 2) and values.size and values.shape[-1] == size > 1 and values.shape != image:
        values = values.reshape(*values.shape[:-1], *image)
    elif values.shape == (size, 1) and size > 1:
        values = values.reshape(image)
    elif channels == 1 and values.ndim > 2 and (values.ndim == 4 or values.shape[:2] == image or _is_wide(values)):
        first = values[..., :1]
        values = first[..., 0] if values.shape[-1] in (1, 3) and (values == first).all() else values
    if (
        values.size == 0
        or values.ndim not in (deep, deep + 1)
        or (channels > 1 and values.shape[-1] != channels)
        or (channels == 1 and values.ndim == 3 and (_is_wide(values) or _is_last(values, image)))
    ):
        raise InputError(f"{name} has shape {values.shape}: {_expected(values, like)}")
    _check_size(values.shape[values.ndim - deep :][:2], name)
    if values.ndim == deep:
        return [(name, values)]
    return [(f"{name}[{i}]", image) for i, image in enumerate(values)]


def _is_wide(values: np.ndarray) -> bool:
    """Whether an array (H, W, C) is one image with colours, and not a stack of images that are very narrow."""
    return values.shape[-1] in (3, 4) and min(values.shape[:2]) > values.shape[-1]


def _is_last(values: np.ndarray, image: tuple[int, ...]) -> bool:
    """Whether the images of a stack are along its last axis and not its first."""
    return values.shape[:2] == image and values.shape[2] != image[1]


def _expected(values: np.ndarray, like: tuple[int, int, int] | None) -> str:
    """Return which shapes an array may have, and how this one can be brought to one."""
    height, width, channels = like or (0, 0, 1)
    last = "" if channels == 1 else f", {channels}"
    rows = f", or rows of {height * width * channels} numbers" if like else ""
    hint = ""
    if channels == 1 and values.ndim in (3, 4) and values.shape[-1] in (3, 4):
        hint = "; colours become grey by x[..., :3].mean(axis=-1)"
    elif channels == 1 and values.ndim == 3 and _is_last(values, (height, width)):
        hint = "; the images are along the last axis, save np.moveaxis(x, -1, 0)"
    elif channels == 1 and values.ndim == 4 and values.shape[1] == 1:
        hint = "; save x[:, 0]"
    elif channels > 1 and values.ndim in (3, 4) and values.shape[-3] == channels:
        hint = "; the channels come last, save np.moveaxis(x, -3, -1)"
    elif channels > 1 and values.ndim in (2, 3):
        hint = f"; the network was trained on {channels} channels"
    return f"expected one image (H, W{last}) or several (N, H, W{last}){rows}{hint}"


def _check_size(shape: tuple[int, ...], where: str, most: int = LARGEST) -> None:
    height, width = shape
    if not 0 < height * width <= most:
        raise InputError(f"{where} has {width} x {height} pixels: expected 1 to {most:,}, make it smaller")


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


def _with_pillow(content: bytes, where: str, channels: int) -> list[np.ndarray]:
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
                _check_size((image.height, image.width), where, _PHOTO)
                found = []
                for frame in range(_frames(image, where)):
                    image.seek(frame)
                    _check_size((image.height, image.width), where, _PHOTO)
                    turned = _smaller(ImageOps.exif_transpose(image))
                    found.append(_grey(turned, where) if channels == 1 else _colours(turned, where, channels))
                return found
    except InputError:
        raise
    except Image.DecompressionBombError:  # beyond Pillow's own limit, which is higher
        raise InputError(f"{where} has too many pixels: expected at most {_PHOTO:,}, make it smaller") from None
    except UnidentifiedImageError:
        raise InputError(f"{where} is not an image: expected npy, PGM, IDX or one of {', '.join(_FORMATS)}") from None
    except Exception as error:  # a decoder may raise anything for a damaged file
        raise InputError(f"{where} cannot be decoded ({brief(error)}): expected a whole image, save it again") from None


def _smaller(image):
    """Return a Pillow image at a half, a third and so on of its size, so that it has at most `LARGEST` pixels."""
    part = math.ceil(math.sqrt(image.height * image.width / LARGEST))
    if part == 1:
        return image
    return (image.convert("RGBA") if image.mode in ("1", "P", "PA") else image).reduce(part)


def _frames(image, where: str) -> int:
    """Return how many pictures a Pillow image holds: pages, or those of an animation; a camera's JPEG is one."""
    frames = 1 if image.format in ("JPEG", "MPO") else int(getattr(image, "n_frames", 1))
    if frames * image.height * image.width > _MOST_PAGES * LARGEST:
        raise InputError(
            f"{where} holds {frames} pictures of {image.width} x {image.height} pixels: expected at most "
            f"{_MOST_PAGES * LARGEST:,} pixels in all, save fewer of them"
        )
    return frames


def _colours(image, where: str, channels: int) -> np.ndarray:
    """Return a Pillow image as (H, W, C) uint8 of C > 1 channels; without one of opacity, over white."""
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":
        raise InputError(f"{where} has grey levels of more than 8 bits: expected colours, as in training, save it so")
    colour = image.convert("RGBA")
    if channels in (2, 4):
        return np.array(colour.convert("LA") if channels == 2 else colour)
    return np.array(Image.alpha_composite(Image.new("RGBA", colour.size, "white"), colour).convert("RGB"))


def _with_opacity(levels: np.ndarray) -> np.ndarray:
    """Return levels (H, W, C) uint8 whose last channel, if it is one of opacity, is full."""
    if levels.shape[2] in (2, 4):
        levels[..., -1] = 255
    return levels


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
