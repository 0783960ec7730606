"""Temperature scaling: a training on smoothed labels is not sure of anything, so its scores are multiplied by a number.

    c = argmin -sum over the images i and classes k of  t[i,k] log softmax(c * z[i])[k]
    t = (n + 1) / (n + 2) for the label of the image, the rest in equal parts for the other classes

z are the scores of n images, those of --val or else training images, without augmentation. No answer changes, only how
sure it is. Sources: Guo et al. (2017), "On calibration of modern neural networks", where the temperature is 1/c; for t,
which keeps c finite where every image is right, Platt (1999), "Probabilistic outputs for support vector machines".
"""

from collections.abc import Callable, Generator, Sequence

import numpy as np

from jitnet.data.split import Split
from jitnet.events import Event
from jitnet.model.architecture import Shape
from jitnet.model.memory_plan import tensors_of
from jitnet.model.network import Network
from jitnet.model.optimizer import Optimizer
from jitnet.model.scores import probabilities

MOST = 5000  # images that are scored for it after an epoch: 10,000 give the same error, 2,000 twice as much
LARGEST = 100.0  # and 1/100 is the smallest


def calibrate(
    evaluate: Callable[..., Generator[Event, None, tuple[float | None, float | None, np.ndarray]]],
    data: Split,
    of_val: np.ndarray,  # (n, K) the scores of the --val images
) -> Generator[Event, None, float]:
    """Return the number for a network that `evaluate` scores images with; 1 if a score is not finite."""
    (images, labels), scores = data.val, of_val
    if not len(scores):
        images, labels = (array[evenly(len(array))] for array in data.train)
        _, _, scores = yield from evaluate(images, labels)
    return sharpness(scores, labels) if np.isfinite(scores).all() else 1.0


def sharpness(
    scores: np.ndarray,  # (n, K), n at least 1
    labels: np.ndarray,  # (n,)
) -> float:
    """Return c of the head of this file, between 1/100 and 100."""
    n, classes = scores.shape
    z = scores.astype(np.float64)
    wanted = np.full((n, classes), 1 / (n + 2) / max(1, classes - 1))
    wanted[np.arange(n), labels] = (n + 1) / (n + 2)
    low, high = 1 / LARGEST, LARGEST
    for _ in range(40):  # halve the interval of log c: the sum is convex in c
        c = float(np.sqrt(low * high))
        slope = float(((probabilities(c * z) - wanted) * z).sum())
        low, high = (low, c) if slope > 0 else (c, high)
    return float(np.sqrt(low * high))


def evenly(count: int) -> np.ndarray:
    """Return the places of at most MOST of `count` images, as far apart as can be: a file may be sorted by class."""
    most = min(count, MOST)
    return np.arange(most) * count // most


def predicting(network: Network, optimizer: Optimizer, factor: float) -> np.ndarray:
    """Return the parameters (P,) that predict: those of the network, their average, or either with sharper scores."""
    own = optimizer.average if optimizer.average.size else network.params
    return sharpened(network.shapes, own, factor)


def sharpened(network: Sequence[Shape], params: np.ndarray, factor: float) -> np.ndarray:
    """Return parameters (P,) with which the scores are `factor` times as large: the same ones if it is 1."""
    if factor == 1:
        return params
    changed = params.copy()
    for name, tensor in tensors_of(tuple(network), changed).items():
        if name.startswith(f"{network[-1].name}."):
            with np.errstate(over="ignore"):  # of parameters that only a damaged file has
                tensor *= tensor.dtype.type(factor)
    return changed
