"""What images and labels must be, whatever file they come from; else a sentence with the place and value."""

import math

import numpy as np

from jitnet.data.content import Part
from jitnet.errors import InputError


def whole_bytes(values: np.ndarray, where: str) -> np.ndarray:
    """Return numbers as a C-contiguous, writeable uint8 array of the same shape.

    Any numeric dtype is taken as long as every value is a whole number from 0 to 255; else `InputError` names
    the first one that is not. Nothing is scaled or rounded: jitnet divides by 255 itself.
    """
    if values.dtype.kind not in "uif":
        raise InputError(f"{where} has values of type {values.dtype}: expected whole numbers from 0 to 255")
    if values.dtype != np.uint8:
        good = (values >= 0) & (values <= 255) & (values == np.trunc(values))  # false for NaN
        if not good.all():
            place = tuple(int(i) for i in np.unravel_index(int(np.argmin(good)), values.shape))
            raise InputError(
                f"{where} has the value {values[place]} at {list(place)}: expected whole numbers "
                "from 0 to 255, "
                "correct the file"
            )
    return np.require(values, np.uint8, ["C", "W"])


def images(values: np.ndarray, where: str) -> np.ndarray:
    """Return images as uint8 of shape (N, H, W) or (N, H, W, C); rows of H*H values are made square.

    Raises `InputError` for another shape, for no image at all, or for bad pixels.
    """
    if values.size == 0:
        raise InputError(f"{where} has no image in it (shape {values.shape}): expected at least one")
    if values.ndim == 2:
        side = math.isqrt(values.shape[1])
        if side * side != values.shape[1]:
            raise InputError(
                f"{where} has {values.shape[1]} pixels in a row: expected a square number such as 784 = 28 x 28"
            )
        values = values.reshape(-1, side, side)
    elif values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim not in (3, 4) or (values.ndim == 4 and values.shape[3] > 4):
        raise InputError(f"{where} has shape {values.shape}: expected images as (N, H, W) or (N, H, W, C up to 4)")
    return whole_bytes(values, where)


def labels(values: np.ndarray, where: str) -> np.ndarray:
    """Return labels as uint8 of shape (N,); raises `InputError` for another shape or other values."""
    if values.ndim != 1:
        raise InputError(f"{where} has shape {values.shape}: expected one label per image, shape (N,)")
    return whole_bytes(values, where)


def classes(parts: dict[str, Part], where: str) -> int:
    """Check that four arrays belong together and return the number of classes, the largest label + 1.

    Raises `InputError` when counts or image sizes differ, or when there is only one class.
    """
    for name in ("train", "test"):
        x, y = parts[f"x_{name}"].array, parts[f"y_{name}"].array
        if len(x) != len(y):
            raise InputError(
                f"{where} has {len(x):,} {name} images but {len(y):,} {name} labels: expected one label per image"
            )
    train, test = parts["x_train"].array.shape[1:], parts["x_test"].array.shape[1:]
    if train != test:
        raise InputError(f"{where} has train images of shape {train} but test images of {test}: expected one shape")
    count = 1 + max(int(parts["y_train"].array.max()), int(parts["y_test"].array.max()))
    if count < 2:
        raise InputError(f"{where} has the label 0 only: expected at least two classes, labelled 0, 1, ...")
    return count
