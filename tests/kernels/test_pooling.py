"""Max-pooling: compared without tolerance, since it only chooses. Ties and padding on purpose. Average pooling."""

import naive
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, assert_within, central_differences, worst_relative_error
from canary import assert_unharmed, guarded, unwritten
from hypothesis import given
from hypothesis import strategies as st
from shapes import DTYPES, channels, normal, seeds

from jitnet.kernels.layers.pooling import (
    average_pool2d_backward,
    average_pool2d_forward,
    max_pool2d_backward,
    max_pool2d_forward,
)

few = st.integers(1, 3)
heights = st.integers(2, 9)
widths = st.integers(2, 30)


def forward(x):
    N, H, W, C = x.shape
    out, argmax = unwritten((N, H // 2, W // 2, C), x.dtype), unwritten((N, H // 2, W // 2, C), np.uint8)
    max_pool2d_forward(guarded(x), out, argmax)
    assert_unharmed(out, argmax)
    return out, argmax


def backward(grad_output, argmax, H, W):
    grad_input = unwritten((len(grad_output), H, W, grad_output.shape[3]), grad_output.dtype)
    max_pool2d_backward(guarded(grad_output), guarded(argmax), grad_input)
    assert_unharmed(grad_input)
    return grad_input


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=few, H=heights, W=widths, C=channels, coarse=st.booleans(), seed=seeds)
def test_forward(dtype, N, H, W, C, coarse, seed):
    """Coarse numbers are full of ties, which go to the first."""
    x = normal(seed, dtype, N, H, W, C)
    x = np.round(x) if coarse else x
    for found, expected in zip(forward(x), naive.max_pool2d_forward(x, False)):
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=few, H=heights, W=st.integers(2, 9), C=channels, seed=seeds)
def test_backward(dtype, N, H, W, C, seed):
    """At most four windows meet in a pixel: three additions."""
    x, grad = normal(seed, dtype, N, H, W, C), normal(seed + 1, dtype, N, H // 2, W // 2, C)
    _, argmax = forward(x)
    expected = naive.max_pool2d_backward(grad, argmax, H, W)
    magnitude = naive.max_pool2d_backward(np.abs(grad), argmax, H, W)
    assert_within(backward(grad, argmax, H, W), expected, 3, magnitude)


@pytest.mark.parametrize("H, W", [(2, 2), (5, 4), (6, 7)])
def test_central_differences(H, W):
    x = np.random.default_rng(0).permutation(2 * H * W * 3).reshape(2, H, W, 3) / 10.0 - H * W / 10 + 0.05  # no ties
    grad = normal(1, np.float64, 2, H // 2, W // 2, 3)
    _, argmax = forward(x)
    expected = central_differences(lambda: np.sum(naive.max_pool2d_forward(x, False)[0] * grad), x, step=0.01)
    assert worst_relative_error(backward(grad, argmax, H, W), expected) <= GRADIENT_ERROR


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_padding_never_wins(dtype):
    for H, W in ((2, 2), (3, 3), (4, 5), (28, 28)):
        x = -1 - np.abs(normal(0, dtype, 1, H, W, 17))
        out, argmax = forward(x)
        assert (out < 0).all() and np.array_equal(argmax, naive.max_pool2d_forward(x, False)[1])
        lowest = np.full_like(x, -np.inf)
        out, argmax = forward(lowest)
        assert np.isneginf(out).all() and (argmax == 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_tie_goes_to_the_first(dtype):
    out, argmax = forward(np.full((1, 5, 5, 18), 7, dtype))
    assert (out == 7).all() and (argmax == 0).all()
    x = np.zeros((1, 3, 3, 1), dtype)
    x[0, 1, 2] = x[0, 2, 0] = 4
    assert forward(x)[1].item() == 5


def test_fixed_sizes_of_the_documents():
    x = normal(0, np.float32, 1, 28, 28, 2)
    once, _ = forward(x)
    assert once.shape == (1, 14, 14, 2) and forward(once)[0].shape == (1, 7, 7, 2)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=few, H=heights, W=st.integers(2, 9), C=channels, seed=seeds)
def test_average(dtype, N, H, W, C, seed):
    """Nine terms and a division forward; backward at most four windows meet in a pixel."""
    x, grad = normal(seed, dtype, N, H, W, C), normal(seed + 1, dtype, N, H // 2, W // 2, C)
    out, grad_input = unwritten(grad.shape, dtype), unwritten(x.shape, dtype)
    average_pool2d_forward(guarded(x), out)
    average_pool2d_backward(guarded(grad), grad_input)
    assert_unharmed(out, grad_input)
    assert_within(out, naive.average_pool2d_forward(x), 10, naive.average_pool2d_forward(np.abs(x)))
    magnitude = naive.average_pool2d_backward(np.abs(grad), H, W)
    assert_within(grad_input, naive.average_pool2d_backward(grad, H, W), 5, magnitude)


@pytest.mark.parametrize("H, W", [(2, 2), (5, 4), (6, 7)])
def test_central_differences_of_the_average(H, W):
    x, grad = normal(0, np.float64, 2, H, W, 3), normal(1, np.float64, 2, H // 2, W // 2, 3)
    expected = central_differences(lambda: np.sum(naive.average_pool2d_forward(x) * grad), x, step=0.01)
    found = np.empty_like(x)
    average_pool2d_backward(grad, found)
    assert worst_relative_error(found, expected) <= GRADIENT_ERROR
