"""Measure the multiply-adds per second that this machine reaches now, as a reference for the speed of training."""

import time

import numpy as np


def run(threads: int, rounds: int) -> None:
    """Run as many chains of multiply-adds as there are threads."""
    from jitnet.kernels.tools.fma_peak import fma_peak

    fma_peak(np.array([0.5, 1.0], np.float32), rounds, np.empty((threads, 1), np.float32))


def measure(threads: int, seconds: float = 0.005, tries: int = 3) -> float:
    """Return GFLOP/s on that many threads: the best of some short runs, since other processes only slow one down."""
    import numba

    from jitnet.kernels.compiler.simd_chains import FLOP_PER_ROUND

    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, before))  # threads without work would still wait at the barrier
    try:
        run(threads, 1)  # compiles
        rounds, best = 1000, 0.0
        while best < seconds:
            rounds *= 4
            best = min(_timed(threads, rounds) for _ in range(tries))
    finally:
        numba.set_num_threads(before)
    return threads * FLOP_PER_ROUND * rounds / best / 1e9


def _timed(threads: int, rounds: int) -> float:
    started = time.perf_counter()
    run(threads, rounds)
    return time.perf_counter() - started
