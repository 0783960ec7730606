"""Augmentation: each epoch trains on images that are changed a little, so that a network learns what does not matter.

The changes of an image depend on (seed, epoch, image) alone. An epoch's images are made before its first step, in one
pass: 60,000 digits take about a quarter of a second on two cores.
"""

import math
import re
from typing import NamedTuple

import numpy as np

from jitnet.errors import InputError


class Amounts(NamedTuple):
    """The largest change of each kind."""

    shift: float = 0.0  # pixels, along each axis
    rotate: float = 0.0  # degrees
    scale: float = 0.0  # logarithm of the factor, along each axis: 0.1 is about 10 %
    shear: float = 0.0  # columns per row
    elastic: float = 0.0  # pixels that each of 4x4 places moves along each axis


LEVELS = {
    "light": Amounts(shift=1, rotate=5, scale=0.05),
    "medium": Amounts(shift=2, rotate=10, scale=0.1, shear=0.1, elastic=1),
    "strong": Amounts(shift=3, rotate=15, scale=0.15, shear=0.2, elastic=2),
}
_LARGEST = Amounts(shift=1000, rotate=180, scale=2, shear=2, elastic=1000)


def parse(text: str) -> Amounts:
    """Read a level, or amounts as in "shift=2,rotate=10"; no change for "". Raises `InputError`.

    >>> parse("shift=2,rotate=10")
    Amounts(shift=2.0, rotate=10.0, scale=0.0, shear=0.0, elastic=0.0)
    """
    if text in LEVELS:
        return LEVELS[text]
    found: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        if name not in Amounts._fields or name in found or not re.fullmatch(r"\d+(\.\d*)?|\.\d+", value):
            raise InputError(
                f"the augmentation has {part!r}: expected none, {', '.join(LEVELS)}, or amounts such as "
                f"shift=2,rotate=10, each of {', '.join(Amounts._fields)} at most once"
            )
        found[name] = float(value)
        largest = getattr(_LARGEST, name)
        if found[name] > largest:
            raise InputError(f"the augmentation has {part!r}: expected at most {name}={largest}")
    return Amounts(**found)


def require_images(text: str, image: tuple[int, ...]) -> None:
    """Raise `InputError` if an augmentation is wanted of data that are no images (height, width, channels)."""
    if any(parse(text)) and min(image[:2]) < 2:
        raise InputError(
            f"the augmentation {text!r} moves and turns images: expected images of at least 2x2 pixels, the data have "
            f"{image[0]}x{image[1]}; leave it out"
        )
    if parse(text).shift >= min(image[:2]):
        raise InputError(
            f"the augmentation {text!r} shifts images of {image[0]}x{image[1]} pixels out of sight: expected a shift "
            f"below {min(image[:2])}"
        )


def arguments(images: np.ndarray, rows: np.ndarray, text: str, seed: int, epoch: int, out: np.ndarray) -> tuple:
    """Return the arguments of the kernel `augment_images`."""
    amounts = parse(text)
    return images, rows, seed, epoch, np.array(amounts._replace(rotate=math.radians(amounts.rotate))), out


def augmented(images: np.ndarray, rows: np.ndarray, text: str, seed: int, epoch: int) -> np.ndarray:
    """Return an array like images (n, H, W, C) with changed images in these rows (N,); the other rows hold anything.

    Without an augmentation the images are returned.
    """
    if not text:
        return images
    from jitnet.kernels.compiler.thread_pool import exclusive
    from jitnet.kernels.tools.augment import augment_images

    out = np.empty_like(images, order="C")
    with exclusive():
        augment_images(*arguments(images, rows, text, seed, epoch, out))
    return out
