"""Which code computes a layer is data: every choice that is supported gives the same network but for rounding."""

import nets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitnet.kernels.compiler.tile import VECTOR_BYTES
from jitnet.model.architecture import CNN, parse, shapes
from jitnet.model.kernel_choice import BATCH, PER_SAMPLE, blocks, choose, supported
from jitnet.model.memory_plan import build
from jitnet.model.network import Network

DRIVERS = [PER_SAMPLE, BATCH]
IMAGES = {PER_SAMPLE: 6, BATCH: 20}
# Few and many channels, from few and many; with and without a pool; ReLU and others; a bias of both kinds.
FORCED = [
    ("conv3 pool conv5 pool dense4 dense3", (9, 7, 1), "position"),
    ("conv17 conv3:tanh conv9 pool dense3", (5, 6, 3), "channel"),
    ("conv33 pool conv16 conv18:sigmoid dense3", (6, 7, 2), "position"),
]


def trained(case, driver, choices):
    """Return the parameters after some steps with these choices, and the logits then."""
    network = Network(case.layers, case.network.image, case.network.bias, case.network.dtype)
    network.load_tensors(case.network.tensors(), "the case")
    images = 1 if driver == PER_SAMPLE else 17  # shards of two and three images; then of one
    network.use(build(network.shapes, images, 2, network.dtype, driver, choices), driver)
    order = np.arange(len(case.images))
    steps = -(-len(order) // images)
    network.train_steps(case.images, case.targets, order, images, np.full(steps, 0.05), np.zeros(1))
    return {**network.tensors(), "logits": network.logits(case.images)}


def forced(network, driver, dtype):
    """Yield the fastest choices with one layer's replaced by another that is supported."""
    chosen = choose(network.shapes, driver, np.dtype(dtype).itemsize, VECTOR_BYTES)
    for index, block in enumerate(blocks(network.shapes)):
        for choice in supported(block, driver):
            if choice != chosen[index]:
                yield (*chosen[:index], choice, *chosen[index + 1 :])


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("make", FORCED)
def test_every_supported_choice_gives_the_same_network(make, driver):
    case = nets.case(make, np.float64, images=IMAGES[driver])
    expected = trained(case, driver, ())
    count = 0
    for choices in forced(case.network, driver, np.float64):
        nets.assert_close(trained(case, driver, choices), expected, 1e-12)
        count += 1
    assert count > 20


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_fields_are_what_decides(driver):
    """Another code rounds in another order, so that some choice of every field leaves other bits."""
    case = nets.case(
        ("conv17 pool conv17 conv17 pool dense3", (8, 8, 2), "channel"),
        np.float32,
        images=6 if driver == PER_SAMPLE else 20,
    )
    chosen = choose(case.network.shapes, driver, 4, VECTOR_BYTES)
    expected = trained(case, driver, ())
    read = set()
    for choices in forced(case.network, driver, np.float32):
        found = trained(case, driver, choices)
        if any(not np.array_equal(found[name], expected[name]) for name in expected):
            for now, then in zip(choices, chosen):
                changed = [field for field in now._fields if getattr(now, field) != getattr(then, field)]
                read.update(changed if len(changed) == 1 else ())
    assert read >= {"forward_by", "input_gradient_by"}
    assert ("backward_split" if driver == PER_SAMPLE else "weight_gradient_by") in read


@given(
    text=st.lists(st.sampled_from(("conv1", "conv3:tanh", "conv8 pool", "conv16", "conv40:sigmoid pool")), max_size=3),
    image=st.tuples(st.integers(16, 20), st.integers(16, 20), st.sampled_from((1, 2, 3, 5, 17))),
    driver=st.sampled_from(DRIVERS),
    itemsize=st.sampled_from((4, 8)),
    vector_bytes=st.sampled_from((16, 32, 64)),
)
def test_what_is_chosen_is_supported(text, image, driver, itemsize, vector_bytes):
    network = shapes(parse(" ".join([*text, "dense7", "dense3"])), image)
    chosen = choose(network, driver, itemsize, vector_bytes)
    for block, choice in zip(blocks(network), chosen, strict=True):
        assert choice in set(supported(block, driver))


def test_the_documents_network():
    network = shapes(CNN, (28, 28, 1))
    names = [block.shape.name for block in blocks(network)]
    assert names == ["conv1", "conv2", "conv3", "dense1", "dense2"]
    assert [block.pool is not None for block in blocks(network)] == [True, True, False, False, False]
    assert [block.after.name if block.after else None for block in blocks(network)] == [*names[1:], None]
    layers = build(network, 1, 1, np.float32, PER_SAMPLE).layers
    own = [(layer["own_weight"] > 0, layer["own_bias"] > 0) for layer in layers]
    assert own == [(True, False), (True, True), (True, True), (False, False), (True, True)]  # bias 1 is cut by rows
