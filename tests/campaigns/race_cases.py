"""Every parallel kernel with arrays to work on, and some races: what test_races.py runs as plain Python."""

import nets
import numpy as np
import schedules  # before the kernels: it takes the place of numba.prange
import strict  # likewise

from jitnet.data import synthetic
from jitnet.kernels.fast import (
    batch,
    batch_conv_backward,
    batch_conv_forward,
    dense_pieces,
    linear_batch_backward,
    linear_batch_forward,
    per_sample,
)
from jitnet.kernels.fast.inference_groups import group_size, predict_group, transform_filters
from jitnet.kernels.fast.work_split import scratch_of
from jitnet.kernels.layers import activation, convolution, dropout, linear, pooling
from jitnet.kernels.table import RELU
from jitnet.kernels.tools import fma_peak
from jitnet.kernels.tools.augment import augment_images
from jitnet.kernels.tools.synthetic import STYLE, draw_digits
from jitnet.model import memory_plan
from jitnet.model.inference import arguments

# Small pieces, so that small arrays have many.
batch_conv_backward._CHUNK = 64
linear_batch_backward.strip_count = lambda D, pieces: (D + 15) // 16
linear_batch_forward.part_count = lambda D: (D + 15) // 16
linear_batch_forward.by_parts = lambda N, D, parts: parts > 1 and N < 8
linear_batch_forward.group_count = lambda K, parts: 2
linear_batch_forward.images_of_block = lambda N, K: 8
linear_batch_forward.columns_of_block = lambda N, K, images: 8
linear_batch_forward.ROW_BLOCKS = linear_batch_backward.ROW_BLOCKS = (4,)  # panels are used
dense_pieces.PACKED_IMAGES = 8  # likewise
memory_plan.linear_scratch = lambda N, D, K: 8192  # enough for all of them
memory_plan.pool_size = batch_conv_forward.thread_count = lambda: 64  # a worker for each shard


def numbers(*shape, dtype=np.float32):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(dtype)


def case(function, *arguments):
    """The call, and the arrays it may write, each of which refuses an index outside."""
    arguments = [value.view(strict.Strict) if is_plain_array(value) else value for value in arguments]
    written = [value for value in arguments if is_plain_array(value) and value.flags.writeable]
    return lambda: function(*arguments), written


def is_plain_array(value):
    return isinstance(value, np.ndarray) and value.dtype.fields is None


def training(make, batch_size):
    def built():
        drawn = nets.case(make, np.float32, images=2 * batch_size)
        losses, totals, order = np.zeros(2), np.zeros(1), np.arange(2 * batch_size)
        arguments = drawn.network.minibatch_arguments(
            drawn.images, drawn.targets, order, batch_size, np.full(2, 0.05), losses, totals
        )
        return case(batch.train_minibatch, *arguments)

    return built


def train_per_sample(layers, plan, params, work, argmax, rows, counts, barrier, *recipe):
    """The kernel of that name, with the halves of each phase assigned by a schedule."""
    order = recipe[3]
    per_sample.prepare_workspace(layers, plan[0], params, work, barrier)
    for step in range(order.size):
        for phase in range(2 * plan[0].halved):
            for half in schedules.prange(2):
                per_sample.run_half(phase, half, step, layers, plan[0], params, work, argmax, rows, counts, *recipe)


def one_by_one(make):
    def built():
        drawn = nets.case(make, np.float32, images=2)
        arguments = drawn.network.per_sample_arguments(
            drawn.images, drawn.targets, np.arange(2), np.full(2, 0.05), np.zeros(2), np.zeros(1)
        )
        return case(train_per_sample, *arguments)

    return built


