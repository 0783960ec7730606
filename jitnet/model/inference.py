"""Scores of many images: which kernel computes a network's, with which arguments, and in how large calls."""

from typing import TYPE_CHECKING

import numpy as np

from jitnet.machine import threads
from jitnet.model import architecture, memory_plan
from jitnet.model.architecture import Conv
from jitnet.model.kernel_choice import BATCH, INFERENCE

if TYPE_CHECKING:
    from jitnet.model.network import Network

PREDICT_BATCH = 128  # images of one compiled call, at least: dense layers alone are no faster with 512
PREDICT_MACS = 5e9  # of one call of a network with conv blocks: about 40 ms on two cores, then Ctrl-C and drawing


def in_groups(network: "Network") -> bool:
    """Whether threads take groups of images through the whole network: if it begins with a convolution."""
    return isinstance(network.layers[0], Conv)


def images_of_call(network: "Network") -> int:
    """Return the number of images of one compiled call, at most."""
    if network.kernels == "simple" or not in_groups(network):
        return PREDICT_BATCH
    return max(1, int(PREDICT_MACS / architecture.forward_macs(network.shapes)) // PREDICT_BATCH) * PREDICT_BATCH


def reserve(network: "Network", images: int) -> None:
    """Make the buffers for the scores of that many images; raises `InputError` if they do not fit in memory."""
    if network.kernels == "simple":
        network.simple(min(images, PREDICT_BATCH))
    else:
        workspace_of(network, images)


def workspace_of(network: "Network", images: int) -> memory_plan.Workspace:
    """Return the buffers in which `predict` computes the scores of that many images."""
    return network.workspace(max(min(images, PREDICT_BATCH), 1), INFERENCE if in_groups(network) else BATCH)


def layer_outputs(network: "Network", image: np.ndarray) -> list[np.ndarray]:
    """Return what each layer with parameters puts out for an image (1, H, W, C), with a border that is 0."""
    with threads.limited(1):  # alone on one thread it has the first place in each region
        network.logits(image)
    space = workspace_of(network, 1)
    return [space.work[row["out"] :][: row["out_size"]] for row in space.layers]


def arguments(
    network: "Network",
    images: np.ndarray,  # (n, H, W, C) uint8 or the network's dtype
    order: np.ndarray,  # (N,) int64
    out: np.ndarray,  # (N, classes) of the network's dtype, overwritten
) -> tuple:
    """Return the arguments of the kernel that `predict` calls."""
    space = workspace_of(network, len(order))
    winners = space.argmax[:0]  # only a backward pass needs them
    buffers = (space.layers, space.plan, network.params, space.work, winners)
    taken = (np.zeros(1, np.int64),) if in_groups(network) else ()
    return (*buffers, memory_plan.read_only(images), network.divisor(images), order, *taken, out)


def predict(network: "Network", images: np.ndarray, order: np.ndarray, out: np.ndarray) -> None:
    """Write the scores of images[order] in one call of the fast kernels; shapes as in `arguments`."""
    if in_groups(network):
        from jitnet.kernels.fast.inference_groups import predict_in_groups

        predict_in_groups(*arguments(network, images, order, out))
    else:
        from jitnet.kernels.fast.inference import predict_logits

        predict_logits(*arguments(network, images, order, out))
