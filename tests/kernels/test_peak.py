"""The measurement of the peak, which throughput is compared with."""

import naive
import numpy as np
import pytest

from jitnet.kernels.compiler.simd_chains import CHAINS, LANES
from jitnet.kernels.tools.fma_peak import fma_peak
from jitnet.machine import peak


@pytest.mark.parametrize("rounds", [0, 1, 5, 100])
def test_every_chain_is_computed(rounds):
    operands, expected, out = (
        np.array([0.5, 1.0], np.float32),
        np.zeros((3, 1), np.float32),
        np.zeros((3, 1), np.float32),
    )
    naive.fma_peak(operands, rounds, expected, CHAINS, LANES)
    fma_peak(operands, rounds, out)
    assert np.allclose(out, expected, rtol=1e-6)


def test_a_machine_makes_some_multiply_adds():
    assert 0.5 < peak.measure(1, seconds=0.002) < 10_000
