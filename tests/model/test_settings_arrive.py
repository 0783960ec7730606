"""Settings arrive where they act: in the network, its optimizer, its listing, its pickle."""

import pickle

import numpy as np
import pytest

from jitnet.config import Settings
from jitnet.errors import InputError
from jitnet.machine import memory
from jitnet.model.architecture import operations, parse, shapes
from jitnet.model.build import network_of
from jitnet.model.network import Network
from jitnet.model.optimizer import KINDS, Optimizer
from jitnet.model.scores import confusion, over_shifts


@pytest.mark.parametrize("kind", KINDS)
def test_an_optimizer_is_that_of_its_settings(kind):
    made = Optimizer.of(Settings(optimizer=kind, momentum=0.7, weight_decay=0.25, reduction="sum", ema=0.5))
    assert made.rule[0].item() == (KINDS[kind], 1, 0.7, 0.9, 0.999, 1e-8, 0.25)
    assert (made.kind, made.decay_of_average, made.is_plain) == (kind, 0.5, False)
    params = np.arange(1.0, 4.0)
    made.start(params)
    assert made.average.tolist() == params.tolist() and made.average is not params
    assert Optimizer.of(Settings(optimizer=kind)).average.size == 0


def test_a_network_is_that_of_its_settings():
    chosen = Settings(architecture="conv2:tanh pool dense4", bias="channel", dropout=0.25, seed=7, label_smoothing=0.1)
    network = network_of(chosen, (6, 8, 3), 5)
    assert network.layers == parse("conv2:tanh pool dense4 dense5") and network.image == (6, 8, 3)
    assert (network.bias, network.dropout, network.seed, network.label_smoothing) == ("channel", 0.25, 7, 0.1)
    assert network.tensors()["conv1.bias"].shape == (1, 1, 2) and network.kernels == "simple"
    plain = network_of(Settings(architecture="dense4", loss="mse", kernels="simple"), (1, 9, 1), 1)
    assert (plain.loss, plain.kernels, plain.bias) == ("mse", "simple", "position")
    assert network_of(Settings(architecture="dense4"), (1, 9, 1), 2).kernels == "fast"


@pytest.mark.parametrize(
    ("image", "outputs"),
    [
        ((6, 8), 5), ((6, 8, 3, 1), 5), ((6, 8, 0), 5), ((0, 8, 3), 5), ((6, -8, 3), 5), ((6, 8.0, 3), 5), ("683", 5),
        (None, 5), ((6, 8, 3), 0), ((6, 8, 3), -1), ((6, 8, 3), 5.0),
    ],
)  # fmt: skip
def test_a_network_has_a_size_in_whole_numbers_above_0(image, outputs):
    with pytest.raises(InputError, match=r"^the images are .* and the outputs .*: expected "):
        network_of(Settings(architecture="conv2 dense4"), image, outputs)


@pytest.mark.parametrize("kind", [list, tuple, lambda image: tuple(np.array(image))])
def test_sizes_may_be_of_any_kind_of_whole_numbers(kind):
    network = network_of(Settings(architecture="conv2 dense4"), kind([6, 8, 3]), np.int64(5))
    assert network.image == (6, 8, 3) and network.classes == 5


def test_a_bad_state_of_the_optimizer_is_not_finite():
    for kind, place in (("momentum", "first"), ("adam", "first"), ("adam", "second")):
        network = Network(parse("dense3"), (2, 2, 1))
        optimizer, grad = Optimizer(kind), np.zeros_like(network.params)
        optimizer.start(network.params)
        assert network.descend(grad, 0.0, optimizer) and optimizer.taken == 1
        getattr(optimizer, place)[3] = np.inf
        network.params[:] = 0
        assert not network.descend(grad, 0.0, optimizer)


@pytest.mark.parametrize("kind", KINDS)
def test_bad_parameters_after_a_step_are_not_finite(kind):
    network = Network(parse("dense3"), (2, 2, 1))
    optimizer, grad = Optimizer(kind), np.ones_like(network.params)
    optimizer.start(network.params)
    network.params[-1] = np.inf
    assert not network.descend(grad, 0.0, optimizer)


@pytest.mark.parametrize("kernels", ["fast", "simple"])
def test_a_pickle_is_as_small_as_its_parameters(kernels):
    network = Network(parse("conv4 pool dense8 dense3"), (8, 8, 1), kernels=kernels)
    network.reserve(200)
    network.logits(np.zeros((200, 8, 8, 1), np.uint8))
    assert len(pickle.dumps(network)) < network.params.nbytes + 3000
    assert np.array_equal(pickle.loads(pickle.dumps(network)).params, network.params)


@pytest.mark.parametrize("kernels", ["fast", "simple"])
def test_a_larger_batch_follows_a_smaller_one(kernels):
    network = Network(parse("dense3"), (2, 2, 1), kernels=kernels)
    network.initialise("he", 0)
    images = np.random.default_rng(0).integers(0, 256, (50, 2, 2, 1)).astype(np.uint8)
    alone = np.concatenate([network.logits(images[place : place + 1]) for place in range(50)])
    np.testing.assert_allclose(network.logits(images), alone, rtol=1e-5)
    np.testing.assert_allclose(network.logits(np.float32(images) / np.float32(255)), alone, rtol=1e-5)


def test_outputs_that_overflow_are_those_of_the_layer_after_a_pool():
    network = Network(parse("conv2 pool dense3"), (4, 4, 1))
    network.tensors()["dense1.weight"][:] = 1e38
    network.tensors()["conv1.bias"][:] = 1e3
    network.logits(np.zeros((2, 4, 4, 1), np.uint8))
    assert network.not_finite() == "dense1's outputs"


def test_memory_is_asked_for_the_copies_that_training_makes(monkeypatch):
    count = Network(parse("dense1000 dense3"), (1, 1000, 1)).params.size
    monkeypatch.setattr(memory, "available", lambda: 4 * 4 * count)
    with pytest.raises(InputError, match="needs"):
        Network(parse("dense1000 dense3"), (1, 1000, 1))


def test_a_table_of_confusions_is_made_of_up_to_a_hundred_classes():
    labels = np.arange(100)
    assert np.array_equal(confusion(labels, labels, 100), np.eye(100)) and confusion(labels, labels, 101) == ()


def test_chances_of_zero_over_shifts_have_finite_scores():
    with np.errstate(all="raise", under="ignore"):
        found = over_shifts(lambda images: np.array([[2000.0, 0.0]]), np.zeros((1, 3, 3, 1)))
    assert np.isfinite(found).all() and found[0, 0] == 0 and found[0, 1] < -700


def test_a_listing_names_its_pools_and_what_becomes_a_vector():
    network = shapes(parse("conv2 avgpool conv3 pool dense4 dense3"), (8, 8, 1))
    rows = [row[:3] for row in operations(network)]
    assert [row for row in rows if "pool" in row[0]] == [
        ("average-pool 3x3/2", "8x8x2", "4x4x2"), ("max-pool 3x3/2", "4x4x3", "2x2x3")
    ]  # fmt: skip
    assert [row for row in rows if row[0] == "vectorise"] == [("vectorise", "2x2x3", "12")]
    assert ("vectorise", "2x2x3", "12") in [row[:3] for row in operations(network, regression=True)]
