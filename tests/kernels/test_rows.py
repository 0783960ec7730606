"""The row operations against their equations."""

import compiled
import naive
import numpy as np
import pytest
from bounds import assert_within
from canary import assert_unharmed, guarded, unwritten
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import DTYPES, channels, normal, seeds

lengths = st.one_of(channels, st.integers(1, 300))  # add_rows takes up to eight vectors, 128 numbers, at a time


@pytest.mark.parametrize("dtype", DTYPES)
@given(D=st.integers(1, 60), K=lengths, seed=seeds, share=st.sampled_from((0.0, 0.3, 1.0)))
@example(D=3, K=128, seed=0, share=1.0)
@example(D=3, K=129, seed=0, share=1.0)
def test_add_rows(dtype, D, K, seed, share):
    bias, weight, factors = normal(seed, dtype, K), normal(seed, dtype, D, K), normal(seed, dtype, D)
    rng = np.random.default_rng(seed)
    count = int(share * D)
    chosen = rng.permutation(D)
    out = unwritten(K, dtype)
    compiled.add_rows(guarded(bias), guarded(weight), guarded(factors), chosen, count, out)
    assert_unharmed(out)
    expected = naive.add_rows(bias, weight, factors[:count], chosen[:count])
    magnitude = naive.add_rows(np.abs(bias), np.abs(weight), np.abs(factors[:count]), chosen[:count])
    assert_within(out, expected, count + 1, magnitude)


@pytest.mark.parametrize("dtype", DTYPES)
@given(D=st.integers(1, 20), K=lengths, seed=seeds, share=st.sampled_from((0.0, 0.3, 1.0)))
@example(D=7, K=100, seed=0, share=1.0)
def test_dots_then_add(dtype, D, K, seed, share):
    """What is not listed keeps its bits."""
    weight, vector, factors = normal(seed, dtype, D, K), normal(seed + 1, dtype, K), normal(seed + 2, dtype, D)
    rows, count, scale = np.random.default_rng(seed).permutation(D), int(share * D), dtype(-0.3)
    after, dots = guarded(weight), unwritten(D, dtype)
    before = dots.copy()
    compiled.dots_then_add(after, guarded(rows), guarded(factors), count, guarded(vector), scale, dots)
    assert_unharmed(after, dots)
    chosen, others = rows[:count], rows[count:]
    expected, moved = naive.dots_then_add(weight, chosen, factors[:count], vector, scale)
    assert_within(dots[chosen], expected, K + 1, np.abs(weight[chosen]) @ np.abs(vector))
    steps = np.abs(scale * factors[:count])[:, None] * np.abs(vector)
    assert_within(after[chosen], moved[chosen], 3, np.abs(weight[chosen]) + steps)
    assert dots[others].tobytes() == before[others].tobytes() and after[others].tobytes() == weight[others].tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@given(M=lengths, N=lengths, seed=seeds)
@example(M=16, N=16, seed=0)
@example(M=32, N=15, seed=0)
def test_transpose_moves_every_number(dtype, M, N, seed):
    matrix = normal(seed, dtype, M, N)
    given, out = guarded(matrix), unwritten((N, M), dtype)
    compiled.transpose(given, out)
    assert_unharmed(given, out)
    assert np.array_equal(out, naive.transpose(matrix)) and np.array_equal(given, matrix)


@pytest.mark.parametrize("dtype", DTYPES)
def test_transpose_between_strided_views(dtype):
    """The dense layer transposes strips of a matrix with longer rows."""
    matrix = normal(0, dtype, 37, 50)
    whole = unwritten((41, 60), dtype)
    compiled.transpose(matrix[:, 3:44], whole[:, 5:42])
    assert_unharmed(whole)
    assert np.array_equal(whole[:, 5:42], matrix[:, 3:44].T)
    assert np.isnan(whole[:, :5]).all() and np.isnan(whole[:, 42:]).all()
