"""The weight gradient in tiles against the plain one, and what tiles could break: zeros, other images, the edge."""

import compiled
import naive
import numpy as np
import pytest
from bounds import assert_within
from canary import assert_unharmed, guarded, unwritten
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import DTYPES, channels, frame, normal, seeds

from jitnet.kernels.table import tile_scratch

extents = st.integers(1, 14)
wide = st.sampled_from((1, 7, 16, 17, 33))
ROOM = 18 * 16  # of transform_sums: vectors of 64 bytes, float32


def summed(x, grad_maps, init=None):
    """Return the sums of some images with their borders."""
    N, H, W, C, OC = len(x), x.shape[1] - 2, x.shape[2] - 2, x.shape[3], grad_maps.shape[3]
    scratch, sums = unwritten(tile_scratch(N, H, W, C, OC), x.dtype), unwritten((36, C, OC), x.dtype)
    start = guarded(np.zeros(sums.shape, x.dtype) if init is None else init)
    compiled.winograd_backward_weight(guarded(x), guarded(grad_maps), start, scratch, sums)
    assert_unharmed(scratch, sums)
    return sums


def gradient(sums):
    """Return the weight gradient made from sums."""
    _, C, OC = sums.shape
    scratch, found = unwritten(ROOM, sums.dtype), unwritten((3, 3, C, OC), sums.dtype)
    compiled.transform_sums(guarded(sums), scratch, found)
    assert_unharmed(scratch, found)
    return found


def drawn(seed, dtype, N, H, W, C, OC):
    return frame(normal(seed, dtype, N, H, W, C, zeros=0.3)), frame(normal(seed + 1, dtype, N, H, W, OC, zeros=0.5))


def positive(x, grad_maps):
    """Return the size of the gradient's terms: that of numbers which are all positive."""
    A, B, G = np.abs(naive.A), np.abs(naive.B), np.abs(naive.G)
    return naive.transform_sums(naive.winograd_backward_weight(np.abs(x), np.abs(grad_maps), A, B), G)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=st.integers(1, 5), H=extents, W=extents, C=wide, OC=wide, seed=seeds)
@example(N=4, H=7, W=7, C=32, OC=64, seed=0)
@example(N=1, H=14, W=14, C=16, OC=32, seed=0)
def test_it_is_the_weight_gradient(dtype, N, H, W, C, OC, seed):
    x, grad_maps = drawn(seed, dtype, N, H, W, C, OC)
    tiles = N * -(-H // 4) * -(-W // 4)
    sums = summed(x, grad_maps)
    size = naive.winograd_backward_weight(np.abs(x), np.abs(grad_maps), np.abs(naive.A), np.abs(naive.B))
    assert_within(sums, naive.winograd_backward_weight(x, grad_maps), tiles + 16, size)
    # About 8 roundings of an input's transform, 6 of a gradient's, the sum's, 14 of the last transform.
    expected = naive.conv2d_backward_weight(x, grad_maps)
    assert_within(gradient(sums), expected, tiles + 32, positive(x, grad_maps))


@pytest.mark.parametrize("dtype", DTYPES)
@given(C=channels, OC=channels, seed=seeds)
def test_transform_sums(dtype, C, OC, seed):
    sums = normal(seed, dtype, 36, C, OC)
    magnitude = naive.transform_sums(np.abs(sums), np.abs(naive.G))
    assert_within(gradient(sums), naive.transform_sums(sums), 16, magnitude)  # factors as 1/6 are rounded themselves


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=st.integers(2, 5), H=extents, W=extents, C=wide, OC=wide, seed=seeds)
def test_images_are_added_to_those_before(dtype, N, H, W, C, OC, seed):
    x, grad_maps = drawn(seed, dtype, N, H, W, C, OC)
    found = summed(x[1:], grad_maps[1:], summed(x[:1], grad_maps[:1]))
    assert_within(gradient(found), naive.conv2d_backward_weight(x, grad_maps), 64 + 16 * N, positive(x, grad_maps))


@pytest.mark.parametrize("dtype", DTYPES)
@given(H=extents, W=extents, C=wide, OC=wide, seed=seeds)
def test_what_has_no_gradient_has_exactly_none(dtype, H, W, C, OC, seed):
    """A filter that was never active, a channel of zeros: Adam would move weights by what rounding leaves of them."""
    x, grad_maps = drawn(seed, dtype, 2, H, W, C, OC)
    channel, filters = seed % C, seed % OC
    x[..., channel], grad_maps[..., filters] = 0, 0
    found = gradient(summed(x, grad_maps))
    assert not found[:, :, channel].any() and not found[..., filters].any()


@pytest.mark.parametrize("of_input", [False, True])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_comes_through(bad, of_input):
    """It reaches the weights of its filter, or of its channel, and no others."""
    x, grad_maps = frame(np.ones((1, 7, 7, 2), np.float32)), frame(np.ones((1, 7, 7, 3), np.float32))
    (x if of_input else grad_maps)[0, 3, 3, 1] = bad
    with np.errstate(invalid="ignore"):  # where kernels run as plain Python, NumPy would warn
        found = gradient(summed(x, grad_maps))
    hit = found[:, :, 1] if of_input else found[..., 1]
    others = found[:, :, 0] if of_input else found[..., [0, 2]]
    assert not np.isfinite(hit).any() and np.isfinite(others).all()
