"""Measure the multiply-adds per second that this machine reaches now, as a reference for the speed of training."""

import time
from collections.abc import Callable

import numpy as np

_ROUNDS = 2_000_000  # 4 to 12 ms on an idle core
_TRIES = 4
_AGREE = 0.1  # by which the two fastest runs may differ
_MOST_PER_THREAD = 600.0  # GFLOP/s: twice what the fastest cores reach in single precision


def run(threads: int, rounds: int) -> None:
    """Run as many chains of multiply-adds as there are threads."""
    from jitnet.kernels.tools.fma_peak import fma_peak

    fma_peak(*arguments(threads, rounds))


def arguments(threads: int, rounds: int) -> tuple[np.ndarray, int, np.ndarray]:
    """Return the arguments of the kernel `fma_peak`."""
    return np.array([0.5, 1.0], np.float32), rounds, np.empty((threads, 1), np.float32)


def measure(threads: int, rounds: int = _ROUNDS, timed: Callable[[int, int], float] | None = None) -> float:
    """Return GFLOP/s on that many threads, 0 if other processes disturb the measurement too much.

    The work is fixed, so that a thread that waits for a core is not taken for a slow one that has computed: the two
    fastest of some runs must agree. `timed` returns the seconds of a run; default: it is run.
    """
    import numba

    from jitnet.kernels.compiler.simd_chains import FLOP_PER_ROUND

    timed = timed or _timed
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, before))  # threads without work would still wait at the barrier
    try:
        run(threads, 1)  # compiles
        fastest, second, *_ = sorted(timed(threads, rounds) for _ in range(_TRIES))
    finally:
        numba.set_num_threads(before)
    if not 0 < fastest <= second <= (1 + _AGREE) * fastest:
        return 0.0
    gflops = threads * FLOP_PER_ROUND * rounds / fastest / 1e9
    return gflops if gflops <= threads * _MOST_PER_THREAD else 0.0


def _timed(threads: int, rounds: int) -> float:
    started = time.perf_counter()
    run(threads, rounds)
    return time.perf_counter() - started
