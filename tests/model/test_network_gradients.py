"""Whole networks against central differences of a naive float64 loss: the gradients of a mini-batch, and the updates of
both drivers read back as (w - w') / lr.
"""

import naive
import nets
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, central_differences, worst_relative_error

from jitnet.model.memory_plan import parameter_offsets

PLACES = 25  # numbers of a tensor that are tried: all of them in the small ones
# In the wide ones some unit always lies near a kink; they are held to the same twins as these.
MAKES = [make for make in nets.MAKES if make not in nets.WIDE + nets.TILED]
LR = 0.5  # a power of two: (w - w') / lr rounds no more than w - w'


@pytest.fixture(scope="module", params=MAKES, ids=[nets.IDS[nets.MAKES.index(make)] for make in MAKES])
def measured(request):
    """A network, and for each tensor some places with the differences (place, image) of each image's loss there."""
    case = nets.smooth_case(request.param)
    tensors = case.tensors()
    differences = {}
    for name, array in tensors.items():
        rng = np.random.default_rng(array.size)
        places = rng.permutation(array.size)[:PLACES]
        each = central_differences(lambda: naive.losses(case.layers, tensors, case.inputs, case.targets), array, places)
        differences[name] = places, each
    return case, differences


def worst(found, differences, image=None):
    """Return the worst error of any tensor, against one image's differences or the mean of all."""
    errors = [0.0]
    for name, (places, each) in differences.items():
        expected = each.mean(axis=1) if image is None else each[:, image]
        errors.append(worst_relative_error(found[name].reshape(-1)[places], expected))
    return max(errors)


def update(case, order, batch_size):
    """Take one step; return (w - w') / lr by name, and put the parameters back."""
    before = case.network.params.copy()
    done, _ = case.network.train_steps(case.images, case.targets, order, batch_size, np.array([LR]), np.zeros(1))
    assert done == 1
    change = (before - case.network.params) / LR
    case.network.params[:] = before
    return by_name(case, change)


def by_name(case, flat):
    offsets = parameter_offsets(case.network.shapes).items()
    return {name: flat[start : start + int(np.prod(extents))] for name, (start, extents) in offsets}


def test_the_gradient_of_a_batch(measured):
    case, differences = measured
    N = len(case.images)
    grad = np.zeros_like(case.network.params)
    case.network.accumulate(case.images, case.targets, np.arange(N), 1 / N, grad)
    assert worst(by_name(case, grad), differences) <= GRADIENT_ERROR


def test_the_update_of_a_batch(measured):
    """Apart from the gradient: here a dense layer takes its step inside the product."""
    case, differences = measured
    N = len(case.images)
    assert worst(update(case, np.arange(N), N), differences) <= GRADIENT_ERROR


def test_the_update_of_one_image(measured):
    case, differences = measured
    for image in range(len(case.images)):
        change = update(case, np.array([image]), 1)
        assert worst(change, differences, image) <= GRADIENT_ERROR


def test_the_naive_gradients_themselves(measured):
    """So that a twin which is wrong in the same way as a kernel does not go unseen."""
    case, differences = measured
    _, gradients = naive.gradients(case.layers, case.tensors(), case.inputs, case.targets)
    assert worst(gradients, differences) <= GRADIENT_ERROR


def test_backward_gives_the_same_bits_again(measured):
    case, _ = measured
    order = np.arange(len(case.images))
    first, second = (update(case, order, len(order)) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)
