"""Images in a notebook: digits, filters, feature maps, each with a word below it."""

from collections.abc import Iterable
from html import escape
from typing import Any

import numpy as np

from jitnet.display.png import address, signed
from jitnet.errors import InputError
from jitnet.printing import printable

MOST = 200  # images of one output


class Shown:
    """What a notebook shows as pictures; elsewhere a line says how many they are."""

    def __init__(self, pictures: list[np.ndarray], captions: list[str], size: int) -> None:
        self.pictures, self.captions, self.size = pictures, captions, size

    def __repr__(self) -> str:
        return f"{len(self.pictures)} images: a notebook shows them"

    def _repr_html_(self) -> str:
        style = "display:inline-block;text-align:center;margin:2px;font-size:11px;vertical-align:top"
        parts = []
        for pixels, caption in zip(self.pictures, self.captions):
            image = (
                f'<img src="{address(pixels)}" alt="{escape(caption) or "image"}" width="{self.size}" '
                f'style="image-rendering:pixelated;margin:0">'
            )
            parts.append(f'<span style="{style}">{image}<br>{escape(caption)}</span>')
        return f"<div>{''.join(parts)}</div>"


def show(images: Any, captions: Iterable[Any] | None = None, size: int = 64) -> Shown:
    """Return images as what a notebook shows.

    Parameters
    ----------
    images : (n, H, W) or (n, H, W, C) of 1 or 3 channels, or one image (H, W). Bytes are taken as they are, other
        numbers scaled together: from 0 to the largest as greys, or, where some are negative, from blue to orange
    captions : a word below each image
    size : width of each image on the page, in pixels

    Raises
    ------
    InputError : another shape, no image or more than 200, or not a caption for each

    Examples
    --------
    >>> show(np.zeros((3, 8, 8), np.uint8), ["a", "b", "c"])
    3 images: a notebook shows them
    """
    array = np.asarray(images)
    array = array[None] if array.ndim == 2 else array
    array = array[..., 0] if array.ndim == 4 and array.shape[-1] == 1 else array
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[-1] != 3) or not 0 < len(array) <= MOST:
        raise InputError(
            f"images have the shape {np.shape(images)}: expected 1 to {MOST} images, (n, H, W) or (n, H, W, C) of 1 or "
            "3 channels, or one image (H, W)"
        )
    words = [""] * len(array) if captions is None else [printable(each) for each in captions]
    if len(words) != len(array):
        raise InputError(f"there are {len(words)} captions: expected one for each of {len(array)} images")
    return Shown(list(_bytes(array)), words, size)


def _bytes(array: np.ndarray) -> np.ndarray:
    """Return images (n, H, W) or (n, H, W, 3) as bytes, scaled together."""
    if array.dtype == np.uint8:
        return array
    finite = np.nan_to_num(array.astype(np.float64))
    most = float(np.abs(finite).max())
    if finite.min() < 0 and finite.ndim == 3:
        return signed(finite, most)
    return (255 * np.clip(finite, 0, None) / (most or 1.0)).round().astype(np.uint8)
