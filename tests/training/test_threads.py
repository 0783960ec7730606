"""The same bits for any number of threads and either threading layer, and the thread pool that a driver relies on."""

import functools

import figures
import pytest
from processes import run, run_json

LAYERS = ("omp", "workqueue")
COUNTS = (1, 2, 3, 4, 8)

# A network of many shards, row blocks, column blocks and strips, so that there is something to share out.
HASHES = """
import hashlib, json, sys
import nets, numba
import numpy as np

from jitnet.model.optimizer import Optimizer

def digest(make, batch_size, kind="sgd", kernels="fast"):
    case = nets.case(make, np.float32, images=150)
    case.network.kernels = kernels
    case.network.loss = "cross-entropy" if kind == "sgd" else "mse"
    optimizer = Optimizer(kind)
    optimizer.start(case.network.params)
    steps = 4 if batch_size == 1 else 2
    order = np.random.default_rng(0).integers(0, 150, steps * batch_size)
    totals = np.zeros(1)
    done, losses = case.network.train_steps(
        case.images, case.targets, order, batch_size, np.full(steps, 0.02), totals, optimizer
    )
    assert done == steps
    logits = case.network.logits(case.images)
    assert np.isfinite(logits).all()
    parts = (case.network.params, losses, totals, logits, optimizer.first, optimizer.second)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()

cnn = "conv16 pool conv17 conv5 pool dense70 dense10", (14, 13, 1), "position"
mlp = "dense300 dense65 dense10", (28, 28, 1), "position"
smooth = "conv16:sigmoid pool conv17:tanh dense70:tanh dense10", (14, 13, 1), "channel"
hashes = {}
for place, threads in enumerate(map(int, sys.argv[1].split())):
    numba.set_num_threads(threads)
    found = hashes[f"{threads} threads, the {place}th time"] = []
    for make in (cnn, mlp):
        found.extend(digest(make, batch_size) for batch_size in (1, 64, 37))
    found.extend(digest(smooth, 64, kind) for kind in ("nesterov", "adamw"))
    found.extend(digest(smooth, batch_size, "momentum", "simple") for batch_size in (1, 70))
print(json.dumps({"layer": numba.threading_layer(), "hashes": hashes}))
"""


@functools.cache
def hashed(layer, repeats=2):
    counts = " ".join(map(str, COUNTS * repeats))
    # Threads that wait while others have no core to run on would spin for milliseconds: passive ones sleep.
    return run_json(
        HASHES,
        counts,
        NUMBA_THREADING_LAYER=layer,
        NUMBA_NUM_THREADS=str(max(COUNTS)),
        OMP_WAIT_POLICY="passive",
    )


@pytest.mark.parametrize("layer", LAYERS)
def test_the_layer_is_the_one_asked_for(layer):
    assert hashed(layer)["layer"] == layer


@pytest.mark.parametrize("layer", LAYERS)
def test_no_bit_depends_on_the_number_of_threads(layer):
    hashes = hashed(layer)["hashes"]
    assert len(hashes) == 2 * len(COUNTS)
    assert len({tuple(digests) for digests in hashes.values()}) == 1, hashes


def test_no_bit_depends_on_the_layer():
    assert hashed("omp")["hashes"] == hashed("workqueue")["hashes"]


@pytest.mark.slow
def test_ten_times_each():
    found = [tuple(digests) for layer in LAYERS for digests in hashed(layer, 10)["hashes"].values()]
    assert len(set(found)) == 1
    figures.note("threads", configurations=len(found), networks=len(found[0]), hashes=len(set(found)))


@pytest.mark.parametrize("call", ["logits", "train"])
def test_a_driver_never_starts_without_the_pool(call):
    """It would jump to address 0 where numba has not started the pool, as it may after loading from the cache."""
    run(
        """
import sys
import numpy as np, numba, nets
from jitnet.kernels.fast import batch, inference

def driver(*arguments):
    numba.threading_layer()  # raises before the pool has started
    return 0

inference.predict_logits = batch.train_minibatch = driver
case = nets.case(nets.MAKES[0], np.float32)
if sys.argv[1] == "logits":
    case.network.logits(case.images)
else:
    case.network.train_steps(case.images, case.targets, np.arange(3), 3, np.ones(1), np.zeros(1))
""",
        call,
    )
