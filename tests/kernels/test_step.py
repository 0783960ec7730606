"""Whole steps of the fast path against the simple one: loss and every parameter tensor, over networks of any kind."""

import naive
import nets
import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import seeds

from jitnet.model.architecture import parse
from jitnet.model.network import LOSSES, Network
from jitnet.model.optimizer import KINDS, Optimizer
from jitnet.model.simple_kernels import ROOM

# Relative to the largest entry of a tensor, after three steps. In float32 sums of about a hundred products differ;
# Adam divides by the root of squares that may be as small.
FLOAT64, FLOAT64_FIRST_ADAM, FLOAT32, FLOAT32_ADAM = 1e-12, 1e-7, 1e-4, 2e-2
activations = st.sampled_from(("relu", "sigmoid", "tanh", "linear"))


@st.composite
def networks(draw):
    """Draw (architecture, image, bias): odd sizes, one channel or more, with and without pools."""
    H, W, C = draw(st.integers(2, 9)), draw(st.integers(2, 9)), draw(st.sampled_from((1, 2, 3)))
    words, height, width = [], H, W
    for _ in range(draw(st.integers(0, 3))):
        words.append(f"conv{draw(st.sampled_from((1, 3, 8, 17)))}:{draw(activations)}")
        if min(height, width) >= 2 and draw(st.booleans()):
            words.append("pool")
            height, width = height // 2, width // 2
    words += [f"dense{draw(st.integers(1, 20))}:{draw(activations)}" for _ in range(draw(st.integers(0, 2)))]
    return (
        " ".join([*words, f"dense{draw(st.integers(2, 5))}"]),
        (H, W, C),
        draw(st.sampled_from(("position", "channel"))),
    )


def pair(case, loss):
    """Return the network and its double with simple kernels."""
    fast = case.network
    fast.loss = loss
    simple = Network(fast.layers, fast.image, fast.bias, fast.dtype, loss, kernels="simple")
    simple.params[:] = fast.params
    return fast, simple


