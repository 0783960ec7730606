"""The convolution and its gradients against their equations, central differences, and writes outside their outputs."""

import compiled
import naive
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, assert_within, central_differences, worst_relative_error
from canary import assert_unharmed, guarded, unwritten
from hypothesis import given
from hypothesis import strategies as st
from shapes import DTYPES, channels, frame, heights, normal, seeds, widths

from jitnet.kernels.layers.convolution import conv2d_backward_input, conv2d_backward_weight, conv2d_forward

few = st.integers(1, 3)  # images: each is computed like the others
fewer_channels = st.sampled_from((1, 3, 5, 16, 17))


def forward(x, weight, bias):
    out = unwritten((len(x), x.shape[1] - 2, x.shape[2] - 2, weight.shape[3]), x.dtype)
    conv2d_forward(guarded(x), guarded(weight), guarded(bias), out)
    assert_unharmed(out)
    return out


def backward_input(grad_output, weight):
    _, _, C, OC = weight.shape
    flipped = unwritten((3, 3, OC, C), weight.dtype)
    grad_input = unwritten((len(grad_output), grad_output.shape[1] - 2, grad_output.shape[2] - 2, C), weight.dtype)
    zeros = np.zeros((1, 1, C), weight.dtype)
    conv2d_backward_input(guarded(grad_output), flipped, guarded(weight), zeros, grad_input)
    assert_unharmed(flipped, grad_input)
    return grad_input


def backward_weight(x, grad_output, shards):
    shape = (3, 3, x.shape[3], grad_output.shape[3])
    scratch, grad_weight = unwritten((shards, *shape), x.dtype), unwritten(shape, x.dtype)
    conv2d_backward_weight(guarded(x), guarded(grad_output), scratch, grad_weight)
    assert_unharmed(scratch, grad_weight)
    return grad_weight


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=few, H=heights, W=widths, C=fewer_channels, OC=channels, per_channel=st.booleans(), seed=seeds)
def test_forward(dtype, N, H, W, C, OC, per_channel, seed):
    x, weight = frame(normal(seed, dtype, N, H, W, C)), normal(seed, dtype, 3, 3, C, OC)
    bias = normal(seed, dtype, *(1, 1, OC) if per_channel else (H, W, OC))
    expected = naive.conv2d_forward(x, weight, bias)
    magnitude = naive.conv2d_forward(np.abs(x), np.abs(weight), np.abs(bias))
    assert_within(forward(x, weight, bias), expected, 9 * C + 2, magnitude)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=few, H=heights, W=widths, C=channels, OC=fewer_channels, seed=seeds)
def test_backward_input(dtype, N, H, W, C, OC, seed):
    grad_output, weight = frame(normal(seed, dtype, N, H, W, OC)), normal(seed, dtype, 3, 3, C, OC)
    expected = naive.conv2d_backward_input(grad_output, weight)
    magnitude = naive.conv2d_backward_input(np.abs(grad_output), np.abs(weight))
    assert_within(backward_input(grad_output, weight), expected, 9 * OC + 2, magnitude)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=st.integers(1, 9), H=heights, W=widths, C=fewer_channels, OC=channels, shards=st.integers(1, 4), seed=seeds)
def test_backward_weight(dtype, N, H, W, C, OC, shards, seed):
    """H*W products an image, one addition for each image and for each shard."""
    x, grad_output = frame(normal(seed, dtype, N, H, W, C)), frame(normal(seed, dtype, N, H, W, OC))
    found = backward_weight(x, grad_output, min(shards, N))
    expected = naive.conv2d_backward_weight(x, grad_output)
    magnitude = naive.conv2d_backward_weight(np.abs(x), np.abs(grad_output))
    assert_within(found, expected, H * W + 2 * N + shards, magnitude)


@given(C=channels, OC=channels, seed=seeds)
def test_filters_are_turned_round_exactly(C, OC, seed):
    weight, out = normal(seed, np.float32, 3, 3, C, OC), unwritten((3, 3, OC, C), np.float32)
    compiled.flip_weight(weight, out)
    assert_unharmed(out)
    assert np.array_equal(out, weight[::-1, ::-1].swapaxes(2, 3))


@pytest.mark.parametrize("shape", [(1, 1, 1, 1, 1), (2, 3, 4, 3, 5), (1, 5, 2, 17, 3)])
def test_central_differences(shape):
    """Linear in each argument, so the step may have any size."""
    N, H, W, C, OC = shape
    x, grad_output = normal(0, np.float64, N, H, W, C), frame(normal(1, np.float64, N, H, W, OC))
    weight, bias = normal(2, np.float64, 3, 3, C, OC), normal(3, np.float64, H, W, OC)

    def loss():
        return np.sum(naive.conv2d_forward(frame(x), weight, bias) * grad_output[:, 1:-1, 1:-1])

    for found, array in (
        (backward_input(grad_output, weight), x),
        (backward_weight(frame(x), grad_output, N), weight),
    ):
        expected = central_differences(loss, array, step=0.01)
        assert worst_relative_error(found, expected) <= GRADIENT_ERROR


@given(k=st.integers(-20, 20), seed=seeds)
def test_scaling_by_a_power_of_two_is_exact(k, seed):
    x, weight, bias = (normal(seed, np.float32, *shape) for shape in ((1, 6, 7, 3), (3, 3, 3, 17), (4, 5, 17)))
    scale = np.float32(2.0**k)
    assert np.array_equal(forward(x * scale, weight, bias * scale), forward(x, weight, bias) * scale)


@pytest.mark.parametrize("dtype", DTYPES)
@given(H=heights, W=widths, C=fewer_channels, OC=channels, each=st.booleans(), seed=seeds, cut=st.integers(0, 40))
def test_a_row_of_some_filters(dtype, H, W, C, OC, each, seed, cut):
    """The outputs of the other filters do not change."""
    x, weight = frame(normal(seed, dtype, 1, H, W, C))[0], normal(seed + 1, dtype, 3, 3, C, OC)
    bias, before = normal(seed + 2, dtype, *((H, W) if each else (1, 1)), OC), normal(seed + 3, dtype, W, OC)
    y, first, stop = seed % H, min(cut, OC) // 2, min(cut, OC)
    out = guarded(before.copy())
    compiled.conv2d_row(guarded(x), guarded(weight), guarded(bias), y, first, stop, out.reshape(-1))
    assert_unharmed(out)
    magnitude = naive.conv2d_row(np.abs(x), np.abs(weight), np.abs(bias), y, first, stop)
    assert_within(out[:, first:stop], naive.conv2d_row(x, weight, bias, y, first, stop), 9 * C + 4, magnitude)
    assert np.array_equal(out[:, :first], before[:, :first]) and np.array_equal(out[:, stop:], before[:, stop:])
