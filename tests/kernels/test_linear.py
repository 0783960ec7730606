"""The dense layer and its gradients against their equations and central differences."""

import naive
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, assert_within, central_differences, worst_relative_error
from canary import assert_unharmed, guarded, unwritten
from hypothesis import given
from hypothesis import strategies as st
from shapes import DTYPES, channels, normal, seeds

from jitnet.kernels.layers.linear import linear_backward_input, linear_backward_weight, linear_forward

batches, inputs = st.integers(1, 9), st.integers(1, 70)


def forward(x, weight, bias):
    out = unwritten((len(x), weight.shape[1]), x.dtype)
    linear_forward(guarded(x), guarded(weight), guarded(bias), out)
    assert_unharmed(out)
    return out


def backward_input(grad_output, weight):
    grad_input = unwritten((len(grad_output), weight.shape[0]), weight.dtype)
    linear_backward_input(guarded(grad_output), guarded(weight), grad_input)
    assert_unharmed(grad_input)
    return grad_input


def backward_weight(x, grad_output, before, before_bias):
    grad_weight, grad_bias = guarded(before.copy()), guarded(before_bias.copy())
    linear_backward_weight(guarded(x), guarded(grad_output), grad_weight, grad_bias)
    assert_unharmed(grad_weight, grad_bias)
    return grad_weight, grad_bias


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=batches, D=inputs, K=channels, seed=seeds)
def test_forward(dtype, N, D, K, seed):
    x, weight, bias = normal(seed, dtype, N, D), normal(seed, dtype, D, K), normal(seed, dtype, K)
    magnitude = naive.linear_forward(np.abs(x), np.abs(weight), np.abs(bias))
    assert_within(forward(x, weight, bias), naive.linear_forward(x, weight, bias), 2 * D + 1, magnitude)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=batches, D=inputs, K=channels, seed=seeds)
def test_backward_input(dtype, N, D, K, seed):
    grad, weight = normal(seed, dtype, N, K), normal(seed, dtype, D, K)
    magnitude = naive.linear_backward_input(np.abs(grad), np.abs(weight))
    assert_within(backward_input(grad, weight), naive.linear_backward_input(grad, weight), 2 * K + 1, magnitude)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=batches, D=inputs, K=channels, seed=seeds)
def test_backward_weight_adds_to_what_is_there(dtype, N, D, K, seed):
    x, grad = normal(seed, dtype, N, D), normal(seed, dtype, N, K)
    before = normal(seed + 1, dtype, D, K), normal(seed + 2, dtype, K)
    expected = naive.linear_backward_weight(x, grad)
    magnitude = naive.linear_backward_weight(np.abs(x), np.abs(grad))
    for found, old, twin, size in zip(backward_weight(x, grad, *before), before, expected, magnitude):
        assert_within(found, old + twin, 2 * N + 1, np.abs(old) + size)


def test_central_differences():
    x, weight, bias = normal(0, np.float64, 3, 7), normal(1, np.float64, 7, 5), normal(2, np.float64, 5)
    grad = normal(4, np.float64, 3, 5)

    def loss():
        return np.sum(naive.linear_forward(x, weight, bias) * grad)

    found = backward_input(grad, weight), *backward_weight(x, grad, 0 * weight, 0 * bias)
    for result, array in zip(found, (x, weight, bias)):
        assert worst_relative_error(result, central_differences(loss, array, step=0.01)) <= GRADIENT_ERROR
