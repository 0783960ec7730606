"""The two halves of a phase write separate cache lines: two cores that write one in turn wait for each other.

With AVX2 the halves of a block of 16 filters, 8 each, were in one line at every position: a step of the CNN took 1.2
times as long.
"""

import pytest
from processes import run_json

# In plain Python, from the same memory: which lines does each half change?
CODE = """
import json, sys
import numpy as np
from jitnet.kernels.fast import per_sample
from jitnet.model import architecture
from jitnet.model.network import Network

network = Network(architecture.parse(sys.argv[1]), (8, 8, 1))
network.initialise("lecun", 0)
rng = np.random.default_rng(0)
images = rng.integers(1, 256, (1, 8, 8, 1)).astype(np.uint8)
targets, order = np.zeros(1, np.uint8), np.zeros(1, np.int64)
layers, plan, *arenas, barrier, images, divisor, targets, order, lrs, losses, totals = network.per_sample_arguments(
    images, targets, order, np.full(1, 0.05), np.zeros(1), np.zeros(1)
)
per_sample.prepare_workspace(layers, plan[0], arenas[0], arenas[1], barrier)


def run(phase, half):
    before = [array.copy() for array in arenas]
    per_sample.run_half(phase, half, 0, layers, plan[0], *arenas, images, divisor, targets, order, lrs, losses, totals)
    changed = []
    for array, old in zip(arenas, before):
        places = array.ctypes.data + np.flatnonzero(array.ravel() != old.ravel()) * array.itemsize
        changed.append(set((places // 64).tolist()))
    return before, changed


found = []
for phase in range(2 * plan[0].halved):
    start, first = run(phase, 0)
    after = [array.copy() for array in arenas]
    for array, old in zip(arenas, start):
        array[:] = old
    _, second = run(phase, 1)
    for array, old, new in zip(arenas, start, after):  # what both did
        array[:] = np.where(array != old, array, new)
    found.append([[len(one), len(other), len(one & other)] for one, other in zip(first, second)])
print(json.dumps(found))
"""
NETWORKS = [
    "conv16 pool conv32 pool conv64 dense40 dense3",
    "conv32 pool conv48 dense48 dense3",
    "dense64 dense80 dense3",
]
# Lines at most, where one half ends and the other begins, of params, work, argmax, rows and counts.
MOST = (2, 2, 2, 2, 0)


@pytest.mark.parametrize("tile", ["", "avx2", "neon"])
@pytest.mark.parametrize("network", NETWORKS)
def test_halves_write_separate_cache_lines(network, tile):
    phases = run_json(CODE, network, NUMBA_DISABLE_JIT="1", JITNET_TILE=tile)
    for arrays in phases:
        first, second, _ = zip(*arrays)
        assert sum(first) > 0 and sum(second) > 0, phases
        assert all(common <= most for (_, _, common), most in zip(arrays, MOST)), phases
