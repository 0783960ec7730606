"""A conv block fused with its pool compared with the simple pages one after the other, and what it leaves alone."""

import compiled
import nets
import numpy as np
import pytest
from bounds import assert_within
from hypothesis import given
from hypothesis import strategies as st
from shapes import DTYPES, channels, seeds

from jitnet.kernels.compiler.tile import VECTOR_BYTES
from jitnet.kernels.fast.batch_conv_forward import conv_blocks_forward
from jitnet.kernels.layers.activation import activation_forward
from jitnet.kernels.layers.convolution import conv2d_forward
from jitnet.kernels.layers.pooling import max_pool2d_forward
from jitnet.kernels.table import CONTRACTION, RELU
from jitnet.model.kernel_choice import BATCH, choose
from jitnet.model.memory_plan import build


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    H=st.integers(2, 9),
    W=st.integers(2, 30),
    C=st.sampled_from((1, 3, 8)),
    OC=channels,
    bias=st.sampled_from(("position", "channel")),
    pool=st.booleans(),
    seed=seeds,
)
def test_fused_is_plain(dtype, H, W, C, OC, bias, pool, seed):
    N = 2
    case = nets.case((f"conv{OC} {'pool ' * pool}dense2", (H, W, C), bias), dtype, N, seed)
    network = case.network
    (conv, *rest) = choose(network.shapes, BATCH, dtype().itemsize, VECTOR_BYTES)  # the parts are contractions
    space = build(network.shapes, N, 2, dtype, BATCH, (conv._replace(forward_by=CONTRACTION), *rest))
    fused = space.layers, space.plan, network.params, space.work, space.argmax
    conv_blocks_forward(*fused, case.images, dtype(255), np.arange(N))

    x = case.images.astype(dtype) / dtype(255)
    out = np.empty((N, H, W, OC), dtype)
    tensors = network.tensors()
    conv2d_forward(x, tensors["conv1.weight"], tensors["conv1.bias"], out)
    activation_forward(RELU, out.reshape(-1), out.reshape(-1))
    if pool:
        pooled, argmax = np.empty((N, H // 2, W // 2, OC), dtype), np.empty((N, H // 2, W // 2, OC), np.uint8)
        max_pool2d_forward(out, pooled, argmax)
        out = pooled
    found = space.work[space.layers[0]["out"] :][: out.size].reshape(out.shape)
    assert_within(found, out, 18 * C + 40, 1 + np.abs(out).max())


@given(seed=seeds)
def test_borders_stay_zero(seed):
    """Between conv blocks the border belongs to the buffer; training must not change it."""
    case = nets.case(nets.MAKES[10], np.float32, 5, seed)
    case.network.train_steps(case.images, case.targets, np.arange(5), 5, np.array([0.1]), np.zeros(1))
    space = case.network.workspace(5)
    for before, row in zip(space.layers, space.layers[1 : space.plan[0]["convs"]]):
        assert before["border"] == 1
        x = space.work[row["x"] :][: 5 * row["x_size"]].reshape(5, row["H"] + 2, row["W"] + 2, row["C"])
        edge = np.ones(x.shape, bool)
        edge[:, 1:-1, 1:-1] = False
        assert (x[edge] == 0).all() and (x != 0).any()


def test_a_block_alone_is_the_block_of_the_trunk():
    case = nets.case(nets.MAKES[6], np.float32, 2)
    network = case.network
    space = network.workspace(2)
    buffers = network.params, space.work, space.argmax
    conv_blocks_forward(space.layers, space.plan, *buffers, case.images, np.float32(255), np.arange(2))
    whole = space.work.copy()
    row = space.layers[0]
    region = slice(row["out"], row["out"] + 2 * row["out_size"])
    space.work[region] = -1
    for n in range(2):
        compiled.conv_block_forward(space.layers, 0, *buffers, n, space.plan[0]["scratch"])
    assert np.array_equal(space.work[region], whole[region])
