"""A network as text, its extents, its listing, and what does not fit."""

import numpy as np
import pytest

from jitnet.errors import InputError
from jitnet.machine import memory
from jitnet.model import architecture
from jitnet.model.architecture import CNN, Conv, Dense, Pool, parse, shapes, to_text
from jitnet.model.network import Network


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dense1",
        "conv1 pool conv2 conv3 pool dense4 dense5",
        "conv999999 dense999999",
        "conv3:tanh pool dense4:linear",
    ],
)
def test_text_round_trip(text):
    assert to_text(parse(text)) == text
    assert parse(f"  {text.replace(' ', '   ')} ") == parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("conv", "word 1 of the architecture, 'conv'"),
        ("dense4 conv", "word 2 of the architecture, 'conv'"),
        ("Conv4", "word 1 of the architecture, 'Conv4'"),
        ("conv4 pool2", "word 2 of the architecture, 'pool2'"),
        ("conv04", "word 1 of the architecture, 'conv04'"),
        ("conv1.5", "word 1 of the architecture, 'conv1.5'"),
        ("conv-1", "word 1 of the architecture, 'conv-1'"),
        ("dense1000000", "word 1 of the architecture, 'dense1000000'"),
        ("conv4\x00", r"word 1 of the architecture, 'conv4\\x00'"),
        ("dense3 conv4", "word 2 of the architecture, 'conv4', comes after a dense"),
        ("dense1\u0664", "word 1 of the architecture, 'dense1\u0664', is not a layer"),  # a digit, but not one of ours
        ("conv4 pool dense3 pool", "word 4 of the architecture is a pool"),
        (
            "conv4:tan",
            "word 1 of the architecture, 'conv4:tan', names the unknown activation 'tan': expected one of relu",
        ),
        ("conv4 pool:tanh", "word 2 of the architecture, 'pool:tanh', gives a pool an activation"),
        ("dense4:", "word 1 of the architecture, 'dense4:', names the unknown activation ''"),
    ],
)
def test_text_that_is_refused(text, said):
    with pytest.raises(InputError, match=said):
        parse(text)


def test_an_activation_for_the_layers_that_name_none():
    assert to_text(parse("conv4 pool dense5:linear dense6", "tanh")) == "conv4:tanh pool dense5:linear dense6:tanh"


def test_the_documents_network():
    network = shapes(CNN, (28, 28, 1))
    assert [shape.macs for shape in network if shape.macs] == [112_896, 903_168, 903_168, 313_600, 1_000]
    assert architecture.forward_macs(network) == 2_233_832 and architecture.parameter_count(network) == 359_846
    assert architecture.step_macs(network) == 3 * 2_233_832 - 112_896
    per_channel = shapes(CNN, (28, 28, 1), "channel")
    difference = 28 * 28 * 16 + 14 * 14 * 32 + 7 * 7 * 64 - (16 + 32 + 64)
    assert architecture.parameter_count(per_channel) == 359_846 - difference


@pytest.mark.parametrize(
    ("image", "extents"),
    [((28, 28, 1), (7, 7, 3)), ((5, 4, 2), (1, 1, 3)), ((4, 7, 1), (1, 1, 3)), ((9, 30, 3), (2, 7, 3))],
)
def test_pools_halve_downwards(image, extents):
    assert shapes((Conv(2), Pool(), Conv(3), Pool(), Dense(2)), image)[3].outputs == extents


@pytest.mark.parametrize(
    ("image", "number", "given"), [((6, 3, 1), 2, "3x1"), ((3, 6, 1), 2, "1x3"), ((1, 9, 2), 1, "1x9")]
)
def test_too_many_pools(image, number, given):
    said = f"pool {number} is given {given} pixels: .* images larger than {image[0]}x{image[1]}$"
    with pytest.raises(InputError, match=said):
        shapes((Conv(2), Pool(), Conv(3), Pool(), Dense(2)), image)


def test_no_output():
    for layers in ((), (Conv(2),), (Dense(2), Conv(3))):
        with pytest.raises(InputError, match="the network has no output"):
            shapes(layers, (6, 6, 1))


@pytest.mark.parametrize(
    "text", ["conv999999 dense10", "conv999999 conv999999 dense10", "dense999999 dense999999 dense10"]
)
def test_networks_beyond_the_memory_are_refused_before_it_is_taken(monkeypatch, text):
    monkeypatch.setattr(memory, "available", lambda: 64 * 10**9)
    with pytest.raises(InputError, match=f"the network '{text}' of .* parameters needs .* GB of memory"):
        Network(parse(text), (28, 28, 1))


def test_batches_beyond_the_memory_are_refused(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 10**8)
    network = Network(parse("dense1000 dense100 dense10"), (28, 28, 1))
    network.workspace(256)
    with pytest.raises(InputError, match="a batch of 60,000 images in this network needs"):
        network.workspace(60_000)
    Network(CNN, (28, 28, 1)).workspace(60_000)  # goes through the network by 64 images


def test_memory_of_a_container(tmp_path):
    whole = memory.available(tmp_path)
    assert whole is None or whole > 2**27
    (tmp_path / "memory").mkdir()
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        (tmp_path / name).write_text("max\n")
        assert memory.available(tmp_path) == whole
        (tmp_path / name).write_text("12345678\n")
        assert memory.available(tmp_path) == 12345678
        (tmp_path / name).unlink()


@pytest.mark.parametrize(
    ("scheme", "conv", "dense"),
    [("documents", 1 / 9, 1 / 400), ("lecun", 1 / 6, 1 / 20), ("he", 2**0.5 / 6, 2**0.5 / 20), ("normal", 0.01, 0.01)],
)
def test_initial_weights(scheme, conv, dense):
    network = Network((Conv(4), Conv(100), Dense(400), Dense(300)), (2, 2, 1))
    network.params[:] = 7
    network.initialise(scheme, 0)
    tensors = network.tensors()
    assert tensors["conv2.weight"].std() == pytest.approx(conv, rel=0.03)  # of fan-in 36
    assert tensors["dense1.weight"].std() == pytest.approx(dense, rel=0.03)  # of fan-in 400
    assert all(not array.any() for name, array in tensors.items() if name.endswith(".bias"))
    drawn = network.params.copy()
    network.initialise(scheme, 0)
    assert np.array_equal(network.params, drawn)
    network.initialise(scheme, 1)
    assert not np.array_equal(network.params, drawn)


def test_a_linear_layer_has_no_operation_of_its_own():
    names = [row[0] for row in architecture.operations(shapes(parse("dense4:linear dense3:tanh dense2"), (2, 2, 1)))]
    product = ["matrix product", "add bias"]
    assert names == ["vectorise", *product, *product, "tanh", *product, "softmax"]
