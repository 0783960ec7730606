"""The loss of outputs shows every number that is not finite, whichever class has it; numbers have a root of it."""

import numpy as np
import pytest

from jitnet.model.scores import root_of, score


@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_loss_shows_outputs_that_are_not_finite(loss, bad):
    for place in range(3):
        for target in range(3):
            outputs = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], np.float32)
            outputs[1, place] = bad
            assert np.isnan(score(outputs, np.array([0, target]), loss)[0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_error_of_numbers_shows_outputs_that_are_not_finite(bad):
    found, accuracy = score(np.array([[1.0], [bad]], np.float32), np.zeros((2, 1)))
    assert not np.isfinite(found) and accuracy is None


@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
def test_a_loss_of_large_outputs_is_finite(loss):
    outputs = np.array([[3e38, -3e38], [0.0, 3e38]], np.float32)
    assert np.isfinite(score(outputs, np.array([0, 0]), loss)[0])


def test_an_error_of_large_numbers_is_finite_and_exact():
    outputs, targets = np.array([[1e30], [1.0]], np.float32), np.array([[0.0], [1.0]], np.float32)
    assert score(outputs, targets)[0] == pytest.approx(float(outputs[0, 0]) ** 2 / 2, rel=1e-14)


def test_numbers_alone_have_a_root_of_their_error():
    assert root_of(6.25, None) == 2.5 and root_of(0.0, None) == 0.0
    assert root_of(6.25, 0.0) is None and root_of(6.25, 98.5) is None and root_of(None, None) is None
