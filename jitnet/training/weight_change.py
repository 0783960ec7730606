"""The recent change of each layer's weights, which shows which layer learns most."""

import numpy as np

from jitnet.model.network import Network

_SAMPLE = 512  # weights of a layer, evenly spaced: enough for two digits, at no measurable cost


class WeightChange:
    """Compares a network's weights with those of the previous call; it changes none."""

    def __init__(self, network: Network) -> None:
        tensors = network.tensors()
        weights = [tensors.get(f"{shape.name}.weight") for shape in network.shapes]
        self._views = [None if w is None else w.reshape(-1)[:: max(1, w.size // _SAMPLE)] for w in weights]
        self._before = self._now()

    def since_last(self) -> tuple[float, ...]:
        """Return, for each layer, the change of its weights since the last call, as a share of their size.

        Both are root mean squares. A layer without weights has 0.
        """
        before, self._before = self._before, self._now()
        return tuple(_share(now - old, now) for old, now in zip(before, self._before))

    def _now(self) -> list[np.ndarray]:
        """Return copies in float64, whose squares do not overflow."""
        return [np.zeros(1) if view is None else view.astype(np.float64) for view in self._views]


def _share(change: np.ndarray, weights: np.ndarray) -> float:
    size = float(weights @ weights)
    return float(f"{(float(change @ change) / size) ** 0.5:.2e}") if size else 0.0
