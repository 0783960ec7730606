"""Compare gradients with central differences, which shows that the backward pass is right."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from jitnet.model.memory_plan import parameter_offsets
from jitnet.model.network import Network
from jitnet.model.scores import score

TOLERANCE = 1e-6  # relative error that float64 leaves of a right gradient
STEPS = (
    1e-3,
    1e-4,
    1e-5,
    1e-6,
    1e-7,
)  # the closest counts: a long step may cross a ReLU's kink, a short one drowns in rounding


@dataclass(frozen=True)
class Checked:
    """One parameter tensor."""

    name: str
    shape: tuple[int, ...]
    places: int  # number of entries that were tried
    largest: float  # gradient of all its entries
    error: float  # the worst of the tried: |a - e| / max(|e|, largest / 100)


def check(network: Network, images: np.ndarray, targets: np.ndarray, samples: int, seed: int = 0) -> Iterator[Checked]:
    """Yield the result for each parameter tensor of a float64 network.

    Parameters
    ----------
    network : of dtype float64; its parameters are changed and restored
    images : (n, H, W, C) uint8 or float64
    targets : (n,) uint8, the true classes
    samples : largest number of entries tried per tensor
    seed : of the choice of entries
    """
    n = len(images)
    gradient = np.zeros_like(network.params)
    network.accumulate(images, targets, np.arange(n), 1 / n, gradient)
    rng = np.random.default_rng(seed)
    for name, (start, shape) in parameter_offsets(network.shapes).items():
        size = int(np.prod(shape))
        found = gradient[start : start + size]
        largest = float(np.abs(found).max())
        order = rng.permutation(size)
        moving = order[found[order] != 0][: (samples + 1) // 2]  # after ReLU many are 0, which proves little
        places = list(dict.fromkeys([*moving, *order]))[:samples]
        errors = []
        for place in places:
            expected = differences(
                lambda: score(network.logits(images), targets, network.loss)[0], network.params, start + place
            )
            scale = np.maximum(np.abs(expected), largest / 100)
            off = np.abs(found[place] - expected)
            errors.append(float(np.min(np.divide(off, scale, out=off, where=scale > 0))))
        yield Checked(name, shape, len(places), largest, max(errors))


def differences(loss: Callable[[], float], params: np.ndarray, place: int) -> np.ndarray:
    """Return d loss / d params[place] (len(STEPS),): (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12 h for each step h."""
    kept = params[place]
    results = []
    for step in STEPS:
        values = []
        for times in (-2, -1, 1, 2):
            params[place] = kept + times * step
            values.append(loss())
        results.append((8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * step))
    params[place] = kept
    return np.array(results)
