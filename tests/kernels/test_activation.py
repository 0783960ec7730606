"""The activations and their derivatives, against their equations and central differences."""

import compiled
import naive
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, assert_within, central_differences, worst_relative_error
from canary import assert_unharmed, guarded, unwritten
from hypothesis import given
from hypothesis import strategies as st
from shapes import DTYPES, normal, seeds

from jitnet.kernels.layers.activation import activation_backward, activation_forward
from jitnet.kernels.table import GELU, LEAKY_RELU, LINEAR, RELU, SIGMOID, TANH

KINDS = (LINEAR, RELU, SIGMOID, TANH, GELU, LEAKY_RELU)
sizes = st.integers(1, 300)


def forward(kind, z):
    out = unwritten(z.shape, z.dtype)
    activation_forward(kind, guarded(z), out)
    assert_unharmed(out)
    return out


def backward(kind, z, grad_output):
    grad_input = unwritten(z.shape, z.dtype)
    activation_backward(kind, guarded(z), guarded(grad_output), grad_input)
    assert_unharmed(grad_input)
    return grad_input


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
@given(N=sizes, seed=seeds, spread=st.sampled_from((1.0, 30.0)))
def test_both_directions(kind, dtype, N, seed, spread):
    """Linear and ReLU are exact; the others are computed in float64 and rounded once."""
    z, grad = normal(seed, dtype, N, zeros=0.2) * dtype(spread), normal(seed + 1, dtype, N)
    out, passed = forward(kind, z), backward(kind, z, grad)
    expected, slope = naive.activation_forward(kind, z), naive.activation_backward(kind, z, grad)
    if kind in (LINEAR, RELU):
        assert np.array_equal(out, expected) and np.array_equal(passed, slope)
    else:
        assert_within(out, expected, 8, 1.0 + np.abs(z))
        assert_within(passed, slope, 8, np.abs(grad))


@pytest.mark.parametrize("kind", KINDS[:4])
@pytest.mark.parametrize("dtype", DTYPES)
@given(N=sizes, seed=seeds)
def test_in_place_gives_the_same(kind, dtype, N, seed):
    """The fast path's form, which knows the result alone."""
    z, grad = normal(seed, dtype, N, zeros=0.2) * dtype(3), normal(seed + 1, dtype, N)
    out, passed = guarded(z), guarded(grad)
    compiled.activate(kind, out)
    compiled.pass_back(kind, out, passed)
    assert_unharmed(out, passed)
    assert_within(out, naive.activation_forward(kind, z), 8, 1.0 if kind > RELU else np.abs(z))
    assert_within(passed, naive.activation_backward(kind, z, grad), 12, np.abs(grad))


@pytest.mark.parametrize("kind", KINDS)
def test_central_differences(kind):
    z, grad = normal(0, np.float64, 200), normal(1, np.float64, 200)
    z[np.abs(z) < 0.01] = 0.01  # away from ReLU's kink
    expected = central_differences(lambda: naive.activation_forward(kind, z) * grad, z, step=1e-3)
    assert worst_relative_error(backward(kind, z, grad), np.diag(expected)) <= GRADIENT_ERROR


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("kind", "expected"),
    [(LINEAR, [np.nan, -np.inf, np.inf, -1e4]), (RELU, [np.nan, 0, np.inf, 0]), (SIGMOID, [np.nan, 0, 1, 0]),
     (TANH, [np.nan, -1, 1, -1])],
)  # fmt: skip
def test_the_ends_of_the_scale_and_nan(dtype, kind, expected):
    x = np.array([np.nan, -np.inf, np.inf, -1e4], dtype)
    assert np.array_equal(forward(kind, x), np.array(expected, dtype), equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_small_sigmoid_keeps_its_digits(dtype):
    x = np.array([-30.0], dtype)
    assert forward(SIGMOID, x)[0] == pytest.approx(np.exp(-30.0), rel=4 * float(np.finfo(dtype).eps))
