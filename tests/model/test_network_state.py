"""What a network keeps, what it requests, and what it names: parameters, memory, and the layer that is not finite."""

import pickle
import tracemalloc

import numpy as np
import pytest

from jitnet.errors import InputError
from jitnet.machine import memory
from jitnet.model.architecture import parse
from jitnet.model.memory_plan import read_only
from jitnet.model.network import Network

ARCHITECTURE = "conv2 pool conv3 dense4 dense3"
IMAGES = np.full((3, 6, 6, 1), 255, np.uint8)
KERNELS = pytest.mark.parametrize("kernels", ["fast", "simple"])


def made(kernels="fast", architecture=ARCHITECTURE, dtype=np.float32):
    return Network(parse(architecture), (6, 6, 1), dtype=dtype, kernels=kernels)


def test_parameters_of_another_network_are_refused_and_change_none():
    network = made()
    before = network.params.copy()
    for name, array in network.tensors().items():
        for bad in (None, np.float64(array), array[:-1], array[None], array.reshape(-1, *array.shape[:-1])):
            given = {other: own + 1 for other, own in network.tensors().items()} | {name: bad}
            if bad is None:
                del given[name]
            elif bad.shape == array.shape and bad.dtype == array.dtype:
                continue
            found = "nothing" if bad is None else f"{bad.dtype} {bad.shape}"
            with pytest.raises(InputError) as caught:
                network.load_tensors(given, "it")
            assert f"it was made by another network: for {name} it has {found}, expected " in str(caught.value)
            assert f"expected float32 {array.shape}; use a run of the network {ARCHITECTURE!r}" in str(caught.value)
            assert np.array_equal(network.params, before)
    network.load_tensors({name: array + 1 for name, array in network.tensors().items()} | {"more": before}, "it")
    assert np.array_equal(network.params, before + 1)


def test_a_pickle_whose_parameters_are_mapped_read_only_may_be_trained():
    network, buffers = made(), []
    network.initialise("he", 0)
    content = pickle.dumps(network, protocol=5, buffer_callback=buffers.append)
    back = pickle.loads(content, buffers=[bytes(buffer) for buffer in buffers])
    assert buffers and np.array_equal(back.params, network.params)
    back.initialise("he", 1)
    assert not np.array_equal(back.params, network.params)


def test_arrays_that_kernels_read_stay_as_they_were():
    numbers = np.arange(24.0).reshape(2, 3, 4)
    unaligned = np.frombuffer(bytearray(b"0" + numbers.tobytes()), np.uint8)[1:].view(float).reshape(2, 3, 4)
    for array in (numbers, np.asfortranarray(numbers), numbers[:, ::2], unaligned):
        view = read_only(array)
        assert array.flags.writeable and not view.flags.writeable and np.array_equal(view, array)
        assert view.flags.c_contiguous and view.flags.aligned


@KERNELS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("architecture", ["dense40 dense3", "conv3 pool conv20 dense3"])
def test_the_memory_that_is_asked_for_is_that_of_the_buffers(monkeypatch, kernels, dtype, architecture):
    network, asked = made(kernels, architecture, dtype), []
    network.reserve(1)  # imports the kernels
    monkeypatch.setattr(memory, "require", lambda size, what: asked.append((size, what)))
    tracemalloc.start()
    network.reserve(60)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    ((size, what),) = asked
    assert what == "a batch of 60 images in this network" and 0.9 * taken < size < 1.2 * taken


@KERNELS
def test_a_batch_beyond_the_memory_is_refused_before_the_first_step(monkeypatch, kernels):
    network = made(kernels)
    network.reserve(1)
    monkeypatch.setattr(memory, "available", lambda: 10**4)
    with pytest.raises(InputError, match="a batch of 500 images in this network needs"):
        network.reserve(500)


@KERNELS
def test_a_large_batch_goes_through_a_network_in_parts(monkeypatch, kernels):
    monkeypatch.setattr(memory, "available", lambda: 10**7)
    network = made(kernels)
    network.reserve(10**6)  # of which the first layer's outputs alone are 288 MB
    assert network.logits(IMAGES).shape == (3, 3)


def overflowing(kernels, name):
    """Return a network whose parameters are finite, as are all outputs before those of the layer with this name."""
    network = made(kernels)
    for tensor, array in network.tensors().items():
        array[...] = 3e38 if tensor == f"{name}.weight" else float(tensor.endswith(".bias"))
    return network


@KERNELS
@pytest.mark.parametrize("name", ["conv1", "conv2", "dense1", "dense2"])
def test_the_first_layer_that_is_not_finite_is_named(kernels, name):
    network = overflowing(kernels, name)
    network.logits(IMAGES)
    assert network.not_finite() == f"{name}'s outputs"
    network.tensors()["dense1.weight"][-1, 0] = np.nan
    assert network.not_finite() == "dense1.weight"


@KERNELS
def test_outputs_are_those_of_the_last_call(kernels):
    network = overflowing(kernels, "dense1")
    poisoned = network.params.copy()

    def step():
        network.train_steps(IMAGES, np.zeros(3, np.uint8), np.zeros(1, np.int64), 1, np.zeros(1), np.zeros(1))

    def predict():
        network.logits(IMAGES[:1])

    for calls in ((predict, step, predict), (step, predict, step)):
        for call in calls:
            network.params[:] = 0.01
            call()
            assert network.not_finite() == ""
        network.params[:] = poisoned
        calls[1]()
        assert network.not_finite() == "dense1's outputs"