def predict_in_groups(layers, plan, params, work, argmax, images, divisor, order, taken, out):
    """The kernel of that name, with a worker for each group."""
    size = group_size(order.size, plan[0].images // plan[0].workers)
    for group in schedules.prange(-(-order.size // size)):
        transform_filters(layers, plan[0], params, work, scratch_of(plan[0], group))
        predict_group(group, size, group, layers, plan[0], params, work, argmax, images, divisor, order, out)


def inference():
    drawn = nets.case(nets.MAKES[12], np.float32, images=9)
    out = np.empty((9, drawn.network.classes), np.float32)
    return case(predict_in_groups, *arguments(drawn.network, drawn.images, np.arange(9), out))


def digits():
    glyphs, starts = synthetic.glyph_arrays()
    style, images, labels = np.empty((3, len(STYLE))), np.ones((3, 8, 8), np.uint8), np.ones(3, np.uint8)
    return case(draw_digits, np.uint64(3), 0, glyphs, starts, style, images, labels)


CASES = {
    "activation forward": lambda: case(activation.activation_forward, RELU, numbers(50), numbers(50) + 1),
    "activation backward": lambda: case(
        activation.activation_backward, RELU, numbers(50), numbers(50) + 1, numbers(50) + 2
    ),
    "fma peak": lambda: case(fma_peak.fma_peak, numbers(2), 3, numbers(4, 1)),
    "conv2d forward": lambda: case(
        convolution.conv2d_forward, numbers(3, 4, 4, 2), numbers(3, 3, 2, 3), numbers(4, 4, 3), numbers(3, 4, 4, 3)
    ),
    "conv2d backward input": lambda: case(
        convolution.conv2d_backward_input, numbers(3, 4, 4, 3), numbers(3, 3, 2, 3), numbers(3, 4, 4, 2)
    ),
    "conv2d backward weight": lambda: case(
        convolution.conv2d_backward_weight, numbers(5, 4, 4, 2), numbers(5, 4, 4, 3), numbers(3, 3, 2, 3),
        numbers(1, 1, 3),
    ),
    "max pool forward": lambda: case(
        pooling.max_pool2d_forward, numbers(3, 5, 4, 3), numbers(3, 2, 2, 3), np.full((3, 2, 2, 3), 77, np.uint8)
    ),
    "max pool backward": lambda: case(
        pooling.max_pool2d_backward, numbers(3, 2, 2, 3), np.full((3, 2, 2, 3), 4, np.uint8), numbers(3, 5, 4, 3)
    ),
    "average pool forward": lambda: case(
        pooling.average_pool2d_forward, numbers(3, 5, 4, 3), numbers(3, 2, 2, 3)
    ),
    "average pool backward": lambda: case(
        pooling.average_pool2d_backward, numbers(3, 2, 2, 3), numbers(3, 5, 4, 3)
    ),
    "dropout": lambda: case(dropout.dropout, 0.5, 3, 5, 1, np.arange(4), numbers(4, 6)),
    "augment images": lambda: case(
        augment_images, numbers(4, 5, 4, 2), np.array([3, 0, 2]), 3, 1, np.array([1.5, 0.3, 0.1, 0.1, 1.0]),
        numbers(4, 5, 4, 2),
    ),
    "linear forward": lambda: case(
        linear.linear_forward, numbers(3, 5), numbers(5, 4), numbers(4), numbers(3, 4)
    ),
    "linear backward input": lambda: case(
        linear.linear_backward_input, numbers(3, 4), numbers(5, 4), numbers(3, 5)
    ),
    "linear backward weight": lambda: case(
        linear.linear_backward_weight, numbers(3, 5), numbers(3, 4), numbers(5, 4), numbers(4)
    ),
    "training a cnn": training(("conv3 pool conv9 pool conv2 dense20 dense9", (9, 8, 1), "position"), 6),
    "training an mlp": training(("dense20 dense9", (4, 5, 1), "position"), 10),
    "a cnn, image after image": one_by_one(("conv16 pool conv32 pool conv32 dense40 dense9", (9, 8, 1), "position")),
    "another one": one_by_one(("conv3 conv5 pool dense20 dense9", (6, 5, 1), "channel")),
    "an mlp, image after image": one_by_one(("dense40:tanh dense33 dense9", (4, 5, 1), "position")),
    "inference": inference,
    "digits": digits,
}  # fmt: skip


def add_to_few(x, out):
    for i in schedules.prange(x.size):
        out[i % 4] += x[i]


def read_the_neighbour(x, out):
    for i in schedules.prange(x.size):
        out[i] = out[max(i - 1, 0)] + x[i]


def overlap_by_one(x, out):
    for chunk in schedules.prange(4):
        stop = min(4 * chunk + 5, x.size)
        out[4 * chunk : stop] = x[4 * chunk : stop] + chunk


def sum_as_they_arrive(x, out):
    total = np.float32(0)
    for i in schedules.prange(x.size):
        total += x[i]
    out[0] = total


def share_scratch(x, out, scratch):
    for i in schedules.prange(x.size):
        scratch[0] = x[i]
        out[i] = scratch[0] * 2


def planted(function, scratch=False):
    return lambda: case(function, numbers(16), np.zeros(16, np.float32), *([np.zeros(1, np.float32)] * scratch))


PLANTED = {
    "two items add to one element": planted(add_to_few),
    "an item reads what another writes": planted(read_the_neighbour),
    "pieces that overlap by one": planted(overlap_by_one),
    "a sum in order of arrival": planted(sum_as_they_arrive),
    "one scratch for all": planted(share_scratch, True),
}
