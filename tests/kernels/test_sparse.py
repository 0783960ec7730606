"""The sparse forms of a convolution's gradients against the dense ones, which know nothing of zeros."""

import compiled
import naive
import numpy as np
import pytest
from bounds import assert_within
from canary import assert_unharmed, guarded, unwritten
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import DTYPES, channels, frame, normal, seeds

from jitnet.kernels.table import NOTHING, SPARSE_BY_FILTER, SPARSE_BY_PIXEL

few = st.sampled_from((1, 2, 5, 17, 65))  # an integer holds the flags of 64 filters


@pytest.mark.parametrize("dtype", DTYPES)
@given(C=channels, OC=few, seed=seeds)
def test_channels_first_and_last(dtype, C, OC, seed):
    weight = normal(seed, dtype, 3, 3, C, OC)
    by_filter, back = unwritten((OC, 3, 3, C), dtype), unwritten(weight.shape, dtype)
    compiled.to_filter_major(guarded(weight), by_filter)
    compiled.from_filter_major(by_filter, back)
    assert_unharmed(by_filter, back)
    assert np.array_equal(by_filter, np.moveaxis(weight, 3, 0)) and np.array_equal(back, weight)


@pytest.mark.parametrize("way", (NOTHING, SPARSE_BY_PIXEL, SPARSE_BY_FILTER), ids=["no input", "by pixel", "by filter"])
@pytest.mark.parametrize("dtype", DTYPES)
@given(
    H=st.integers(1, 11), W=st.integers(1, 15), C=channels, OC=few, seed=seeds, share=st.sampled_from((0, 0.2, 1)),
    cut=st.sampled_from((0, 1, 8, 33)),
)  # fmt: skip
@example(H=5, W=4, C=16, OC=5, seed=0, share=0.2, cut=1)  # channels that the kernel has as numbers
@example(H=5, W=4, C=32, OC=5, seed=0, share=0.2, cut=1)
def test_sparse_backward(dtype, way, H, W, C, OC, seed, share, cut):
    """Filters from `cut` on; the other filters' weights stay as they are."""
    x, weight = frame(normal(seed, dtype, 1, H, W, C))[0], normal(seed + 2, dtype, OC, 3, 3, C)
    grad_map, start = scattered(seed + 1, dtype, share, H, W, OC)[0], normal(seed + 3, dtype, OC, 3, 3, C)
    grad_weight, grad_x = guarded(start.copy()), unwritten((H + 2, W + 2, C), dtype)
    some = min(cut, OC), OC
    compiled.sparse_backward(
        guarded(x), guarded(grad_map), guarded(weight), *some, way, dtype(-0.5), grad_weight, grad_x
    )
    assert_unharmed(grad_weight, grad_x)

    expected, expected_x = naive.sparse_backward(x, grad_map, weight, *some)
    size, size_x = naive.sparse_backward(np.abs(x), np.abs(grad_map), np.abs(weight), *some)
    assert_within(grad_weight, start - 0.5 * expected, H * W + 6, np.abs(start) + 0.5 * size)
    if way == NOTHING:
        assert np.isnan(grad_x).all()
    else:
        assert_within(grad_x, expected_x, 9 * OC + 4, size_x)

    updated = weight.copy()  # as a step of training does it: what it reads is what it changes
    compiled.sparse_backward(x, grad_map, updated, *some, way, dtype(-0.5), updated, grad_x)
    assert_within(updated, weight - 0.5 * expected, H * W + 6, np.abs(weight) + 0.5 * size)
    if way != NOTHING:
        assert_within(grad_x, expected_x, 9 * OC + 4, size_x)


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    H=st.integers(1, 9), W=st.integers(1, 9), C=few, OC=channels, seed=seeds, share=st.sampled_from((0, 0.2, 1)),
    cut=st.sampled_from((0, 1, 4)),
)  # fmt: skip
def test_sparse_input_backward_weight(dtype, H, W, C, OC, seed, share, cut):
    """Rows from `cut` on, the map's other rows being zero; filters from `cut` on."""
    x, grad_map = scattered(seed, dtype, share, H, W, C)[0], frame(normal(seed + 1, dtype, 1, H, W, OC))[0]
    start = normal(seed + 2, dtype, 3, 3, C, OC)
    found = guarded(start.copy())
    share = min(cut, H), H, min(cut, OC), OC
    grad_map[: share[0] + 1] = 0
    compiled.sparse_input_backward_weight(guarded(x), guarded(grad_map), *share, dtype(-0.5), found)
    assert_unharmed(found)
    expected = start - 0.5 * naive.sparse_input_backward_weight(x, grad_map, *share)
    magnitude = np.abs(start) + 0.5 * naive.sparse_input_backward_weight(np.abs(x), np.abs(grad_map), *share)
    assert_within(found, expected, H * W + 4, magnitude)


def scattered(seed, dtype, share, *extents):
    """Return a framed image of which about `share` of the numbers are not zero."""
    drawn = normal(seed, dtype, 1, *extents)
    drawn[np.random.default_rng(seed).random(drawn.shape) >= share] = 0
    return frame(drawn)


def test_not_a_number_is_not_skipped():
    """A gradient or a pixel that is NaN must reach the parameters, where training looks for it."""
    grad_map = frame(np.full((1, 1, 1, 1), np.nan))
    grad_x, grad_weight, by_filter = np.empty((3, 3, 8)), np.zeros((3, 3, 1, 1)), np.zeros((1, 3, 3, 8))
    compiled.sparse_backward(
        np.ones((3, 3, 8)), grad_map[0], np.ones((1, 3, 3, 8)), 0, 1, SPARSE_BY_FILTER, 1.0, by_filter, grad_x
    )
    compiled.sparse_input_backward_weight(grad_map[0], grad_map[0], 0, 1, 0, 1, 1.0, grad_weight)
    assert np.isnan(grad_x).all() and np.isnan(by_filter).all() and np.isnan(grad_weight[1, 1]).all()
