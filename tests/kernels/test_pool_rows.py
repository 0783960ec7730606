"""The fast path's rows of windows, ReLU included, compared without tolerance, and its share of a gradient."""

import compiled
import naive
import numpy as np
import pytest
from bounds import assert_within
from canary import assert_unharmed, guarded
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import DTYPES, channels, normal, seeds

heights = st.integers(2, 9)
widths = st.integers(2, 30)


@pytest.mark.parametrize("dtype", DTYPES)
@given(W=widths, C=channels, flags=st.tuples(*3 * [st.booleans()]), seed=seeds, cut=st.integers(0, 40))
def test_a_row_of_some_channels(dtype, W, C, flags, seed, cut):
    """The others' numbers stay as they are; without room for the winners none is kept."""
    relu, last, kept = flags
    rows = [guarded(np.round(normal(seed + n, dtype, W, C))) for n in range(3)]
    rows[2] = rows[0] if last else rows[2]
    first, stop = min(cut, C) // 2, min(cut, C)
    before, places = normal(seed + 3, dtype, W // 2, C), np.full((W // 2, C), 77, np.uint8)
    places = places if kept else places[:0]
    out, argmax = guarded(before.copy()), guarded(places.copy())
    compiled.max_pool2d_row(*rows, int(relu), first, stop, out, argmax)
    assert_unharmed(out, argmax)
    before[:, first:stop], winners = naive.max_pool2d_row(*rows, relu, first, stop)
    places[:, first:stop] = winners[: len(places)]
    assert np.array_equal(out, before) and np.array_equal(argmax, places)


@pytest.mark.parametrize("dtype", DTYPES)
@given(H=heights, W=st.integers(2, 9), C=channels, seed=seeds, cut=st.integers(0, 40), half=st.booleans())
@example(H=7, W=5, C=9, seed=0, cut=40, half=False)
def test_a_share_of_a_gradient_inside_a_border(dtype, H, W, C, seed, cut, half):
    """The border, the other rows and the others' channels stay as they are."""
    grad = normal(seed, dtype, 1, H // 2, W // 2, C)
    _, argmax = naive.max_pool2d_forward(normal(seed + 1, dtype, 1, H, W, C), True)
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
