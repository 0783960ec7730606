"""The convolution and its gradients against their equations, central differences, and writes outside their outputs."""

import naive
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, assert_within, central_differences, worst_relative_error
from canary import assert_unharmed, guarded, unwritten
from hypothesis import given
from hypothesis import strategies as st
from shapes import DTYPES, frame, heights, normal, seeds

from jitnet.kernels.layers.convolution import conv2d_backward_input, conv2d_backward_weight, conv2d_forward

few = st.integers(1, 3)  # images: each is computed like the others
channels = st.sampled_from((1, 2, 3, 5, 16, 17))
widths = st.integers(1, 12)


def forward(x, weight, bias):
    out = unwritten((*x.shape[:3], weight.shape[3]), x.dtype)
    conv2d_forward(guarded(x), guarded(weight), guarded(bias), out)
    assert_unharmed(out)
    return out


def backward_input(grad_output, weight):
    grad_input = unwritten((*grad_output.shape[:3], weight.shape[2]), weight.dtype)
    conv2d_backward_input(guarded(grad_output), guarded(weight), grad_input)
    assert_unharmed(grad_input)
    return grad_input


def backward_weight(x, grad_output, before, before_bias):
    grad_weight, grad_bias = guarded(before.copy()), guarded(before_bias.copy())
    conv2d_backward_weight(guarded(x), guarded(grad_output), grad_weight, grad_bias)
    assert_unharmed(grad_weight, grad_bias)
    return grad_weight, grad_bias


def summed(grad_output, bias):
    """Return the bias's gradient, of its shape."""
    over = (0, 1, 2) if bias.shape[:2] == (1, 1) else 0
    return np.float64(grad_output).sum(axis=over).reshape(bias.shape)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=few, H=heights, W=widths, C=channels, OC=channels, per_channel=st.booleans(), seed=seeds)
def test_forward(dtype, N, H, W, C, OC, per_channel, seed):
    x, weight = normal(seed, dtype, N, H, W, C), normal(seed, dtype, 3, 3, C, OC)
    bias = normal(seed, dtype, *(1, 1, OC) if per_channel else (H, W, OC))
    expected = naive.conv2d_forward(frame(x), weight, bias)
    magnitude = naive.conv2d_forward(frame(np.abs(x)), np.abs(weight), np.abs(bias))
    assert_within(forward(x, weight, bias), expected, 18 * C + 2, magnitude)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=few, H=heights, W=widths, C=channels, OC=channels, seed=seeds)
def test_backward_input(dtype, N, H, W, C, OC, seed):
    grad_output, weight = normal(seed, dtype, N, H, W, OC), normal(seed, dtype, 3, 3, C, OC)
    expected = naive.conv2d_backward_input(frame(grad_output), weight)
    magnitude = naive.conv2d_backward_input(frame(np.abs(grad_output)), np.abs(weight))
    assert_within(backward_input(grad_output, weight), expected, 18 * OC + 2, magnitude)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=few, H=heights, W=widths, C=channels, OC=channels, per_channel=st.booleans(), seed=seeds)
def test_backward_weight_adds_to_what_is_there(dtype, N, H, W, C, OC, per_channel, seed):
    """A product and an addition a pixel, and one for what was there."""
    x, grad = normal(seed, dtype, N, H, W, C), normal(seed, dtype, N, H, W, OC)
    before, bias = normal(seed + 1, dtype, 3, 3, C, OC), normal(seed, dtype, *(1, 1, OC) if per_channel else (H, W, OC))
    found, found_bias = backward_weight(x, grad, before, bias)
    expected = before + naive.conv2d_backward_weight(frame(x), frame(grad))
    magnitude = np.abs(before) + naive.conv2d_backward_weight(frame(np.abs(x)), frame(np.abs(grad)))
    assert_within(found, expected, 2 * N * H * W + 1, magnitude)
    assert_within(found_bias, bias + summed(grad, bias), N * H * W + 1, np.abs(bias) + summed(np.abs(grad), bias))


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1, 1), (2, 3, 4, 3, 5), (1, 5, 2, 17, 3)])
def test_central_differences(shape, per_channel):
    """Linear in each argument, so that a step of any size will do."""
    N, H, W, C, OC = shape
    x, grad_output = normal(0, np.float64, N, H, W, C), normal(1, np.float64, N, H, W, OC)
    weight = normal(2, np.float64, 3, 3, C, OC)
    bias = normal(3, np.float64, *(1, 1, OC) if per_channel else (H, W, OC))

    def loss():
        return np.sum(naive.conv2d_forward(frame(x), weight, bias) * grad_output)

    gradients = backward_weight(x, grad_output, 0 * weight, 0 * bias)
    for found, array in zip((backward_input(grad_output, weight), *gradients), (x, weight, bias)):
        expected = central_differences(loss, array, step=0.01)
        assert worst_relative_error(found, expected) <= GRADIENT_ERROR


@given(k=st.integers(-20, 20), seed=seeds)
def test_scaling_by_a_power_of_two_is_exact(k, seed):
    x, weight, bias = (normal(seed, np.float32, *shape) for shape in ((1, 4, 5, 3), (3, 3, 3, 17), (4, 5, 17)))
    scale = np.float32(2.0**k)
    assert np.array_equal(forward(x * scale, weight, bias * scale), forward(x, weight, bias) * scale)
