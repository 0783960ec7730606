"""What a network's outputs say: probabilities, the loss, the accuracy, the table of confusions."""

import math
from collections.abc import Callable

import numpy as np

SHIFTS = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))  # rows and columns of a border of 1 before an image


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of scores (n, classes) in float64."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def score(
    outputs: np.ndarray,  # (n, K)
    targets: np.ndarray,  # (n,) classes, or (n, K) numbers
    loss: str = "cross-entropy",  # or "mse", of the softmax for classes
) -> tuple[float, float | None]:
    """Return the mean loss, NaN if an output is not finite, and the accuracy in percent, of classes."""
    if targets.ndim == 2:
        return float(np.mean((outputs.astype(np.float64) - targets) ** 2)), None
    with np.errstate(invalid="ignore"):  # inf - inf
        if loss == "mse":
            losses = ((probabilities(outputs) - np.eye(outputs.shape[1])[targets]) ** 2).mean(axis=1)
        else:
            shifted = outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True)
            losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(targets)), targets]
    losses[~np.isfinite(outputs).all(axis=1)] = np.nan  # -inf is a sum that overflowed, not a chance of 0
    return float(losses.mean()), 100.0 * int((outputs.argmax(axis=1) == targets).sum()) / len(targets)


def root_of(loss: float | None, accuracy: float | None) -> float | None:
    """Return the root of a regression's mean squared error; None of classes, which have an accuracy, or no images."""
    return math.sqrt(loss) if loss is not None and accuracy is None else None


def over_shifts(logits_of: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> np.ndarray:
    """Return scores (n, K) whose softmax is the mean of the probabilities of five shifted copies of each image.

    p = 1/5 * sum over the shifts s of softmax(logits_of(images moved by s)),   s = none, 1 pixel to each side

    The scores are log p; the edge of an image (n, H, W, C) continues beyond itself. Source: Krizhevsky, Sutskever,
    Hinton (2012), section 4.1, who average over crops.
    """
    _, height, width, _ = images.shape
    wide = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    views = (wide[:, y : y + height, x : x + width] for y, x in SHIFTS)
    mean = sum(probabilities(logits_of(np.ascontiguousarray(view))) for view in views) / len(SHIFTS)
    return np.log(np.maximum(mean, np.finfo(np.float64).tiny))


def confusion(predicted: np.ndarray, targets: np.ndarray, classes: int) -> tuple[tuple[int, ...], ...]:
    """Return how many images of each true class (row) were taken for each class (column); () of none, or of many.

    >>> confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), 2)
    ((1, 1), (0, 1))
    """
    if len(targets) == 0 or classes > 100:  # nobody looks at ten thousand numbers
        return ()
    counts = np.bincount(targets.astype(np.int64) * classes + predicted, minlength=classes * classes)
    return tuple(tuple(map(int, row)) for row in counts.reshape(classes, classes))
