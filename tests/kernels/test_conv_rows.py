"""The fast path's rows of a convolution, its turned filters and its weight gradient, against the equations."""

import compiled
import naive
import numpy as np
import pytest
from bounds import assert_within
from canary import assert_unharmed, guarded, unwritten
from hypothesis import given
from hypothesis import strategies as st
from shapes import DTYPES, channels, frame, heights, normal, seeds, widths

fewer_channels = st.sampled_from((1, 3, 5, 16, 17))


@given(C=channels, OC=channels, seed=seeds)
def test_filters_are_turned_round_exactly(C, OC, seed):
    weight, out = normal(seed, np.float32, 3, 3, C, OC), unwritten((3, 3, OC, C), np.float32)
    compiled.flip_weight(weight, out)
    assert_unharmed(out)
    assert np.array_equal(out, weight[::-1, ::-1].swapaxes(2, 3))


ROWS = {  # name: kernel, twin
    "contraction": (compiled.conv2d_row, lambda *row: naive.conv2d_row(*row)),
    "few channels": (compiled.conv2d_row_few_channels, lambda *row: naive.conv2d_row_few_channels(*row)),
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("dtype", DTYPES)
@given(H=heights, W=widths, C=fewer_channels, OC=channels, each=st.booleans(), seed=seeds, cut=st.integers(0, 40))
def test_a_row_of_some_filters(name, dtype, H, W, C, OC, each, seed, cut):
    """The outputs of the other filters do not change."""
    row, twin = ROWS[name]
    x, weight = frame(normal(seed, dtype, 1, H, W, C))[0], normal(seed + 1, dtype, 3, 3, C, OC)
    bias, before = normal(seed + 2, dtype, *((H, W) if each else (1, 1)), OC), normal(seed + 3, dtype, W, OC)
    y, first, stop = seed % H, min(cut, OC) // 2, min(cut, OC)
    out = guarded(before.copy())
    row(guarded(x), guarded(weight), guarded(bias), y, first, stop, out.reshape(-1))
    assert_unharmed(out)
    magnitude = twin(np.abs(x), np.abs(weight), np.abs(bias), y, first, stop)
    assert_within(out[:, first:stop], twin(x, weight, bias, y, first, stop), 9 * C + 4, magnitude)
    assert np.array_equal(out[:, :first], before[:, :first]) and np.array_equal(out[:, stop:], before[:, stop:])


@pytest.mark.parametrize("dtype", DTYPES)
@given(H=heights, W=widths, C=fewer_channels, OC=channels, each=st.booleans(), seed=seeds, y=st.integers(0, 40))
def test_filters_between_others_give_the_same_bits(dtype, H, W, C, OC, each, seed, y):
    """A half of one image keeps its filters and biases apart, so that their strides are not those of the layer."""
    x = frame(normal(seed, dtype, 1, H, W, C))[0]
    weight = normal(seed + 1, dtype, 3, 3, C, OC + 5)[..., 3 : 3 + OC]
    bias = normal(seed + 2, dtype, *((H, W) if each else (1, 1)), OC + 3)[..., 2 : 2 + OC]
    alone, between = unwritten((W, OC), dtype), unwritten((W, OC), dtype)
    compiled.conv2d_row(x, weight.copy(), bias.copy(), y % H, 0, OC, alone.reshape(-1))
    compiled.conv2d_row(x, weight, bias, y % H, 0, OC, between.reshape(-1))
    assert_unharmed(between)
    assert np.array_equal(between, alone)


@pytest.mark.parametrize("dtype", DTYPES)
@given(H=heights, W=widths, C=fewer_channels, OC=channels, seed=seeds)
def test_a_weight_gradient_added_to_what_is_there(dtype, H, W, C, OC, seed):
    x, grad_output = frame(normal(seed, dtype, 1, H, W, C)), frame(normal(seed, dtype, 1, H, W, OC))
    before = normal(seed + 1, dtype, 3, 3, C, OC)
    found = guarded(before.copy())
    compiled.conv2d_backward_weight_sample(guarded(x[0]), guarded(grad_output[0]), dtype(-0.5), found, found)
    assert_unharmed(found)
    expected = before - 0.5 * naive.conv2d_backward_weight(x, grad_output)
    magnitude = np.abs(before) + naive.conv2d_backward_weight(np.abs(x), np.abs(grad_output))
    assert_within(found, expected, H * W + 4, magnitude)
