"""ReLU and its gradient: exact, so compared without tolerance."""

import naive
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, central_differences, worst_relative_error
from canary import assert_unharmed, guarded
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import DTYPES, normal, seeds

from jitnet.kernels.activation import relu_backward, relu_forward

sizes = st.integers(1, 300)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=sizes, seed=seeds)
@example(N=4096, seed=0)
@example(N=8193, seed=0)
def test_both_directions(dtype, N, seed):
    x, grad = normal(seed, dtype, N, zeros=0.2), normal(seed + 1, dtype, N)
    out, after = guarded(x), guarded(grad)
    relu_forward(out)
    relu_backward(out, after)
    assert_unharmed(out, after)
    assert np.array_equal(out, naive.relu_forward(x))
    assert np.array_equal(after, naive.relu_backward(out, grad))


def test_central_differences():
    x, grad = normal(0, np.float64, 200), normal(1, np.float64, 200)
    x[np.abs(x) < 0.01] = 0.01  # away from the kink
    out, after = x.copy(), grad.copy()
    relu_forward(out)
    relu_backward(out, after)
    expected = central_differences(lambda: np.sum(naive.relu_forward(x) * grad), x)
    assert worst_relative_error(after, expected) <= GRADIENT_ERROR


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_stays_nan(dtype):
    x = np.array([np.nan, -np.inf, np.inf, -1], dtype)
    relu_forward(x)
    assert np.array_equal(x, [np.nan, 0, np.inf, 0], equal_nan=True)
