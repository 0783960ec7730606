"""Max-pooling: compared without tolerance, since it only chooses. Ties, padding and dead windows on purpose."""

import compiled
import naive
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, assert_within, central_differences, worst_relative_error
from canary import assert_unharmed, guarded, unwritten
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import DTYPES, channels, normal, seeds

from jitnet.kernels.layers.pooling import DEAD, max_pool2d_backward, max_pool2d_forward

few = st.integers(1, 3)
heights = st.integers(2, 9)
widths = st.integers(2, 30)


def forward(x, relu):
    N, H, W, C = x.shape
    out, argmax = unwritten((N, H // 2, W // 2, C), x.dtype), unwritten((N, H // 2, W // 2, C), np.uint8)
    max_pool2d_forward(guarded(x), relu, out, argmax)
    assert_unharmed(out, argmax)
    return out, argmax


def backward(grad_output, argmax, H, W):
    grad_input = unwritten((len(grad_output), H, W, grad_output.shape[3]), grad_output.dtype)
    max_pool2d_backward(guarded(grad_output), guarded(argmax), grad_input)
    assert_unharmed(grad_input)
    return grad_input


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=few, H=heights, W=widths, C=channels, relu=st.booleans(), coarse=st.booleans(), seed=seeds)
def test_forward(dtype, N, H, W, C, relu, coarse, seed):
    """Coarse numbers are full of ties, which go to the first."""
    x = normal(seed, dtype, N, H, W, C)
    x = np.round(x) if coarse else x
    for found, expected in zip(forward(x, relu), naive.max_pool2d_forward(x, relu)):
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=few, H=heights, W=st.integers(2, 9), C=channels, relu=st.booleans(), seed=seeds)
def test_backward(dtype, N, H, W, C, relu, seed):
    """At most four windows meet in a pixel: three additions."""
    x, grad = normal(seed, dtype, N, H, W, C), normal(seed + 1, dtype, N, H // 2, W // 2, C)
    _, argmax = forward(x, relu)
    expected = naive.max_pool2d_backward(grad, argmax, H, W)
    magnitude = naive.max_pool2d_backward(np.abs(grad), argmax, H, W)
    assert_within(backward(grad, argmax, H, W), expected, 3, magnitude)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("H, W", [(2, 2), (5, 4), (6, 7)])
def test_central_differences(H, W, relu):
    x = np.random.default_rng(0).permutation(2 * H * W * 3).reshape(2, H, W, 3) / 10.0 - H * W / 10 + 0.05  # no ties
    grad = normal(1, np.float64, 2, H // 2, W // 2, 3)
    _, argmax = forward(x, relu)
    expected = central_differences(lambda: np.sum(naive.max_pool2d_forward(x, relu)[0] * grad), x, step=0.01)
    assert worst_relative_error(backward(grad, argmax, H, W), expected) <= GRADIENT_ERROR


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_padding_never_wins(dtype):
    for H, W in ((2, 2), (3, 3), (4, 5), (28, 28)):
        x = -1 - np.abs(normal(0, dtype, 1, H, W, 17))
        out, argmax = forward(x, False)
        assert (out < 0).all() and np.array_equal(argmax, naive.max_pool2d_forward(x, False)[1])
        lowest = np.full_like(x, -np.inf)
        out, argmax = forward(lowest, False)
        assert np.isneginf(out).all() and (argmax == 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_dead_window_is_marked_and_gets_no_gradient(dtype):
    for value in (-1, 0):
        x = np.full((1, 4, 6, 5), value, dtype)
        out, argmax = forward(x, True)
        assert (out == 0).all() and (argmax == DEAD).all()
        assert (backward(np.ones_like(out), argmax, 4, 6) == 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_tie_goes_to_the_first(dtype):
    out, argmax = forward(np.full((1, 5, 5, 18), 7, dtype), True)
    assert (out == 7).all() and (argmax == 0).all()
    x = np.zeros((1, 3, 3, 1), dtype)
    x[0, 1, 2] = x[0, 2, 0] = 4
    assert forward(x, False)[1].item() == 5


def test_fixed_sizes_of_the_documents():
    x = normal(0, np.float32, 1, 28, 28, 2)
    once, _ = forward(x, True)
    assert once.shape == (1, 14, 14, 2) and forward(once, True)[0].shape == (1, 7, 7, 2)


@pytest.mark.parametrize("dtype", DTYPES)
@given(W=widths, C=channels, relu=st.booleans(), last=st.booleans(), seed=seeds, cut=st.integers(0, 40))
def test_a_row_of_some_channels(dtype, W, C, relu, last, seed, cut):
    """The others' numbers stay as they are."""
    rows = [guarded(np.round(normal(seed + n, dtype, W, C))) for n in range(3)]
    rows[2] = rows[0] if last else rows[2]
    first, stop = min(cut, C) // 2, min(cut, C)
    before, places = normal(seed + 3, dtype, W // 2, C), np.full((W // 2, C), 77, np.uint8)
    out, argmax = guarded(before.copy()), guarded(places.copy())
    compiled.max_pool2d_row(*rows, int(relu), first, stop, out, argmax)
    assert_unharmed(out, argmax)
    before[:, first:stop], places[:, first:stop] = naive.max_pool2d_row(*rows, relu, first, stop)
    assert np.array_equal(out, before) and np.array_equal(argmax, places)


@pytest.mark.parametrize("dtype", DTYPES)
@given(H=heights, W=st.integers(2, 9), C=channels, seed=seeds, cut=st.integers(0, 40), half=st.booleans())
@example(H=7, W=5, C=9, seed=0, cut=40, half=False)
def test_a_share_of_a_gradient_inside_a_border(dtype, H, W, C, seed, cut, half):
    """The border, the other rows and the others' channels stay as they are."""
    grad = normal(seed, dtype, 1, H // 2, W // 2, C)
    _, argmax = forward(normal(seed + 1, dtype, 1, H, W, C), True)
    first, stop = min(cut, C) // 2, min(cut, C)
    top, bottom = (0, H // 4) if half else (H // 4, H // 2)
    asked = np.s_[2 * top : 2 * bottom if half else H, :, first:stop]
    before = normal(seed + 2, dtype, H + 2, W + 2, C)
    found = guarded(before.copy())
    compiled.max_pool2d_backward_sample(guarded(grad[0]), argmax[0], 1, (top, bottom, first, stop), found)
    assert_unharmed(found)
    inside = found[1:-1, 1:-1][asked]
    magnitude = naive.max_pool2d_backward(np.abs(grad), argmax, H, W)[0][asked]
    assert_within(inside, naive.max_pool2d_backward(grad, argmax, H, W)[0][asked], 3, magnitude)
    inside[...] = before[1:-1, 1:-1][asked]
    assert np.array_equal(found, before)