def trained(network, case, targets, batch_size, rule, lr, under_way=False):
    """Train over all images, from a state as after some steps if `under_way`; return losses, total and state."""
    optimizer, totals = Optimizer(**rule), np.zeros(1)
    optimizer.start(network.params)
    if under_way:
        rng = np.random.default_rng(2)
        optimizer.first[:] = rng.normal(0, 0.1, optimizer.first.size)
        optimizer.second[:] = rng.uniform(0.01, 0.1, optimizer.second.size)
        optimizer.taken = 5
    steps = -(-len(case.images) // batch_size)
    order, lrs = np.arange(len(case.images)), np.full(steps, lr)
    done, losses = network.train_steps(case.images, targets, order, batch_size, lrs, totals, optimizer)
    assert done == steps and optimizer.taken == steps + 5 * under_way
    return [losses, totals, *optimizer.state().values()]


def assert_same(fast, simple, results, tolerance):
    for name, array in fast.tensors().items():
        results = [*results, (array, simple.tensors()[name])]
    for ours, theirs in results:
        largest = np.max(np.abs(theirs))
        assert np.max(np.abs(ours - theirs)) <= tolerance * max(largest, np.finfo(ours.dtype).tiny)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(
    make=networks(), images=st.integers(1, 7), batch_size=st.integers(1, 7), decay=st.sampled_from((0.0, 0.01)),
    reduction=st.sampled_from(("mean", "sum")), loss=st.sampled_from(sorted(LOSSES)), numbers=st.booleans(), seed=seeds,
)  # fmt: skip
def test_float64(kind, make, images, batch_size, decay, reduction, loss, numbers, seed):
    case = nets.case(make, np.float64, images, seed)
    targets = np.random.default_rng(seed).random((images, case.network.classes)) if numbers else case.targets
    fast, simple = pair(case, loss)
    # Adam's first step is g / |g|: a gradient that is nothing but rounding moves a weight by lr. So it is under way.
    rule = {"kind": kind, "weight_decay": decay, "reduction": reduction}
    adam = kind.startswith("adam")
    found = [
        trained(network, case, targets, batch_size, rule, 0.001 if adam else 0.01, under_way=adam)
        for network in (fast, simple)
    ]
    assert_same(fast, simple, zip(*found), FLOAT64)
    close = np.abs(fast.logits(case.images) - simple.logits(case.images)).max()
    assert close <= FLOAT64 * max(1, np.abs(simple.logits(case.images)).max())


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_the_first_step_of_adam(kind):
    """Its g / |g| turns rounding of g into differences of lr where g is next to nothing."""
    for make in nets.MAKES[:12]:
        case = nets.case(make, np.float64, 4, 1)
        fast, simple = pair(case, "cross-entropy")
        found = [trained(network, case, case.targets, 2, {"kind": kind}, 0.001) for network in (fast, simple)]
        assert_same(fast, simple, zip(*found), FLOAT64_FIRST_ADAM)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", nets.MAKES[:15], ids=nets.IDS[:15])
def test_float32(kind, make):
    case = nets.case(make, np.float32, 6, 1)
    fast, simple = pair(case, "cross-entropy")
    found = [
        trained(network, case, case.targets, 2, {"kind": kind, "weight_decay": 0.01}, 0.001)
        for network in (fast, simple)
    ]
    assert_same(fast, simple, zip(*found), FLOAT32_ADAM if kind.startswith("adam") else FLOAT32)


@pytest.mark.parametrize("batch_size", [1, 3, 2 * ROOM + 1])
def test_the_simple_step_is_the_naive_one(batch_size):
    """A batch larger than the room for images is taken in parts."""
    case = nets.case(nets.MAKES[10], np.float64, images=2 * ROOM + 1)
    _, simple = pair(case, "cross-entropy")
    steps = min(4, -(-len(case.images) // batch_size))
    order, lrs = np.arange(steps * batch_size), np.full(steps, 0.05)
    totals = np.zeros(1)
    done, losses = simple.train_steps(case.images, case.targets, order, batch_size, lrs, totals)
    means, tensors = naive.train_minibatch(
        case.layers, case.tensors(), case.inputs, case.targets, order, batch_size, lrs
    )
    assert done == steps and np.allclose(losses, means, rtol=1e-12)
    assert totals[0] == pytest.approx(np.sum(means) * batch_size, rel=1e-12)
    nets.assert_close(simple.tensors(), tensors, FLOAT64)


def test_a_gradient_in_parts_is_the_gradient():
    case = nets.case(nets.MAKES[8], np.float64, images=5)
    _, simple = pair(case, "mse")
    whole, parts = np.zeros_like(simple.params), np.zeros_like(simple.params)
    total = simple.accumulate(case.images, case.targets, np.arange(5), 0.2, whole)
    found = sum(
        simple.accumulate(case.images, case.targets, part, 0.2, parts) for part in (np.arange(2), np.arange(2, 5))
    )
    assert found == pytest.approx(total, rel=1e-14) and np.allclose(parts, whole, rtol=1e-12, atol=1e-16)


def test_an_image_has_the_same_bits_in_any_batch():
    case = nets.case(nets.MAKES[10], np.float32, images=ROOM + 3)
    _, simple = pair(case, "cross-entropy")
    whole = simple.logits(case.images)
    alone = np.concatenate([simple.logits(case.images[n : n + 1]) for n in range(len(case.images))])
    assert whole.tobytes() == alone.tobytes()


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_a_new_architecture_compiles_nothing():
    from jitnet.kernels.layers import convolution, linear

    for text in ("conv2 pool dense3", "conv5 conv1 pool dense4 dense2"):
        network = Network(parse(text), (6, 5, 1), kernels="simple")
        network.train_steps(
            np.zeros((2, 6, 5, 1), np.uint8), np.zeros(2, np.uint8), np.arange(2), 2, np.ones(1), np.zeros(1)
        )
        counts = [len(kernel.signatures) for kernel in (convolution.conv2d_forward, linear.linear_forward)]
        if text.startswith("conv2"):
            before = counts
    assert counts == before
