"""The values of a recipe that depend on others: the learning rate on the batch, epochs and shift on the data."""

import math

from jitnet.recipes.named import DOCUMENTS, values_of

_HIGHEST = {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.02, "adam": 0.01, "adamw": 0.01}  # that scaling leads to
_MODERN = {"sgd": 0.05, "momentum": 0.005, "nesterov": 0.005, "adam": 2e-3, "adamw": 2e-3}
_MODERN_BATCH = 32  # that these are for
_FEWEST, _MOST, _IMAGES = 5, 200, 60_000  # epochs; the images that the fewest are for
_LARGE = 16  # pixels of the shorter side


def epochs_for(images: int) -> int:
    """Return the epochs for a number of training images: 5 for 60,000, and more for fewer, by their square root.

    >>> [epochs_for(images) for images in (60_000, 2_000, 1_347, 112, 10)]
    [5, 28, 34, 116, 200]
    """
    return min(_MOST, max(_FEWEST, math.ceil(_FEWEST * math.sqrt(_IMAGES / max(1, images)))))


def shift_for(height: int, width: int) -> str:
    """Return the augmentation for pictures in which the object may be anywhere: a shift by a tenth of the shorter side.

    So few pictures show an object at few places only. Pictures of fewer than 16 pixels are taken as they are.

    >>> shift_for(32, 40), shift_for(8, 8)
    ('shift=3', '')
    """
    shorter = min(height, width)
    return f"shift={shorter // 10}" if shorter >= _LARGE else ""


def rate_for(recipe: str, network: str, optimizer: str, batch_size: int, reduction: str) -> float:
    """Return the peak learning rate of a recipe for a batch size (0 = all images).

    The mean gradient of a larger batch is less noisy and allows a larger step: in proportion to the batch for sgd,
    momentum and nesterov (Goyal et al. 2017), to its root for adam and adamw, up to a bound. A sum needs none.

    >>> rate_for("documents", "cnn", "sgd", 1, "mean"), rate_for("documents", "cnn", "sgd", 64, "mean")
    (0.001, 0.064)
    """
    values = values_of(recipe, network)
    base, usual, theirs = values["lr"], values["batch_size"], recipe == DOCUMENTS
    if not theirs and optimizer != values["optimizer"]:
        base, usual = _MODERN[optimizer], _MODERN_BATCH
    ratio = batch_size / usual if batch_size else math.inf
    if optimizer in ("adam", "adamw"):
        ratio = 1.0 if theirs else math.sqrt(ratio)
    elif reduction == "sum":
        ratio = 1.0 if theirs else 1 / usual
    if ratio == 1:
        return base
    return min(float(f"{base * ratio:.4g}"), max(base, _HIGHEST[optimizer]))
