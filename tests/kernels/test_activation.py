"""The activations and their derivatives, against their equations and central differences."""

import naive
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, assert_within, central_differences, worst_relative_error
from canary import assert_unharmed, guarded
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import DTYPES, normal, seeds

from jitnet.kernels.layers.activation import activation_backward, activation_forward
from jitnet.kernels.table import LINEAR, RELU, SIGMOID, TANH

KINDS = (LINEAR, RELU, SIGMOID, TANH)
sizes = st.integers(1, 300)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
@given(N=sizes, seed=seeds, spread=st.sampled_from((1.0, 30.0)))
@example(N=4096, seed=0, spread=1.0)
@example(N=8193, seed=0, spread=1.0)
def test_both_directions(kind, dtype, N, seed, spread):
    """Linear and ReLU are exact; the others are computed in float64 and rounded once."""
    x, grad = normal(seed, dtype, N, zeros=0.2) * dtype(spread), normal(seed + 1, dtype, N)
    out, after = guarded(x), guarded(grad)
    activation_forward(kind, out)
    activation_backward(kind, out, after)
    assert_unharmed(out, after)
    expected, passed = naive.activation_forward(kind, x), naive.activation_backward(kind, out, grad)
    if kind in (LINEAR, RELU):
        assert np.array_equal(out, expected) and np.array_equal(after, passed)
    else:
        assert_within(out, expected, 8, 1.0)
        assert_within(after, passed, 4, np.abs(grad))


@pytest.mark.parametrize("kind", KINDS)
def test_central_differences(kind):
    x, grad = normal(0, np.float64, 200), normal(1, np.float64, 200)
    x[np.abs(x) < 0.01] = 0.01  # away from ReLU's kink
    out, after = x.copy(), grad.copy()
    activation_forward(kind, out)
    activation_backward(kind, out, after)
    expected = central_differences(lambda: naive.activation_forward(kind, x) * grad, x, step=1e-3)
    assert worst_relative_error(after, np.diag(expected)) <= GRADIENT_ERROR


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("kind", "expected"),
    [(LINEAR, [np.nan, -np.inf, np.inf, -1e4]), (RELU, [np.nan, 0, np.inf, 0]), (SIGMOID, [np.nan, 0, 1, 0]),
     (TANH, [np.nan, -1, 1, -1])],
)  # fmt: skip
def test_the_ends_of_the_scale_and_nan(dtype, kind, expected):
    x = np.array([np.nan, -np.inf, np.inf, -1e4], dtype)
    activation_forward(kind, x)
    assert np.array_equal(x, np.array(expected, dtype), equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_small_sigmoid_keeps_its_digits(dtype):
    x = np.array([-30.0], dtype)
    activation_forward(SIGMOID, x)
    assert x[0] == pytest.approx(np.exp(-30.0), rel=4 * float(np.finfo(dtype).eps))
