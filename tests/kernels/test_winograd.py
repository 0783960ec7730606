"""Convolution in tiles against plain convolution, and what tiles could break: zeros, other images, the edge."""

import compiled
import naive
import numpy as np
import pytest
from bounds import assert_within
from canary import assert_unharmed, guarded, unwritten
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import DTYPES, channels, frame, normal, seeds

from jitnet.kernels.table import GAP, tile_scratch

extents = st.integers(1, 14)
wide = st.sampled_from((1, 7, 16, 17, 33))


def transformed(weight):
    """Return filters as tiles want them, NaN in the gaps."""
    size = weight.shape[2] * weight.shape[3]
    out = unwritten((36, size + GAP), weight.dtype)
    compiled.transform_weight(guarded(weight), out)
    assert_unharmed(out)
    assert np.isnan(out[:, size:]).all()
    return out


def convolved(x, weight, bias, around=0):
    """Return conv2d_winograd of images with their border, written into maps that have `around` pixels around them."""
    N, H, W, C, OC = len(x), x.shape[1] - 2, x.shape[2] - 2, *weight.shape[2:]
    maps = unwritten((N, H + 2 * around, W + 2 * around, OC), x.dtype)
    zeros, scratch = guarded(np.zeros(OC, x.dtype)), unwritten(tile_scratch(N, H, W, C, OC), x.dtype)
    row = (W + 2 * around) * OC
    place = around * (row + OC)
    image = (H + 2 * around) * row
    compiled.conv2d_winograd(
        guarded(x), transformed(weight), guarded(bias), zeros, scratch, maps.reshape(-1), place, row, image
    )
    assert_unharmed(maps, scratch)
    inside = maps[:, around : around + H, around : around + W].copy()
    maps[:, around : around + H, around : around + W] = np.nan
    assert np.isnan(maps).all(), "something was written around a map"
    return inside


@pytest.mark.parametrize("dtype", DTYPES)
@given(C=channels, OC=channels, seed=seeds)
def test_transform_weight(dtype, C, OC, seed):
    weight = normal(seed, dtype, 3, 3, C, OC)
    found = transformed(weight)[:, : C * OC].reshape(36, C, OC)
    magnitude = naive.transform_weight(np.abs(weight), np.abs(naive.G))
    assert_within(found, naive.transform_weight(weight), 12, magnitude)  # some factors, as 1/6, are rounded themselves


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    N=st.integers(1, 5), H=extents, W=extents, C=wide, OC=wide, per=st.booleans(), around=st.integers(0, 1), seed=seeds
)
@example(N=4, H=14, W=14, C=16, OC=32, per=True, around=1, seed=0)
@example(N=4, H=7, W=7, C=32, OC=64, per=False, around=0, seed=0)
def test_it_is_the_convolution(dtype, N, H, W, C, OC, per, around, seed):
    x, weight = frame(normal(seed, dtype, N, H, W, C, zeros=0.3)), normal(seed + 1, dtype, 3, 3, C, OC)
    bias = normal(seed + 2, dtype, *((H, W) if per else (1, 1)), OC)
    found = convolved(x, weight, bias, around)
    # On the longest path about 12 roundings of a filter's transform, 8 of an input's, C of the sum, 10 of an output's.
    positive = (np.abs(array) for array in (x, weight, bias, naive.A, naive.B, naive.G))
    assert_within(found, naive.conv2d_forward(x, weight, bias), C + 32, naive.conv2d_winograd(*positive))


@pytest.mark.parametrize("dtype", DTYPES)
@given(H=extents, W=extents, C=wide, seed=seeds)
def test_above_blank_pixels_there_is_exactly_the_bias(dtype, H, W, C, seed):
    """Rounding would leave about 1e-9, which ReLU treats as active: such units would learn from blank pixels."""
    rng = np.random.default_rng(seed)
    x = frame(normal(seed, dtype, 2, H, W, C) * (rng.random((2, H, W, 1)) < 0.1))
    bias = normal(seed + 2, dtype, H, W, 5)
    found = convolved(x, normal(seed + 1, dtype, 3, 3, C, 5), bias)
    seen = naive.conv2d_forward(np.abs(x), np.ones((3, 3, C, 1)), 0)[..., 0] > 0
    assert np.array_equal(found[~seen], np.broadcast_to(bias, found.shape)[~seen])


@pytest.mark.parametrize("dtype", DTYPES)
@given(H=st.integers(1, 6), W=st.integers(1, 40), C=wide, data=st.data(), seed=seeds)
def test_one_number_is_seen_by_the_outputs_around_it_and_by_no_other(dtype, H, W, C, data, seed):
    place = tuple(data.draw(st.integers(0, extent - 1)) for extent in (H, W, C))
    x = np.zeros((1, H, W, C), dtype)
    x[0][place] = 1
    weight, bias = 1 + np.abs(normal(seed, dtype, 3, 3, C, 5)), normal(seed + 1, dtype, 1, 1, 5)
    found, expected = convolved(frame(x), weight, bias), naive.conv2d_forward(frame(x), weight, bias)
    assert np.array_equal(found != bias, expected != bias)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=st.integers(2, 5), H=extents, W=extents, C=wide, OC=wide, seed=seeds)
def test_an_image_has_the_same_bits_whatever_images_are_beside_it(dtype, N, H, W, C, OC, seed):
    x, weight = frame(normal(seed, dtype, N, H, W, C)), normal(seed + 1, dtype, 3, 3, C, OC)
    bias = normal(seed + 2, dtype, 1, 1, OC)
    found = convolved(x, weight, bias)
    for n in range(N):
        assert np.array_equal(convolved(x[n : n + 1], weight, bias)[0], found[n])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_comes_through(bad):
    """It reaches every output that depends on it, and no other tile."""
    x = frame(np.ones((1, 9, 9, 1), np.float32))
    x[0, 1, 1] = bad
    with np.errstate(invalid="ignore"):  # where kernels run as plain Python, NumPy would warn
        found = convolved(x, np.ones((3, 3, 1, 2), np.float32), np.zeros((1, 1, 2), np.float32))
    assert not np.isfinite(found[0, :2, :2]).any() and np.isfinite(found[0, 4:]).all()
    assert np.isfinite(found[0, :, 4:]).all()
