"""Build the network that settings describe."""

from jitnet.config import Settings
from jitnet.model.architecture import Dense, parse
from jitnet.model.network import Network


def network_of(settings: Settings, image: tuple[int, ...], outputs: int) -> Network:
    """Return a network for images (height, width, channels) with that many outputs, its parameters all 0.

    Raises `InputError` if the architecture is damaged, or does not fit the images or the memory.
    """
    height, width, channels = image
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
