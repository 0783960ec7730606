"""The contraction against its equation, for every height of a tile, width of a vector, and way of striding."""

import compiled
import naive
import numpy as np
import pytest
from bounds import assert_within
from canary import assert_unharmed, guarded, unwritten
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import DTYPES, channels, normal, rows, seeds

from jitnet.kernels.compiler.tile import ROWS


def within(out, a, b, init, scale):
    """K products are added one by one, then scaled and added to init: K + 2 roundings."""
    magnitude = naive.contract(np.abs(a), np.abs(b), np.abs(init), abs(scale))
    assert_within(out, naive.contract(a, b, init, scale), a.shape[1] * a.shape[2] + 2, magnitude)


@pytest.mark.parametrize("dtype", DTYPES)
@given(R=st.integers(1, 3), T=st.integers(1, 3), K=st.integers(1, 40), M=rows, N=channels, seed=seeds)
@example(R=1, T=3, K=3, M=ROWS, N=64, seed=0)
@example(R=3, T=1, K=1, M=ROWS + 1, N=65, seed=0)
@example(R=1, T=1, K=300, M=1, N=1, seed=0)
@example(R=2, T=0, K=4, M=3, N=5, seed=0)
@example(R=2, T=2, K=0, M=3, N=5, seed=0)
def test_it_is_the_sum(dtype, R, T, K, M, N, seed):
    a, b, init = normal(seed, dtype, R, T, K, M), normal(seed, dtype, R, T, K, N), normal(seed, dtype, R, M, N)
    inputs = [guarded(array) for array in (a, b, init)]
    out, scale = unwritten((R, M, N), dtype), dtype(-0.7)
    compiled.contract(*inputs, scale, out)
    assert_unharmed(*inputs, out)
    for before, after in zip((a, b, init), inputs):
        assert np.array_equal(before, after), "an input was changed"
    within(out, a, b, init, scale)


@pytest.mark.parametrize("dtype", DTYPES)
@given(M=rows, N=channels, gap=st.integers(1, 3), seed=seeds)
def test_any_strides_will_do_and_nothing_between_them_is_touched(dtype, M, N, gap, seed):
    """Transposed a, rows with gaps, a b that is the same for all r, an init whose rows are one and the same."""
    a = normal(seed, dtype, 2, M, 3, 4).transpose(0, 3, 2, 1)
    b = np.broadcast_to(normal(seed, dtype, 4, 3, N + gap)[:, :, :N], (2, 4, 3, N))
    bias = normal(seed, dtype, N)
    init = np.lib.stride_tricks.as_strided(bias, (2, M, N), (0, 0, bias.itemsize))
    whole = unwritten((2, M, N + gap), dtype)
    compiled.contract(a, b, init, dtype(1), whole[:, :, :N])
    assert_unharmed(whole)
    assert np.isnan(whole[:, :, N:]).all()
    within(whole[:, :, :N], a, b, init, dtype(1))


@pytest.mark.parametrize("dtype", DTYPES)
@given(M=rows, N=channels, seed=seeds)
def test_it_may_add_to_its_own_output(dtype, M, N, seed):
    a, b, init = normal(seed, dtype, 2, 3, 5, M), normal(seed, dtype, 2, 3, 5, N), normal(seed, dtype, 2, M, N)
    out = guarded(init)
    compiled.contract(a, b, out, dtype(2), out)
    assert_unharmed(out)
    within(out, a, b, init, dtype(2))


@pytest.mark.parametrize("dtype", DTYPES)
@given(M=rows, N=channels, seed=seeds)
def test_a_row_has_the_same_bits_whatever_rows_and_columns_are_beside_it(dtype, M, N, seed):
    a, b, init = normal(seed, dtype, 1, 2, 9, M), normal(seed, dtype, 1, 2, 9, N), normal(seed, dtype, 1, M, N)
    out, alone = unwritten((1, M, N), dtype), unwritten((1, 1, 1), dtype)
    compiled.contract(a, b, init, dtype(1), out)
    for i, j in {(0, 0), (M - 1, N - 1), (M // 2, N // 2)}:
        parts = a[..., i : i + 1], b[..., j : j + 1], init[:, i : i + 1, j : j + 1]
        compiled.contract(*map(np.ascontiguousarray, parts), dtype(1), alone)
        assert alone[0, 0, 0] == out[0, i, j]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_comes_through(bad):
    a, b, init = (np.ones(shape, np.float32) for shape in ((1, 1, 3, 9), (1, 1, 3, 20), (1, 9, 20)))
    b[0, 0, 1, 19] = bad
    out = unwritten((1, 9, 20), np.float32)
    compiled.contract(a, b, init, np.float32(1), out)
    assert np.isfinite(out[..., :19]).all() and not np.isfinite(out[..., 19]).any()
