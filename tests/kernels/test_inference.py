"""Inference in groups: an image's scores depend on no cut, and every image has a group."""

import nets
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import seeds

from jitnet.kernels.fast.inference import predict_logits
from jitnet.kernels.fast.inference_groups import predict_in_groups
from jitnet.kernels.table import ENOUGH_GROUPS, GROUP, group_size
from jitnet.machine import threads
from jitnet.model import memory_plan
from jitnet.model.architecture import parse
from jitnet.model.inference import PREDICT_BATCH, arguments, images_of_call
from jitnet.model.kernel_choice import INFERENCE
from jitnet.model.network import Network

CONVS = [make for make in nets.MAKES if make[0].startswith("conv")]


def in_products(network, images):
    """Return the scores by the other way, dense layers as products over all images."""
    space, out = network.workspace(len(images)), np.empty((len(images), network.classes), network.dtype)
    arguments = space.layers, space.plan, network.params, space.work, space.argmax[:0], memory_plan.read_only(images)
    predict_logits(*arguments, network.dtype(255), np.arange(len(images)), out)
    return out


@pytest.mark.parametrize("count", sorted({1, threads.pool_size()}))
@given(
    make=st.sampled_from(CONVS), N=st.integers(1, 150), pool=st.integers(1, 5), room=st.sampled_from((1, 3, 8, GROUP)),
    seed=seeds,
)  # fmt: skip
@example(make=nets.TILED[0], N=150, pool=3, room=GROUP, seed=0)
def test_no_bit_depends_on_groups_or_workers(count, make, N, pool, room, seed):
    case = nets.case(make, np.float32, images=N, seed=seed)
    with pytest.MonkeyPatch.context() as patched, threads.limited(count):
        patched.setattr(memory_plan, "pool_size", lambda: pool)
        patched.setattr(memory_plan, "GROUP", room)
        case.network.use(memory_plan.build(case.network.shapes, N, 1, np.float32, INFERENCE), INFERENCE)
        out = np.full((N, case.network.classes), np.nan, np.float32)
        *given, taken, out = arguments(case.network, case.images, np.arange(N), out)
        predict_in_groups(*given, taken, out)
    assert taken[0] == -(-N // group_size(N, min(N, room)))
    assert np.array_equal(out, in_products(case.network, case.images))


@given(images=st.integers(1, 100_000), room=st.integers(1, 64))
def test_groups_fit_and_are_enough(images, room):
    size = group_size(images, room)
    assert 1 <= size <= room
    if images >= ENOUGH_GROUPS * room:
        assert size == room  # weights are read as rarely as there is room for
    assert images // size >= min(ENOUGH_GROUPS, images // -(-room // 4)) - 1  # as many threads have work


SMALL, LARGE = ("conv16 pool dense10", (28, 28, 1)), ("conv2 dense2", (2500, 2500, 3))  # LARGE: 125 MB an image
DEEP = ("conv512 conv512 dense10", (4, 4, 1))  # 38 MB of filters in tiles


@pytest.mark.parametrize(
    ("network", "pool", "group", "workers"),
    [
        (SMALL, 1, GROUP, 1),
        (SMALL, 3, GROUP, 3),
        (SMALL, 64, GROUP, 64),
        (LARGE, 1, 2, 1),
        (LARGE, 3, 1, 2),
        (DEEP, 64, GROUP, 7),
    ],
)
def test_there_is_room_for_all_threads_as_far_as_memory_allows(network, pool, group, workers, monkeypatch):
    monkeypatch.setattr(memory_plan, "pool_size", lambda: pool)
    text, image = network
    plan = memory_plan.build(Network(parse(text), image).shapes, PREDICT_BATCH, 1, np.float32, INFERENCE).plan[0]
    assert (plan["workers"], plan["images"]) == (workers, workers * group)


def test_a_call_takes_about_as_long_for_every_network():
    """Ctrl-C and the screen wait for it; one of dense layers alone is faster in parts of one product."""
    assert images_of_call(Network(parse("conv16 pool conv32 pool conv64 dense100 dense10"), (28, 28, 1))) == 2176
    assert images_of_call(Network(parse("conv64 conv64 pool dense10"), (224, 224, 3))) == PREDICT_BATCH
    assert images_of_call(Network(parse("dense10"), (28, 28, 1))) == PREDICT_BATCH
    assert images_of_call(Network(parse("conv16 pool dense10"), (28, 28, 1), kernels="simple")) == PREDICT_BATCH
