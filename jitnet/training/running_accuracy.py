"""The accuracy on training images while they are trained on, measured on a few of them in little of the time."""

import time

import numpy as np

from jitnet.model.network import Network

IMAGES = 128  # of one measurement
_SHARE = 150.0  # a measurement is followed by this many times its own time without one


class RunningAccuracy:
    """Measures the images that come next, before their own update; it changes nothing in the network."""

    def __init__(self, network: Network, images: np.ndarray, targets: np.ndarray) -> None:
        self._network = network
        self._images = images  # (N, H, W, C)
        self._targets = targets  # (N,) classes, or (N, K) numbers, whose accuracy is not measured
        self._next_at = 0.0

    def measure(self, places: np.ndarray) -> float | None:
        """Return the accuracy in percent on the first of the images at `places` (n,), None if it is not yet time."""
        began = time.perf_counter()
        if self._targets.ndim != 1 or began < self._next_at:
            return None
        places = places[:IMAGES]
        scores: np.ndarray = np.empty((len(places), self._network.classes), self._network.dtype)
        self._network.logits_of(np.ascontiguousarray(self._images[places]), 0, scores)
        right = 100.0 * float((scores.argmax(axis=1) == self._targets[places]).mean())
        ended = time.perf_counter()
        self._next_at = ended + _SHARE * (ended - began)
        return right
