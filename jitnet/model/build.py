"""Build the network that settings describe."""

import numpy as np

from jitnet.config import Settings
from jitnet.errors import InputError
from jitnet.model.architecture import Dense, parse
from jitnet.model.network import Network


def network_of(settings: Settings, image: tuple[int, ...], outputs: int) -> Network:
    """Return a network for images (height, width, channels) with that many outputs, its parameters all 0.

    Raises `InputError` if the architecture is damaged, or does not fit the images or the memory.
    """
    shape = tuple(image) if isinstance(image, list | tuple) else ()
    if len(shape) != 3 or not all(isinstance(size, int | np.integer) and size > 0 for size in (*shape, outputs)):
        raise InputError(
            f"the images are {image!r} and the outputs {outputs!r}: expected (height, width, channels) and a number "
            "of classes, all whole numbers above 0"
        )
    height, width, channels = shape
    layers = (*parse(settings.architecture), Dense(outputs))
    return Network(
        layers,
        (height, width, channels),
        settings.bias,
        loss=settings.loss,
        kernels=settings.kernels,
        dropout=settings.dropout,
        seed=settings.seed,
        label_smoothing=settings.label_smoothing,
    )
