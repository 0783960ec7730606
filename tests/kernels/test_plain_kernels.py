"""The kernels in plain Python (NUMBA_DISABLE_JIT=1): what coverage and a debugger see is what is compiled."""

import numpy as np
import pytest
from processes import run

TRAIN = """
import sys
import nets, numba
import numpy as np

results = []
for make, batch_size in ((10, 1), (10, 3), (7, 1), (7, 2), (12, 1), (12, 2)):
    case = nets.case(nets.MAKES[make], np.float64, images=5)
    steps = -(-5 // batch_size)
    order = np.arange(5)
    done, losses = case.network.train_steps(
        case.images, case.targets, order, batch_size, np.full(steps, 0.02), np.zeros(1)
    )
    assert done == steps
    results += [losses, case.network.params, case.network.logits(case.images).ravel()]
print(numba.config.DISABLE_JIT)
np.savetxt(sys.stdout, np.concatenate(results), fmt="%.17g")
"""
SAME = 1e-11  # of a number, or of 1: some thousand roundings, since plain Python rounds products before it adds them


@pytest.fixture(scope="module")
def results():
    plain, compiled = (run(TRAIN, NUMBA_DISABLE_JIT=flag).split() for flag in ("1", "0"))
    assert (plain[0], compiled[0]) == ("1", "0")
    return np.array(plain[1:], float), np.array(compiled[1:], float)


def test_both_drivers_and_inference_agree(results):
    plain, compiled = results
    assert plain.size == compiled.size > 1000
    assert np.allclose(plain, compiled, rtol=SAME, atol=SAME)
