"""The weights that a training starts from."""

import numpy as np


def draw(tensors: dict[str, np.ndarray], scheme: str, seed: int) -> None:
    """Draw weights from the normal distribution and set biases to 0, in place.

    documents: N(0,1)/9 for a conv, N(0,1)/fan_in for a dense layer. lecun: variance 1/fan_in (LeCun 1998).
    he: variance 2/fan_in (He 2015). normal: N(0,1)/100, small for every layer.
    """
    rng = np.random.default_rng(seed)
    for name, array in tensors.items():
        if name.endswith(".bias"):
            array[...] = 0
            continue
        fan_in = int(np.prod(array.shape[:-1]))
        deviation = {
            "documents": 1 / 9 if array.ndim == 4 else 1 / fan_in,
            "lecun": (1 / fan_in) ** 0.5,
            "he": (2 / fan_in) ** 0.5,
            "normal": 0.01,
        }[scheme]
        array[...] = rng.standard_normal(array.shape) * deviation
