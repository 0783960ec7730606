"""Train some steps of some networks on fixed numbers and print a hash of the weights of each, as JSON, and the tile.

    python tests/campaigns/weights.py

The same numbers on every processor whose vectors are as long: see arm64.py.
"""

import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from jitnet.kernels.compiler.tile import TILE
from jitnet.model.architecture import parse
from jitnet.model.network import LOSSES, Network
from jitnet.model.optimizer import Optimizer
from jitnet.training.shuffle import splitmix64

CASES = {  # network, images, batch size, loss, optimizer
    "cnn, one image a step": ("conv4 pool conv8 pool conv8 dense20 dense10", 40, 1, "cross-entropy", "sgd"),
    "cnn, batches of 16, momentum": (
        "conv16 pool conv16 pool conv17 dense20 dense10",
        64,
        16,
        "cross-entropy",
        "momentum",
    ),
    "mlp, one image a step": ("dense33 dense20 dense10", 40, 1, "cross-entropy", "sgd"),
    "mlp, tanh, batches of 16, adam": ("dense33:tanh dense10", 64, 16, "cross-entropy", "adam"),
    "mlp, sigmoid, squared error": ("dense33:sigmoid dense10", 40, 1, "mse", "sgd"),
}


def numbers(seed: int, count: int) -> np.ndarray:
    """Return numbers in [0, 1) that depend on no library: the upper 53 bits of hashes."""
    states = np.arange(count, dtype=np.uint64) + np.uint64(seed << 32)
    return (splitmix64(states) >> np.uint64(11)) * 2.0**-53


def trained(text: str, images: int, batch_size: int, loss: str, kind: str) -> str:
    """Return a hash of a network's parameters and scores after two passes over the images."""
    network = Network(parse(text), (16, 16, 1), loss=loss)
    assert loss in LOSSES
    network.params[:] = (numbers(1, network.params.size) - 0.5) * 0.2
    pixels = numbers(2, images * 256).reshape(images, 16, 16, 1)
    pictures = np.where(pixels < 0.6, 0, pixels * 255).astype(np.uint8)
    targets = (numbers(3, images) * 10).astype(np.uint8)
    optimizer = Optimizer(kind)
    optimizer.start(network.params)
    order = np.tile(np.arange(images), 2)
    network.train_steps(
        pictures, targets, order, batch_size, np.full(order.size // batch_size, 0.003), np.zeros(1), optimizer
    )
    return hashlib.sha256(network.params.tobytes() + network.logits(pictures).tobytes()).hexdigest()[:16]


if __name__ == "__main__":
    print(json.dumps({"tile": TILE, "weights": {name: trained(*case) for name, case in CASES.items()}}))
