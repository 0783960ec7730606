"""What the page is about: a trained network, digits to train and measure on, and answers to compare its own with."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jitnet.model.architecture import Conv, Dense, Pool, Shape, to_text
from jitnet.model.network import Network

TRAINED_ON = 2000  # images that the page carries to train on, and to look for similar ones
MEASURED_ON = 250  # images to measure accuracy on
CHECKED = 32  # of these, whose scores the page compares with Python's


@dataclass(frozen=True)
class Snapshot:
    """A kept checkpoint of the same network."""

    label: str  # "after 3 epochs"
    epoch: int
    tensors: dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A run as the page needs it. Images are (n, H, W, C) uint8; of a regression rows (n, 1, D, 1) float32."""

    title: str
    facts: list[tuple[str, str]]  # name, text: what is known of the run
    network: Network
    metadata: dict[str, str]  # of a file of the same network
    style: dict[str, Any]  # how pictures are prepared, as jitnet.data.pictures.style.Style
    class_names: tuple[str, ...] = ()
    digits: bool = False  # whether these are the ten digits: a picture then has one shape
    target: str = ""  # of a regression: the name of its column
    columns: tuple[str, ...] = ()  # of a regression: its inputs
    means: tuple[float, ...] = ()  # and their scales, the target's last
    deviations: tuple[float, ...] = ()
    data: str = ""  # where the images below are from
    train: np.ndarray = field(default_factory=lambda: np.zeros((0, 1, 1, 1), np.uint8))
    train_targets: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint8))  # (n,) uint8 or (n, 1) float32
    test: np.ndarray = field(default_factory=lambda: np.zeros((0, 1, 1, 1), np.uint8))
    test_targets: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint8))
    snapshots: tuple[Snapshot, ...] = ()  # older first; the network itself is not among them
    label: str = ""  # of the network's own checkpoint, "after 9 epochs"
    epoch: int = 0


def spread(count: int, total: int) -> np.ndarray:
    """Return up to `count` places (n,) spread over `total`: a set sorted by class shows every class.

    >>> spread(3, 10)
    array([0, 3, 6])
    """
    return np.arange(min(count, total)) * total // max(1, min(count, total))


def specification(network: Network, numbers: bool) -> dict[str, Any]:
    """Return a network as engine.js takes it."""
    return {
        "image": list(network.image),
        "bias": network.bias,
        "loss": "numbers" if numbers else network.loss,
        "layers": [_layer(shape, network.dropout if _is_dropped(network, shape) else 0.0) for shape in network.shapes],
    }


def _is_dropped(network: Network, shape: Shape) -> bool:
    """Whether outputs of a layer are dropped in training, if any are: of hidden dense layers."""
    return isinstance(shape.layer, Dense) and shape is not network.shapes[-1]


def _layer(shape: Shape, dropout: float) -> dict[str, Any]:
    layer = shape.layer
    if isinstance(layer, Pool):
        return {"name": shape.name, "kind": to_text((layer,))}
    conv = isinstance(layer, Conv)
    return {
        "name": shape.name,
        "kind": "conv" if conv else "dense",
        "size": shape.outputs[-1],
        "activation": layer.activation,
        "dropout": dropout,
    }
