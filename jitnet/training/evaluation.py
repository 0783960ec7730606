"""What an epoch's weights are worth: their scores of images, in calls short enough for Ctrl-C and drawing."""

from collections.abc import Generator

import numpy as np

from jitnet.events import Event, Progress
from jitnet.model.inference import images_of_call
from jitnet.model.network import Network
from jitnet.model.optimizer import Optimizer
from jitnet.model.scores import score
from jitnet.training.averaging import averaged


def evaluate(
    network: Network,
    optimizer: Optimizer,
    images: np.ndarray,  # (n, H, W, C)
    targets: np.ndarray,  # (n,) uint8, or (n, K) numbers
    epoch: int,
) -> Generator[Event, None, tuple[float | None, float | None, np.ndarray]]:
    """Return the loss, the accuracy and the scores (n, K) of the averaged weights, of the others if there are none.

    Without images None, None and none. Between two events the network has its own weights.
    """
    if len(images) == 0:
        return None, None, np.zeros((0, network.classes))
    logits: np.ndarray = np.empty((len(images), network.classes), network.dtype)
    size = images_of_call(network)
    for start in range(0, len(images), size):
        with averaged(network, optimizer):
            network.logits_of(images, start, logits[start : start + size])
        yield Progress(epoch=epoch, images=min(start + size, len(images)), total=len(images))
    return *score(logits, targets, network.loss), logits
