"""The mini-batch driver, its phases, and inference, against naive ones; and results that do not depend on the batch."""

import naive
import nets
import numpy as np
import pytest
from bounds import assert_within, gamma
from canary import assert_unharmed, guarded, unwritten
from hypothesis import given
from hypothesis import strategies as st
from shapes import DTYPES, batches, normal, seeds

from jitnet.kernels.compiler.thread_pool import start_pool
from jitnet.kernels.fast.batch import train_minibatch
from jitnet.kernels.fast.batch_conv_backward import conv_blocks_backward, sum_shards
from jitnet.kernels.fast.batch_conv_forward import conv_blocks_forward
from jitnet.kernels.table import MICROBATCH, SHARDS, shard_count, shard_range
from jitnet.machine import threads
from jitnet.model import memory_plan
from jitnet.model.inference import in_groups
from jitnet.model.memory_plan import build
from jitnet.model.optimizer import Optimizer

SAME = 1e-10  # of the largest number of a tensor: a few hundred float64 roundings, propagated through a few steps
CONVS = [make for make in nets.MAKES if "conv" in make[0]]
makes = st.sampled_from(nets.MAKES)


@given(make=makes, images=st.integers(1, 40), batch_size=batches, seed=seeds)
def test_steps_are_those_of_naive_sgd(make, images, batch_size, seed):
    """Any batch size, also 1, also larger than the data; the last batch is short."""
    case = nets.case(make, np.float64, images, seed)
    steps = min(4, -(-images // batch_size))
    order = np.random.default_rng(seed).permutation(images)[: steps * batch_size]
    lrs, totals = np.linspace(0.05, 0.01, steps), np.zeros(1)
    expected, tensors = naive.train_minibatch(
        case.layers, case.tensors(), case.inputs, case.targets, order, batch_size, lrs
    )
    losses = minibatch(case, order, batch_size, lrs, totals)
    assert np.allclose(losses, expected, rtol=SAME, atol=0)
    sizes = [len(order[step * batch_size : (step + 1) * batch_size]) for step in range(steps)]
    assert np.isclose(totals[0], expected @ sizes, rtol=SAME)
    nets.assert_close(case.network.tensors(), tensors, SAME)


def minibatch(case, order, batch_size, lrs, totals):
    """Run the mini-batch kernel, for a batch size of 1 too (the network would choose the other driver)."""
    start_pool()
    losses = np.zeros(len(lrs))
    arguments = case.network.minibatch_arguments(case.images, case.targets, order, batch_size, lrs, losses, totals)
    assert train_minibatch(*arguments) == len(lrs)
    return losses


@pytest.mark.parametrize("make", nets.MAKES, ids=nets.IDS)
def test_float32_follows(make):
    case = nets.case(make, np.float32, images=11)
    order, lrs = np.arange(11), np.full(3, 0.02)
    _, tensors = naive.train_minibatch(case.layers, case.tensors(), case.inputs, case.targets, order, 4, lrs)
    minibatch(case, order, 4, lrs, np.zeros(1))
    nets.assert_close(case.network.tensors(), tensors, nets.FLOAT32)


@given(make=makes, sizes=st.lists(st.integers(1, 9), min_size=1, max_size=3), seed=seeds)
def test_a_batch_in_parts_has_the_gradient_of_the_whole(make, sizes, seed):
    images = sum(sizes)
    case = nets.case(make, np.float64, images, seed)
    network = case.network
    grad = normal(seed, np.float64, network.params.size)  # existing values are kept
    views = np.split(grad, offsets(network, grad.size))
    expected = {name: view.reshape(array.shape) for (name, array), view in zip(network.tensors().items(), views)}
    order = np.random.default_rng(seed).permutation(images)
    for part in np.split(order, np.cumsum(sizes)[:-1]):
        total, expected = naive.accumulate_gradient(
            case.layers, case.tensors(), case.inputs[part], case.targets[part], 1 / images, expected
        )
        assert np.isclose(network.accumulate(case.images, case.targets, part, 1 / images, grad), total, rtol=SAME)
        found = {name: view.reshape(expected[name].shape) for name, view in zip(expected, views)}
        nets.assert_close(found, expected, SAME)


@pytest.mark.parametrize("make", CONVS)
def test_the_conv_blocks_alone(make):
    """Forward, then backward from a given gradient, shard by shard."""
    case = nets.case(make, np.float64, images=13)
    network, N = case.network, 13
    space = network.workspace(20)  # more room than images
    buffers = space.layers, space.plan, network.params, space.work, space.argmax
    conv_blocks_forward(*buffers, case.images, np.float64(255), np.arange(N))
    out, tape = naive.conv_blocks_forward(case.layers, case.tensors(), case.inputs)
    last = space.layers[space.plan[0]["convs"] - 1]
    assert np.allclose(region(space, last["out"], out), out, rtol=SAME, atol=SAME)

    grad = normal(0, np.float64, *out.shape)
    region(space, last["grad_out"], out)[...] = grad
    conv_blocks_backward(*buffers, N)
    size = space.plan[0]["conv_params"]
    shards = space.work[space.plan[0]["shard_grads"] :][: shard_count(N) * size].reshape(-1, size)
    expected = naive.conv_blocks_backward(case.layers, case.tensors(), tape, grad)
    found = dict(zip(network.tensors(), np.split(shards.sum(axis=0), offsets(network, size))))
    nets.assert_close({name: found[name].reshape(array.shape) for name, array in expected.items()}, expected, SAME)


def region(space, start, like):
    """Return the part of the arena from `start` on that has the shape of `like`."""
    return space.work[start : start + like.size].reshape(like.shape)


def offsets(network, size):
    """Return where tensors end inside the first `size` parameters."""
    ends = np.cumsum([array.size for array in network.tensors().values()])
    return ends[ends < size]


@pytest.mark.parametrize("dtype", DTYPES)
@given(S=st.integers(1, 32), P=st.sampled_from((1, 5, 4096, 8193)), added=st.booleans(), seed=seeds)
def test_sum_shards(dtype, S, P, added, seed):
    shards, out = normal(seed, dtype, S, P), unwritten(P, dtype)
    there = normal(seed, dtype, P) if added else np.zeros(P, dtype)
    if added:
        out[...] = there
    sum_shards(guarded(shards), added, out)
    assert_unharmed(out)
    assert_within(out, there + naive.sum_shards(shards), S + added, np.abs(shards).sum(axis=0) + np.abs(there))


@given(images=st.integers(1, 1000))
def test_each_image_is_in_one_shard_in_turn_and_microbatches_are_cut_alike(images):
    ranges = [shard_range(images, shard) for shard in range(shard_count(images))]
    assert [first for first, _ in ranges] + [images] == [0] + [stop for _, stop in ranges]
    assert all(1 <= stop - first <= MICROBATCH // SHARDS for first, stop in ranges)
    assert ranges[: images // MICROBATCH * SHARDS] == [
        shard_range(images // MICROBATCH * MICROBATCH, shard) for shard in range(images // MICROBATCH * SHARDS)
    ]


@pytest.mark.parametrize("make", [CONVS[0], CONVS[-1]])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_no_bit_depends_on_how_many_microbatches_there_is_room_for(make, decay):
    """It depends on the number of threads: five make room for two at once."""
    images = 2 * MICROBATCH + 7
    found = []
    for count in (1, SHARDS + 1, 3 * SHARDS):
        case = nets.case(make, np.float32, images)
        case.network.use(build(case.network.shapes, images, count, np.float32))
        assert case.network.workspace(images).plan[0]["images"] == min(images, MICROBATCH * -(-count // SHARDS))
        optimizer = Optimizer("adamw", weight_decay=decay) if decay else Optimizer()
        optimizer.start(case.network.params)
        case.network.train_steps(
            case.images, case.targets, np.arange(images), images, np.full(1, 0.01), np.zeros(1), optimizer
        )
        found.append((case.network.params.tobytes(), case.network.logits(case.images).tobytes()))
    assert found[0] == found[1] == found[2]


@pytest.mark.skipif(threads.pool_size() == 1, reason="one thread is one worker")
@pytest.mark.parametrize("make", CONVS, ids=lambda make: make[0])
def test_no_bit_depends_on_whose_scratch_a_shard_finds(monkeypatch, make):
    """One worker runs all shards in its own scratch, one after the other, or each thread some of them."""
    found = []
    for pool in (1, min(SHARDS, threads.pool_size())):
        monkeypatch.setattr(memory_plan, "pool_size", lambda: pool)  # noqa: B023
        case = nets.case(make, np.float32, 37)
        with threads.limited(pool):
            case.network.train_steps(case.images, case.targets, np.arange(37), 37, np.full(1, 0.01), np.zeros(1))
            found.append((case.network.params.tobytes(), case.network.logits(case.images).tobytes()))
        assert case.network.workspace(37).plan[0]["scratches"] == pool
    assert found[0] == found[1]


def test_there_is_scratch_for_the_whole_pool_not_only_for_the_threads_in_use():
    """Their number may rise later: it is chosen anew in a run, and numba.set_num_threads is the user's."""
    with threads.limited(1):
        space = nets.case(CONVS[0], np.float32, 37).network.workspace(37)
    assert space.plan[0]["scratches"] == min(SHARDS, threads.pool_size())


@pytest.mark.parametrize("dtype", DTYPES)
@given(make=makes, images=st.integers(1, 20), seed=seeds)
def test_predict_logits(dtype, make, images, seed):
    """Within the sum of the rounding errors of each layer, propagated through the following layers."""
    case = nets.case(make, dtype, images, seed)
    if in_groups(case.network):
        expected = naive.predict_in_groups(case.layers, case.tensors(), case.inputs)
    else:
        expected = naive.predict_logits(case.layers, case.tensors(), case.inputs)
    assert np.all(np.abs(case.network.logits(case.images) - expected) <= bound(case, dtype))


def bound(case, dtype):
    """Follow the error through the network: |W| e of the layer before, and gamma_K |W| |x| of this one.

    No activation is steeper than 1, so none widens it, nor does the maximum; sigmoid and tanh, at most 1, are rounded
    themselves. A pixel is rounded twice, as a byte's quotient and as a float.
    """
    kinds = naive.activations(case.layers)
    tensors = case.tensors()
    _, tape, inputs = naive.forward(case.layers, tensors, case.inputs)
    error = gamma(2, dtype) * case.inputs
    for (name, pooled), (padded, _, _) in zip(naive.blocks(case.layers), tape):
        weight, bias = np.abs(tensors[f"{name}.weight"]), np.abs(tensors[f"{name}.bias"])
        carried = naive.conv2d_forward(naive.border(error), weight, 0 * bias)
        reach = naive.conv2d_forward(np.abs(padded), weight, bias) + carried
        error = carried + gamma(9 * padded.shape[3] + 2, dtype) * reach
        error += gamma(4, dtype) * (kinds[name] > 1)
        error = naive.max_pool2d_forward(error, False)[0] if pooled else error
    error = error.reshape(len(case.images), -1)
    for name, values in zip(naive.heads(case.layers), inputs):
        weight, bias = np.abs(tensors[f"{name}.weight"]), np.abs(tensors[f"{name}.bias"])
        carried = error @ weight
        error = carried + gamma(len(weight) + 4, dtype) * (np.abs(values) @ weight + bias + carried)
        error += gamma(4, dtype) * (kinds[name] > 1)
    return 2 * error if dtype == np.float64 else error  # the error of a float64 twin is as large


@given(make=makes, images=st.integers(1, 70), seed=seeds)
def test_an_image_has_the_same_bits_in_any_batch(make, images, seed):
    case = nets.case(make, np.float32, images, seed)
    together = case.network.logits(case.images)
    order = np.random.default_rng(seed).permutation(images)
    assert np.array_equal(case.network.logits(case.images[order]), together[order])
    for n in {0, images // 2, images - 1}:
        assert np.array_equal(case.network.logits(case.images[n : n + 1])[0], together[n])


def test_permuted_classes_permute_the_logits():
    case = nets.case(nets.MAKES[10], np.float32, 5)
    before = case.network.logits(case.images)
    order = np.random.default_rng(0).permutation(case.network.classes)
    tensors = case.network.tensors()
    *_, weight, bias = tensors.values()
    weight[...], bias[...] = weight[:, order], bias[order]
    assert np.array_equal(case.network.logits(case.images), before[:, order])


def test_a_batch_that_is_given_twice_has_the_same_gradient():
    changes = []
    for times in (1, 2):
        case = nets.case(nets.MAKES[10], np.float64, 6)
        minibatch(case, np.tile(np.arange(6), times), 6 * times, np.array([0.5]), np.zeros(1))
        changes.append(case.network.params)
    assert np.allclose(*changes, rtol=1e-12, atol=1e-14)
