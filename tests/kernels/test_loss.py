"""The losses against their equations, their derivatives, and logits that overflow a naive softmax."""

import naive
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, assert_within, central_differences, gamma, worst_relative_error
from canary import assert_unharmed, guarded, unwritten
from hypothesis import given
from hypothesis import strategies as st
from shapes import DTYPES, batches, channels, normal, seeds

from jitnet.kernels.layers.loss import output_loss
from jitnet.kernels.table import CROSS_ENTROPY, MSE

EXP = 4  # roundings by which math.exp and numpy.exp may differ


def loss(logits, targets, scale, kind=CROSS_ENTROPY, order=None, smoothing=0.0):
    losses, grad = unwritten(len(logits), np.float64), unwritten(logits.shape, logits.dtype)
    targets = targets if targets.ndim == 2 else targets.astype(np.uint8)
    order = np.arange(len(logits)) if order is None else order
    output_loss(kind, smoothing, guarded(logits), guarded(targets), order, scale, losses, grad)
    assert_unharmed(losses, grad)
    return losses, grad


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=batches, K=channels, seed=seeds, spread=st.sampled_from((0.1, 3.0, 300.0)))
def test_it_is_the_equation(dtype, N, K, seed, spread):
    """All is float64 inside: an exponent is rounded to u * |logits|, which exp turns into a relative error as large.

    Only what is written is rounded to the dtype: the probability, its product with `scale`, and the difference.
    """
    logits = normal(seed, dtype, N, K) * dtype(spread)
    targets = np.random.default_rng(seed).integers(0, K, N)
    losses, grad = loss(logits, targets, dtype(0.25))
    expected, expected_grad = naive.softmax_cross_entropy(logits, targets, 0.25)
    size = 1 + np.abs(np.float64(logits)).max(axis=1)
    assert_within(losses, expected, K + EXP, 3 * size)

    inside = 2 * gamma(K + EXP, np.float64) * 3 * size[:, None]
    written = gamma(3, dtype) * (np.abs(expected_grad) + 2 * (expected_grad < 0))
    assert np.all(np.abs(grad - expected_grad) <= 0.25 * inside + written)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=batches, K=channels, seed=seeds, spread=st.sampled_from((0.1, 3.0, 30.0)))
def test_squared_errors_are_their_equations(dtype, N, K, seed, spread):
    """Of the softmax, whose probabilities and errors are at most 1, and of numbers, each for rows in any order."""
    logits, numbers = normal(seed, dtype, N, K) * dtype(spread), normal(seed + 1, dtype, N + 3, K)
    rng = np.random.default_rng(seed)
    labels, order = rng.integers(0, K, N + 3), rng.integers(0, N + 3, N)
    losses, grad = loss(logits, labels, dtype(0.25), MSE, order)
    expected, expected_grad = naive.output_loss(MSE, logits, labels, order, 0.25)
    inside = 2 * gamma(2 * K + EXP + 6, np.float64) * 3 * (1 + np.abs(np.float64(logits)).max(axis=1))
    assert np.all(np.abs(losses - expected) <= inside)
    assert np.all(np.abs(grad - expected_grad) <= inside[:, None] + gamma(3, dtype) * np.abs(expected_grad))

    losses, grad = loss(logits, numbers, dtype(0.25), MSE, order)
    expected, expected_grad = naive.output_loss(MSE, logits, numbers, order, 0.25)
    assert_within(losses, expected, 2 * K + 6, expected)
    assert_within(grad, expected_grad, 4, np.abs(expected_grad))


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=batches, K=channels, seed=seeds, smoothing=st.floats(0, 0.99))
def test_smoothed_labels_are_their_equation(dtype, N, K, seed, smoothing):
    """The terms of the loss are at most the largest logit, those of the gradient at most 1."""
    logits, targets = normal(seed, dtype, N, K), np.random.default_rng(seed).integers(0, K, N)
    losses, grad = loss(logits, targets, dtype(0.25), smoothing=smoothing)
    expected, expected_grad = naive.output_loss(CROSS_ENTROPY, logits, targets, np.arange(N), 0.25, smoothing)
    size = 1 + np.abs(np.float64(logits)).max(axis=1)
    assert_within(losses, expected, 2 * K + EXP, 4 * size)
    inside = 2 * gamma(2 * K + EXP, np.float64) * 3 * size[:, None]
    assert np.all(np.abs(grad - expected_grad) <= 0.25 * inside + gamma(4, dtype) * (np.abs(expected_grad) + 0.5))


def test_smoothing_changes_nothing_but_the_cross_entropy():
    logits, labels, numbers = normal(1, np.float64, 3, 4), np.array([0, 3, 1]), normal(2, np.float64, 3, 4)
    for kind, targets in ((MSE, labels), (MSE, numbers), (CROSS_ENTROPY, numbers)):
        plain, smoothed = (loss(logits, targets, 1.0, kind, smoothing=share) for share in (0.0, 0.3))
        assert all(map(np.array_equal, plain, smoothed))


@pytest.mark.parametrize("kind", ["cross-entropy", "smoothed", "mse", "numbers"])
@given(N=st.integers(1, 5), K=channels, seed=seeds)
def test_central_differences(kind, N, K, seed):
    logits, order = normal(seed, np.float64, N, K), np.arange(N)
    targets = np.random.default_rng(seed).integers(0, K, N)
    if kind == "numbers":
        targets = normal(seed + 1, np.float64, N, K)
    code, smoothing = CROSS_ENTROPY if kind in ("cross-entropy", "smoothed") else MSE, 0.2 * (kind == "smoothed")
    _, grad = loss(logits, targets, np.float64(1 / N), code, smoothing=smoothing)
    expected = central_differences(
        lambda: naive.output_loss(code, logits, targets, order, 1, smoothing)[0].mean(), logits, step=1e-3
    )
    assert worst_relative_error(grad, expected) <= GRADIENT_ERROR


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_logits_neither_overflow_nor_vanish(dtype):
    logits = np.array([[1e30, 0, 0], [-1e30, 0, 0], [1000, 999, -1000], [20, 0, 0]], dtype)
    losses, grad = loss(logits, np.array([1, 0, 1, 0]), dtype(1))
    assert np.allclose(losses[:3], [dtype(1e30), dtype(1e30), 1 + np.log1p(np.exp(-1))], rtol=1e-12)
    assert np.isclose(losses[3], np.log1p(2 * np.exp(-20)), rtol=1e-5), "the loss of a sure answer lost its digits"
    assert np.isfinite(grad).all()
    assert np.array_equal(grad[0], [1, -1, 0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_large_logit_at_any_place(dtype, place):
    logits = np.zeros((1, 3), dtype)
    logits[0, place] = 1e30
    losses, grad = loss(logits, np.array([(place + 1) % 3]), dtype(1))
    assert losses[0] == dtype(1e30) and grad[0, place] == 1 and grad[0, (place + 1) % 3] == -1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 1, 4])
def test_a_bad_logit_makes_a_bad_loss(bad, place):
    """Also after the first element: a maximum that skips NaN must not lose it."""
    logits = np.ones((1, 5), np.float32)
    logits[0, place] = bad
    for target in range(5):
        for kind in (CROSS_ENTROPY, MSE):
            losses, _ = loss(logits, np.array([target]), np.float32(1), kind)
            assert not np.isfinite(losses[0])
