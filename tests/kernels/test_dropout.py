"""Dropout: the twin, its statistics, its gradient, and what its choice of values depends on."""

import naive
import nets
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, assert_within, central_differences, worst_relative_error
from canary import assert_unharmed, guarded
from hypothesis import given
from hypothesis import strategies as st
from shapes import DTYPES, normal, seeds

from jitnet.errors import InputError
from jitnet.kernels.layers.dropout import dropout
from jitnet.kernels.step import add_gradient
from jitnet.model.network import Network

rates = st.floats(0, 0.99)


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    rate=rates, seed=st.integers(0, 2**63 - 1), update=st.integers(0, 2**40), layer=st.integers(0, 9),
    N=st.integers(1, 4), K=st.integers(1, 20),
)  # fmt: skip
def test_twin(dtype, rate, seed, update, layer, N, K):
    values, images = guarded(normal(seed % 1000, dtype, N, K)), np.arange(N)[::-1] * 7
    expected = naive.dropout(rate, seed, update, layer, images, values)
    dropout(rate, seed, update, layer, images, values)
    assert_unharmed(values)
    assert_within(values, expected, 2, np.abs(expected))


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_as_many_are_dropped_as_asked_and_the_mean_stays(rate):
    values, count = np.ones((400, 250)), 400 * 250
    dropout(rate, 3, 5, 1, np.arange(400), values)
    dropped, deviation = np.count_nonzero(values == 0) / count, np.sqrt(rate * (1 - rate) / count)
    assert abs(dropped - rate) <= 5 * deviation
    assert abs(values.mean() - 1) <= 5 * deviation / (1 - rate)
    if rate:  # no unit and no image is favoured
        for axis in (0, 1):
            spread = np.sqrt(rate * (1 - rate) / values.shape[axis])
            assert np.abs((values == 0).mean(axis=axis) - rate).max() <= 6 * spread


@given(seed=seeds, order=st.permutations(range(6)))
def test_an_image_is_treated_alike_in_any_batch(seed, order):
    values = np.ones((6, 9))
    dropout(0.5, seed, 2, 1, np.arange(6), values)
    shuffled = np.ones((6, 9))
    dropout(0.5, seed, 2, 1, np.array(order), shuffled)
    assert np.array_equal(shuffled, values[list(order)])


def test_every_part_of_the_key_counts():
    def kept(*key):
        values = np.ones((8, 16))
        dropout(0.5, *key, np.arange(8), values)
        return values.tobytes()

    assert len({kept(0, 0, 0), kept(1, 0, 0), kept(0, 1, 0), kept(0, 0, 1), kept(1, 1, 1)}) == 5


@pytest.mark.parametrize("dtype", DTYPES)
def test_not_a_number_stays_visible(dtype):
    values = np.full((5, 40), np.nan, dtype)
    dropout(0.5, 0, 0, 0, np.arange(5), values)
    assert np.isnan(values).all()


@pytest.mark.parametrize("text", ["dense9:tanh dense3", "conv3:tanh pool dense8:tanh dense7:sigmoid dense4"])
def test_the_gradient_of_a_network_is_that_of_what_was_kept(text):
    case = nets.case((text, (5, 4, 1), "position"), np.float64, 4)
    dropping = Network(case.layers, (5, 4, 1), dtype=np.float64, dropout=0.4, seed=2)
    dropping.params[:] = case.network.params
    net = dropping.simple(4).net

    def loss():
        return add_gradient(net, case.images, 255.0, case.targets, np.arange(4), 1.0, 6)

    net.grads[:] = 0
    undropped = np.zeros_like(net.grads)
    loss()
    found = net.grads.copy()
    case.network.accumulate(case.images, case.targets, np.arange(4), 1.0, undropped)
    expected = central_differences(loss, net.params, step=1e-5)
    assert worst_relative_error(found, expected) <= 10 * GRADIENT_ERROR
    assert np.abs(found - undropped).max() > 1e-3 * np.abs(undropped).max()


def test_scores_drop_nothing():
    case = nets.case(("conv3 pool dense8 dense4", (5, 4, 1), "position"), np.float64, 4)
    simple, dropping = (
        Network(case.layers, (5, 4, 1), dtype=np.float64, kernels="simple", dropout=rate) for rate in (0, 0.5)
    )
    simple.params[:] = dropping.params[:] = case.network.params
    assert np.array_equal(simple.logits(case.images), dropping.logits(case.images))


def test_a_large_batch_in_parts_has_the_same_gradient():
    case = nets.case(("dense8 dense4", (5, 4, 1), "position"), np.float64, 9)
    network = Network(case.layers, (5, 4, 1), dtype=np.float64, dropout=0.5)
    network.params[:] = case.network.params
    whole, parts = np.zeros_like(network.params), np.zeros_like(network.params)
    network.accumulate(case.images, case.targets, np.arange(9), 1 / 9, whole, 4)
    for part in (np.arange(5), np.arange(5, 9)):
        network.accumulate(case.images, case.targets, part, 1 / 9, parts, 4)
    assert np.allclose(whole, parts, rtol=1e-13)


def test_a_network_drops_by_its_seed_and_by_the_update():
    case, found = nets.case(("dense8 dense4", (5, 4, 1), "position"), np.float64, 4), set()
    for seed in range(3):
        network = Network(case.layers, (5, 4, 1), dtype=np.float64, dropout=0.5, seed=seed)
        network.params[:] = case.network.params
        for update in range(3):
            grad = np.zeros_like(network.params)
            network.accumulate(case.images, case.targets, np.arange(4), 1.0, grad, update)
            found.add(grad.tobytes())
    assert len(found) == 9


@pytest.mark.parametrize("text", ["dense8 dense7 dense4", "conv3 dense8 dense4", "conv3 pool conv2 dense8 dense4"])
def test_hidden_dense_layers_alone_drop_their_outputs(text):
    case = nets.case((text, (5, 4, 1), "position"), np.float64, 1)
    dropping = Network(case.layers, (5, 4, 1), dtype=np.float64, dropout=0.5)
    layers = zip(dropping.shapes, dropping.simple(1).net.layers)
    rates = {shape.name: layer.dropout for shape, layer in layers if layer.dropout}
    hidden = [shape.name for shape in dropping.shapes[:-1] if shape.name.startswith("dense")]
    assert rates == dict.fromkeys(hidden, 0.5)


def test_a_network_without_a_hidden_dense_layer_is_refused():
    case = nets.case(("conv3 dense4", (5, 4, 1), "position"), np.float64, 1)
    with pytest.raises(InputError, match="has no hidden dense layer"):
        Network(case.layers, (5, 4, 1), dropout=0.5)
