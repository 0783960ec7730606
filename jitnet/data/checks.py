"""What the arrays of a data set must be, from any kind of file; else a sentence with the place and value."""

import math

import numpy as np

from jitnet.data.pictures import style
from jitnet.data.record import short_list
from jitnet.errors import InputError

_REPEATED = 5  # test images that were trained on: fewer, or fewer than one in a hundred, are not mentioned


def images(values: np.ndarray, where: str) -> np.ndarray:
    """Return images as (N, H, W) or (N, H, W, C), their numbers as they are; rows of H*H values are made square.

    Raises `InputError` for another shape, or for no image at all.
    """
    if values.size == 0:
        raise InputError(f"{where} has no image in it (shape {values.shape}): expected at least one")
    if values.ndim == 2:
        side = math.isqrt(values.shape[1])
        if side * side != values.shape[1]:
            raise InputError(
                f"{where} has {values.shape[1]} pixels in a row: expected a square number such as 784 = 28 x 28"
                + (colours_in_rows(values.shape[1]) or "; rows that are not images are for Python: MLP().fit(x, y)")
            )
        values = values.reshape(-1, side, side)
    elif values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim == 4 and values.shape[3] > 4 and values.shape[1] <= 4:
        raise InputError(
            f"{where} has shape {values.shape}, the channels first: expected (N, H, W, C), save x.transpose(0, 2, 3, 1)"
        )
    if values.ndim not in (3, 4) or (values.ndim == 4 and values.shape[3] > 4):
        raise InputError(f"{where} has shape {values.shape}: expected images as (N, H, W) or (N, H, W, C up to 4)")
    return values


def colours_in_rows(length: int) -> str:
    """Return what to do with rows of that many numbers, if they may be square images of three colours, else ""."""
    side = math.isqrt(length // 3)
    return f"; {side} x {side} pixels of three colours must be arrays (N, {side}, {side}, 3)" * (3 * side**2 == length)


def belong(x: list[np.ndarray], y: list[np.ndarray], where: str) -> None:
    """Check that images and labels, for training and perhaps for testing, belong together; raises `InputError`."""
    for name, images_of, labels_of in zip(("train", "test"), x, y):
        if len(images_of) != len(labels_of):
            raise InputError(
                f"{where} has {len(images_of):,} {name} images but {len(labels_of):,} {name} labels: expected one "
                "label per image"
            )
    if len(x) == 2 and x[0].shape[1:] != x[1].shape[1:]:
        raise InputError(
            f"{where} has train images of shape {x[0].shape[1:]} but test images of {x[1].shape[1:]}: expected one "
            "shape"
        )


def one_sided(train: np.ndarray, test: np.ndarray, names: list[str], where: str) -> str:
    """Return a note about classes without training or test images, "" if there are none; labels are (N,) uint8."""
    untrained, untested = np.setdiff1d(test, train), np.setdiff1d(train, test)
    if len(untrained):
        shown = ", ".join(names[label] for label in untrained)
        return f"{where} has test images of the class {shown} but none to train on: they will all be answered wrongly"
    if len(untested):
        shown = short_list(tuple(names[label] for label in untested))
        return f"{where} has no test images of the class {shown}: it is trained on and not measured"
    return ""


def repeated(train: np.ndarray, test: np.ndarray, where: str) -> str:
    """Return a note about test images (n, ...) uint8 that are training images too, "" if there are few."""
    seen = {image.tobytes() for image in train}
    count = sum(image.tobytes() in seen for image in test)
    if count < _REPEATED or count * 100 <= len(test):
        return ""
    return f"{count:,} of the {len(test):,} test images of {where} are training images too, so accuracies mean little"


def inverted(train: np.ndarray, test: np.ndarray, where: str) -> str:
    """Return a note about test images (n, H, W, ...) uint8 whose ink and paper are those of the others swapped."""
    polarity = style.polarity_of(train)
    other = style.other_polarity(test, polarity)
    if not other:
        return ""
    return f"the test images of {where} are {other}, and its training images are {polarity}: invert one part by 255 - x"


def alike(names: list[str], where: str) -> str:
    """Return a note about classes whose names differ in their case alone, "" if there are none."""
    first: dict[str, str] = {}
    pairs = [(first[name.lower()], name) for name in names if first.setdefault(name.lower(), name) != name]
    if not pairs:
        return ""
    return f"{where} has the classes {' and '.join(pairs[0])}, which differ in their case alone: they are two classes"
