"""A decoded picture, (H, W) of greys or (H, W, 4) of RGBA, and what a network is shown of it: greys, or channels."""

import numpy as np

from jitnet.errors import InputError

LARGEST = 20_000_000  # pixels of one picture
_CONTRAST = 24  # grey levels: with less between the darkest and the lightest pixel the colour says nothing
_BAND = 1_000_000  # pixels that are laid over paper at a time, whose products have four bytes


def check_size(shape: tuple[int, int], where: str, most: int | None = None) -> None:
    """Raise `InputError` unless a picture of (height, width) has 1 to `most` pixels, by default `LARGEST`."""
    height, width = shape
    most = LARGEST if most is None else most
    if not 0 < height * width <= most:
        raise InputError(f"{where} has {width} x {height} pixels: expected 1 to {most:,}, make it smaller")


def grey(picture: np.ndarray) -> np.ndarray:
    """Return a decoded picture as (H, W): greys as they are, RGBA by its transparency if only that shows the ink.

    Opacity is laid over white, except where the ink is white: that shows on black only.
    """
    if picture.ndim == 2:
        return picture
    opaque = int(picture[..., 3].min()) == 255  # then no paper shows
    over = [_luminance(_over(picture, paper)) for paper in ((255,) if opaque else (255, 0))]
    seen = [int(np.ptp(each)) for each in over]
    drawn = int(np.ptp(picture[..., 3])) >= _CONTRAST
    clearest = max((picture[..., channel] for channel in range(3)), key=np.ptp)
    if not drawn and max(seen) < 2 * _CONTRAST and int(np.ptp(clearest)) > 3 * max(seen):
        return np.ascontiguousarray(clearest)  # colours of one luminance, as red on green
    return over[-1] if drawn and seen[0] < _CONTRAST <= seen[-1] else over[0]  # white ink shows on black only


def channels(picture: np.ndarray, count: int, where: str) -> np.ndarray:
    """Return a decoded picture as (H, W, count) uint8: over white, or with opacity as the last of 2 or 4 channels.

    Raises `InputError` for greys of more than 8 bits.
    """
    if picture.dtype != np.uint8:
        raise InputError(f"{where} has grey levels of more than 8 bits: expected colours, as in training, save it so")
    if picture.ndim == 2:
        picture = np.dstack([picture] * 3 + [np.full_like(picture, 255)])
    if count == 4:
        return picture
    if count == 2:
        return np.dstack((_luminance(picture[..., :3]), picture[..., 3]))
    return np.ascontiguousarray(_over(picture, 255))


def _over(picture: np.ndarray, paper: int) -> np.ndarray:
    """Return RGBA (H, W, 4) over paper of one grey level, as (H, W, 3) uint8: rounded to the nearest."""
    if int(picture[..., 3].min()) == 255:
        return picture[..., :3]
    out = np.empty((*picture.shape[:2], 3), np.uint8)
    step = max(1, _BAND // picture.shape[1])
    for top in range(0, len(picture), step):
        band = picture[top : top + step].astype(np.uint32)
        opacity = band[..., 3:]
        out[top : top + step] = (band[..., :3] * opacity + paper * (255 - opacity) + 127) // 255
    return out


def _luminance(colours: np.ndarray) -> np.ndarray:
    """Return the luminance (H, W) uint8 of colours (H, W, 3) uint8: ITU-R 601, with 16 bits of fraction."""
    red, green, blue = (colours[..., channel].astype(np.uint32) for channel in range(3))
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(np.uint8)
