"""Relations between runs that must hold, to the bit where possible; and whether networks learn."""

import nets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import seeds

from jitnet.data.synthetic import draw
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.model.scores import score

MAKES = st.sampled_from(nets.MAKES)
# ReLU and linear units are homogeneous, sigmoid and tanh are not.
HOMOGENEOUS = st.sampled_from([make for make in nets.MAKES if "sigmoid" not in make[0] and "tanh" not in make[0]])


def trained(case, order, batch_size, lr=0.05):
    """Train on an order of images; return the parameters and the sum of losses."""
    steps, totals = -(-len(order) // batch_size), np.zeros(1)
    lrs = np.full(steps, lr)
    case.network.train_steps(case.images, case.targets, np.asarray(order, np.int64), batch_size, lrs, totals)
    return case.network.params, totals[0]


@given(make=HOMOGENEOUS, power=st.integers(-12, 12), seed=seeds)
def test_a_power_of_two_passes_through_to_the_bit(make, power, seed):
    """Inputs and biases times 2**k are logits times 2**k: only exponents change in sums, ReLU and maxima."""
    case = nets.case(make, np.float32, images=3, seed=seed)
    x = (np.float32(case.images) + 1) / 256
    before = case.network.logits(x)
    for name, tensor in case.network.tensors().items():
        if name.endswith(".bias"):
            tensor *= np.float32(2.0**power)
    assert np.array_equal(case.network.logits(x * np.float32(2.0**power)), before * np.float32(2.0**power))


@given(make=MAKES, seed=seeds)
def test_a_block_of_weights_times_a_power_of_two(make, seed):
    """The last layer's weights and bias times 4: so are the logits."""
    case = nets.case(make, np.float32, images=3, seed=seed)
    before = case.network.logits(case.images)
    *_, weight, bias = case.network.tensors().values()
    weight *= 4
    bias *= 4
    assert np.array_equal(case.network.logits(case.images), before * 4)


@given(make=MAKES, batch_size=st.sampled_from((1, 2, 5)), seed=seeds)
def test_a_rate_of_0_changes_no_bit(make, batch_size, seed):
    case = nets.case(make, np.float32, images=5, seed=seed)
    before = case.network.params.tobytes()
    params, total = trained(case, range(5), batch_size, lr=0.0)
    assert params.tobytes() == before and np.isfinite(total)


@given(make=MAKES, seed=seeds)
def test_the_order_inside_a_batch_is_a_matter_of_rounding(make, seed):
    ends = [trained(nets.case(make, np.float64, 6, seed), order, 6) for order in (range(6), [3, 1, 5, 0, 2, 4])]
    assert np.allclose(ends[0][0], ends[1][0], rtol=1e-11, atol=1e-13) and np.isclose(
        ends[0][1], ends[1][1], rtol=1e-12
    )


@given(make=MAKES, seed=seeds)
def test_an_image_that_is_given_twice_counts_twice(make, seed):
    """The mean over (a, a, b, b) is that over (a, b)."""
    ends = [trained(nets.case(make, np.float64, 2, seed), order, len(order))[0] for order in ([0, 1], [0, 0, 1, 1])]
    assert np.allclose(*ends, rtol=1e-11, atol=1e-13)


@given(make=MAKES, seed=seeds)
def test_labels_are_not_looked_at_by_inference(make, seed):
    case = nets.case(make, np.float32, 4, seed)
    before = case.network.logits(case.images)
    case.targets[:] = (case.targets + 1) % case.network.classes
    assert np.array_equal(case.network.logits(case.images), before)


NETWORKS = {"mlp": "dense32 dense10", "cnn": "conv8 pool conv8 pool dense32 dense10"}


def digits_network(text, scheme="he"):
    network = Network(parse(text), (28, 28, 1))
    network.initialise(scheme, 0)
    return network


def learn(network, images, labels, epochs, batch_size, lr):
    order = np.tile(np.arange(len(images)), epochs)
    lrs = np.full(-(-len(order) // batch_size), lr)
    done, _ = network.train_steps(images[..., None], labels, order, batch_size, lrs, np.zeros(1))
    assert done == len(lrs)


@pytest.mark.parametrize("scheme", ["documents", "lecun", "he"])
@pytest.mark.parametrize("text", NETWORKS.values(), ids=NETWORKS)
def test_an_untrained_network_guesses(text, scheme):
    images, labels = draw(1, 0, 200)
    loss, accuracy = score(digits_network(text, scheme).logits(images[..., None]), labels)
    assert abs(loss - np.log(10)) < {"documents": 0.1, "lecun": 0.4, "he": 0.8}[scheme] and accuracy < 35


@pytest.mark.parametrize(("batch_size", "lr", "epochs"), [(1, 0.01, 150), (16, 0.1, 200)])
@pytest.mark.parametrize("text", NETWORKS.values(), ids=NETWORKS)
def test_64_images_are_learnt_by_heart(text, batch_size, lr, epochs):
    images, labels = draw(1, 0, 64)
    network = digits_network(text)
    learn(network, images, labels, epochs, batch_size, lr)
    loss, accuracy = score(network.logits(images[..., None]), labels)
    assert loss < 0.01 and accuracy == 100


@pytest.mark.parametrize("text", NETWORKS.values(), ids=NETWORKS)
def test_from_images_that_are_empty_only_the_commonest_class_is_learnt(text):
    """All answers are the same, with the frequency of that class as probability: only the pixels distinguish digits."""
    _, labels = draw(1, 0, 1000)
    labels[:400] = 3
    blank = np.zeros((1000, 28, 28), np.uint8)
    network = digits_network(text)
    learn(network, blank, labels, 20, 50, 0.05)
    logits = network.logits(blank[..., None])
    assert (logits == logits[0]).all() and logits[0].argmax() == 3
    shares = np.bincount(labels, minlength=10) / len(labels)
    entropy = -(shares * np.log(shares)).sum()
    assert abs(score(logits, labels)[0] - entropy) < 0.02 and entropy < np.log(10) - 0.2


@pytest.mark.parametrize("text", NETWORKS.values(), ids=NETWORKS)
def test_from_shuffled_labels_nothing_is_learnt_but_from_true_ones_something(text):
    images, labels = draw(1, 0, 2000)
    x_test, y_test = draw(2, 0, 2000)
    accuracies = []
    for taught in (labels, np.random.default_rng(0).permutation(labels)):
        network = digits_network(text)
        learn(network, images, taught, 3, 16, 0.05)
        accuracies.append(score(network.logits(x_test[..., None]), y_test)[1])
    assert accuracies[0] > 60 and accuracies[1] < 30  # 10 % are right by chance
