"""The per-sample driver against naive SGD, step after step."""

import naive
import nets
import numpy as np
import pytest
from hypothesis import given
from shapes import seeds

SAME = 1e-10  # of the largest number of a tensor: a few hundred float64 roundings, propagated through a few steps
STEPS = 7


@pytest.mark.parametrize("make", nets.MAKES, ids=nets.IDS)
def test_steps_are_those_of_naive_sgd(make):
    case = nets.case(make, np.float64, images=4)
    order = np.random.default_rng(0).integers(0, 4, STEPS)  # images are repeated, as in the next epoch
    lrs = np.linspace(0.05, 0.01, STEPS)
    totals = np.array([100.0])
    expected, tensors = naive.train_per_sample(case.layers, case.tensors(), case.inputs, case.targets, order, lrs)
    done, losses = case.network.train_steps(case.images, case.targets, order, 1, lrs, totals)
    assert done == STEPS and np.allclose(losses, expected, rtol=SAME, atol=0)
    running = 100.0
    for loss in losses:
        running += loss
    assert totals[0] == running, "the sum of the epoch continues from its value, in the order of the steps"
    nets.assert_close(case.network.tensors(), tensors, SAME)


@pytest.mark.parametrize("make", nets.MAKES, ids=nets.IDS)
def test_float32_follows(make):
    case = nets.case(make, np.float32, images=4)
    order, lrs = np.arange(4), np.full(4, 0.02)
    expected, tensors = naive.train_per_sample(case.layers, case.tensors(), case.inputs, case.targets, order, lrs)
    done, losses = case.network.train_steps(case.images, case.targets, order, 1, lrs, np.zeros(1))
    assert done == 4 and np.allclose(losses, expected, rtol=nets.FLOAT32)
    nets.assert_close(case.network.tensors(), tensors, nets.FLOAT32)


def test_calls_of_any_length_give_the_same_bits():
    results = set()
    for lengths in ((8,), (3, 5), (1,) * 8):
        case = nets.case(nets.MAKES[10], np.float32, images=8)
        start, totals = 0, np.zeros(1)
        for length in lengths:
            order = np.arange(start, start + length)
            case.network.train_steps(case.images, case.targets, order, 1, np.full(length, 0.02), totals)
            start += length
        results.add((case.network.params.tobytes(), totals.tobytes()))
    assert len(results) == 1


@pytest.mark.parametrize("make", nets.MAKES, ids=nets.IDS)
def test_what_a_batch_left_behind_goes_into_no_update(make):
    """A regression test: a half of the first block had no rows, and its part of the sum was not cleared."""
    fresh, used = (nets.case(make, np.float32) for _ in range(2))
    used.network.train_steps(used.images, used.targets, np.arange(3), 3, np.full(1, 0.02), np.zeros(1))
    used.network.params[:] = fresh.network.params
    for case in (fresh, used):
        case.network.train_steps(case.images, case.targets, np.arange(3), 1, np.full(3, 0.02), np.zeros(1))
    assert np.array_equal(used.network.params, fresh.network.params)


@given(seed=seeds)
def test_a_learning_rate_of_zero_changes_no_bit(seed):
    case = nets.case(nets.MAKES[seed % len(nets.MAKES)], np.float32, seed=seed)
    before = case.network.params.copy()
    case.network.train_steps(case.images, case.targets, np.arange(3), 1, np.zeros(3), np.zeros(1))
    assert np.array_equal(case.network.params, before)


@pytest.mark.parametrize("make", [nets.MAKES[1], nets.MAKES[10]], ids=[nets.IDS[1], nets.IDS[10]])
def test_a_step_whose_loss_is_not_finite_changes_no_parameter(make):
    """Each half computes the loss and a small last layer for itself: it must not update that either."""
    trained = []
    for steps in (2, 4):
        case = nets.case(make, np.float32, images=4)
        images = case.images.astype(np.float32)
        images[2] = np.nan
        done, _ = case.network.train_steps(images, case.targets, np.arange(steps), 1, np.full(steps, 0.02), np.zeros(1))
        assert done == 2
        trained.append(case.network.params.tobytes())
    assert trained[0] == trained[1]
