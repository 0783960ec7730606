"""The kernels that are compiled on their own: how long each takes, what it computes, and arguments of its types."""

from typing import NamedTuple

import numpy as np

from jitnet.model.inference import arguments as inference_arguments
from jitnet.model.inference import in_groups
from jitnet.model.memory_plan import read_only
from jitnet.model.network import PART, Network
from jitnet.model.optimizer import Optimizer


class Kernel(NamedTuple):
    """A kernel that is compiled on its own: how long that takes on an idle machine, and what it computes."""

    seconds: float
    about: str


# By module.function. First the primitives, which all others call by their addresses: they are compiled in any order.
# The last ones, the drivers, include others: once a driver is in the cache, only it is loaded.
KERNELS = {
    "fast.contraction.contract": Kernel(1.8, "products of matrices"),
    "fast.conv_few_channels.conv2d_row_few_channels": Kernel(0.9, "convolutions of a few channels"),
    "fast.conv_rows.conv2d_row": Kernel(0.8, "convolutions of many channels"),
    "fast.conv_sparse.sparse_backward": Kernel(1.4, "gradients of convolutions"),
    "fast.conv_sparse_input.sparse_input_backward_weight": Kernel(0.4, "gradients of the first convolution"),
    "fast.conv_winograd.transform_weight": Kernel(0.2, "filters of convolutions in tiles"),
    "fast.conv_winograd.conv2d_winograd": Kernel(1.1, "convolutions in tiles"),
    "fast.conv_winograd_weight.winograd_backward_weight": Kernel(0.7, "gradients of convolutions in tiles"),
    "fast.conv_winograd_weight.transform_sums": Kernel(0.3, "gradients of filters in tiles"),
    "fast.pool_rows.max_pool2d_row": Kernel(0.4, "max-pooling"),
    "fast.vector_rows.add_rows": Kernel(0.2, "sums of rows"),
    "fast.vector_rows.transpose": Kernel(0.4, "transposes"),
    "fast.batch_conv_forward.conv_blocks_forward": Kernel(1.3, "convolutions and pools, forward"),
    "fast.linear_batch_forward.linear_batch_forward": Kernel(0.7, "dense layers, forward"),
    "layers.loss.output_loss": Kernel(0.4, "softmax and the loss"),
    "fast.linear_batch_backward.linear_batch_backward_input": Kernel(0.9, "dense layers, gradients of their inputs"),
    "fast.linear_batch_backward.linear_batch_backward_weight": Kernel(0.7, "dense layers, gradients of their weights"),
    "fast.batch_conv_backward.conv_blocks_backward": Kernel(1.5, "convolutions and pools, backward"),
    "fast.batch_conv_backward.sum_shards": Kernel(0.3, "sums of the threads' gradients"),
    "layers.optimizer.optimizer_step": Kernel(0.5, "the update of the weights"),
    "fast.inference.predict_logits": Kernel(0.6, "predictions without convolutions"),
    "fast.inference_groups.predict_in_groups": Kernel(1.5, "predictions"),
    "fast.per_sample.train_per_sample": Kernel(4.5, "whole training steps, one image at a time"),
    "fast.batch.train_minibatch": Kernel(2.5, "whole training steps of mini-batches"),
    "fast.batch.accumulate_gradient": Kernel(2.3, "gradients of large batches"),
}
GROUPS, PRODUCTS = "fast.inference_groups.predict_in_groups", "fast.inference.predict_logits"
FORWARD = ("fast.batch_conv_forward.conv_blocks_forward", "fast.linear_batch_forward.linear_batch_forward")
BACKWARD = (
    "layers.loss.output_loss",
    "fast.linear_batch_backward.linear_batch_backward_input",
    "fast.linear_batch_backward.linear_batch_backward_weight",
    "fast.batch_conv_backward.conv_blocks_backward",
    "fast.batch_conv_backward.sum_shards",
)
STEP = "layers.optimizer.optimizer_step"
INCLUDED = {
    PRODUCTS: FORWARD,
    "fast.batch.train_minibatch": (*FORWARD, *BACKWARD, STEP),
    "fast.batch.accumulate_gradient": FORWARD + BACKWARD,
}


def inference_of(network: Network) -> str:
    """Return the kernel of a network's predictions."""
    return GROUPS if in_groups(network) else PRODUCTS


def arguments_of(
    name: str, network: Network, batch_size: int, images: np.ndarray, targets: np.ndarray, optimizer: Optimizer
) -> tuple:
    """Return arguments of the right types for a kernel that is not a primitive; their values are not used."""
    function = name.rpartition(".")[2]
    number = np.dtype(network.dtype).type(1)
    vector: np.ndarray = np.empty(1, network.dtype)
    matrix = vector.reshape(1, 1)
    integers, floats = np.zeros(1, np.int64), np.zeros(1)
    space = network.workspace(min(batch_size, PART))
    table = (space.layers, space.plan)
    buffers = (*table, network.params, space.work, space.argmax)
    match function:
        case "train_per_sample":
            return network.per_sample_arguments(images, targets, integers, floats, floats, floats)
        case "train_minibatch":
            return network.minibatch_arguments(images, targets, integers, batch_size, floats, floats, floats, optimizer)
        case "accumulate_gradient":
            return network.accumulate_arguments(images, targets, integers, 1.0, vector)
        case "predict_logits" | "predict_in_groups":
            return inference_arguments(network, images, integers, matrix)
        case "conv_blocks_forward":
            return (*buffers, read_only(images), number, integers)
        case "conv_blocks_backward":
            return (*buffers, 1)
        case "linear_batch_forward":
            return (matrix, matrix, vector, 1, vector, matrix)
        case "linear_batch_backward_input":
            return (matrix, matrix, matrix, 1, vector, matrix)
        case "linear_batch_backward_weight":
            return (matrix, matrix, number, False, matrix, vector)
        case "output_loss":
            return (1, 0.0, matrix, read_only(targets), integers, number, floats, matrix)
        case "sum_shards":
            return (matrix, False, vector)
        case "optimizer_step":
            return network.step_arguments(vector, 1.0, optimizer)
    raise AssertionError(function)
