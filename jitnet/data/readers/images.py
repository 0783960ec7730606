"""Images from files, whose kind follows from their first bytes: arrays, and pictures as grey levels or channels."""

from pathlib import Path

import numpy as np

from jitnet.data.content import read_file
from jitnet.data.readers import idx, levels, npy, pgm, png, with_pillow
from jitnet.errors import InputError

_TINT = 48  # levels between a pixel's channels: from here on it has a colour
_COLOURED = 0.02  # of the pixels have a colour in a picture that has


def read_levels(
    path: str | Path, like: tuple[int, int, int] | None = None, coloured: list[str] | None = None
) -> list[tuple[str, np.ndarray]]:
    """Read the images of a file, whose kind follows from its first bytes.

    Parameters
    ----------
    path : an .npy file (H, W), (N, H, W) or (N, H, W, 1), an IDX file plain or .gz, a PGM file (P2 or P5), a PNG, or a
        JPEG, GIF, BMP, TIFF or WebP by Pillow: turned as its EXIF says, transparency over white, all pages and frames
    like : (height, width, channels) of a network's images: rows of that many numbers are images, and of several
        channels the colours are read
    coloured : receives the path for each picture that has colours

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
    found = _decode_all(content, str(path), like[2] if like else 1, coloured)
    return [(f"{name}[{i}]" if len(found) > 1 else name, image) for i, image in enumerate(found)]


def decode(content: bytes, where: str, channels: int = 1, coloured: list[str] | None = None) -> np.ndarray:
    """Return the bytes of a picture as grey levels (H, W), or with more channels (H, W, C).

    Two are grey and how opaque it is, three are red, green and blue, and four are all of these. `coloured` receives
    `where` if it has colours. Raises `InputError`, also for a file of several pictures.
    """
    found = _decode_all(content, where, channels, coloured)
    if len(found) > 1:
        raise InputError(f"{where} holds {len(found)} pictures: expected one in each file, save them apart")
    return found[0]


def _decode_all(content: bytes, where: str, channels: int, coloured: list[str] | None = None) -> list[np.ndarray]:
    """Return the pictures of a file as `decode` does, of pages or an animation all."""
    if content.startswith((b"P2", b"P5")):
        found = [pgm.decode(content, where)]
    elif content.startswith(png.SIGNATURE) and not with_pillow.is_there():
        found = [png.decode(content, where)]
    else:
        found = with_pillow.decode(content, where)
    if coloured is not None:
        coloured += [where for picture in found if _has_colours(picture, where)]
    if channels == 1:
        return [levels.grey(picture) for picture in found]
    return [levels.channels(picture, channels, where) for picture in found]


def _has_colours(picture: np.ndarray, where: str) -> bool:
    """Whether a decoded picture has more than greys and the tints of paper and light."""
    if picture.ndim == 2 or picture.dtype != np.uint8:
        return False
    return float((np.ptp(levels.channels(picture, 3, where), axis=2) > _TINT).mean()) > _COLOURED


def colour_note(coloured: list[str], where: str) -> list[str]:
    """Return a note about pictures with colours that were read as greys, if there are any."""
    if not coloured:
        return []
    have = f"have colours, which become grey ({len(coloured):,} of them, first {coloured[0]})"
    return [f"the pictures of {where} {have}: save arrays (N, H, W, 3) to learn from these"]


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
    levels.check_size(values.shape[values.ndim - deep :][:2], name)
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
