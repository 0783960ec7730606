"""The kernels that are compiled on their own, with the time that each takes and what it computes."""

from typing import NamedTuple


class Kernel(NamedTuple):
    """A kernel that is compiled on its own: how long that takes on an idle machine, and what it computes."""

    seconds: float
    about: str


# By module.function. The drivers contain the others: once a driver is in the cache only it is loaded; compiled one by
# one before it, the others let two processes work and a view show progress.
KERNELS = {
    "fast.batch_conv.conv_blocks_forward": Kernel(12.0, "convolutions and pools, forward"),
    "fast.linear_batch.linear_batch_forward": Kernel(1.0, "dense layers, forward"),
    "layers.loss.output_loss": Kernel(1.4, "softmax and the loss"),
    "fast.linear_batch.linear_batch_backward_input": Kernel(2.4, "dense layers, gradients of their inputs"),
    "fast.linear_batch.linear_batch_backward_weight": Kernel(1.1, "dense layers, gradients of their weights"),
    "fast.batch_conv.conv_blocks_backward": Kernel(19.0, "convolutions and pools, backward"),
    "fast.batch_conv.sum_shards": Kernel(0.6, "sums of the threads' gradients"),
    "layers.optimizer.optimizer_step": Kernel(1.3, "the update of the weights"),
    "fast.batch.predict_logits": Kernel(0.7, "predictions"),
    "fast.per_sample.train_per_sample": Kernel(14.0, "whole training steps, one image at a time"),
    "fast.batch.train_minibatch": Kernel(2.0, "whole training steps of mini-batches"),
    "fast.batch.accumulate_gradient": Kernel(2.0, "gradients of large batches"),
}
OTHER = Kernel(1.0, "a part that kernels share")
INFERENCE = "fast.batch.predict_logits"
FORWARD = ("fast.batch_conv.conv_blocks_forward", "fast.linear_batch.linear_batch_forward")
BACKWARD = (
    "layers.loss.output_loss",
    "fast.linear_batch.linear_batch_backward_input",
    "fast.linear_batch.linear_batch_backward_weight",
    "fast.batch_conv.conv_blocks_backward",
    "fast.batch_conv.sum_shards",
    "layers.optimizer.optimizer_step",
)
