"""The measurement of the peak, which throughput is compared with."""

import contextlib

import naive
import numpy as np
import pytest

from jitnet.kernels.compiler.simd_chains import CHAINS, FLOP_PER_ROUND, LANES
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
    found = next(filter(None, (peak.measure(1) for _ in range(50))))  # 0 where other programs disturb it
    assert 0.5 < found < 1_000


@pytest.mark.parametrize(
    ("times", "believed"),
    [
        ((0.01, 0.01, 0.01, 0.01), True),
        ((0.05, 0.01, 0.2, 0.0105), True),  # two of four undisturbed
        ((0.01, 0.02, 0.04, 0.08), False),
        ((1e-9, 1e-9, 1e-9, 1e-9), False),  # faster than any processor
        ((0.0, 0.01, 0.01, 0.01), False),  # a clock that stood still
    ],
)
def test_a_peak_in_doubt_is_left_out(times, believed):
    """The work is the same in all tries, so their times must agree."""
    rounds: list[int] = []
    left = iter(times)

    def timed(threads: int, work: int) -> float:
        rounds.append(work)
        return next(left)

    assert (peak.measure(1, timed=timed) > 0) == believed
    assert len(rounds) == len(times) and len(set(rounds)) == 1


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_peak_is_the_work_of_all_threads_in_the_time_of_the_fastest_run(threads):
    times = iter((0.04, 0.0105, 0.01, 0.02))
    found = peak.measure(threads, 1_000_000, lambda *_: next(times))
    assert found == pytest.approx(threads * FLOP_PER_ROUND * 1_000_000 / 0.01 / 1e9)


@pytest.mark.parametrize("fails", [False, True])
def test_the_measurement_gives_all_threads_back(fails):
    import numba

    before = numba.config.NUMBA_NUM_THREADS
    numba.set_num_threads(before)
    with contextlib.suppress(ZeroDivisionError):
        peak.measure(1, timed=lambda *_: 1 / (not fails))
    assert numba.get_num_threads() == before
