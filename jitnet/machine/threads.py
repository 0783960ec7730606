"""How many threads the kernels use: decided before numba is imported, since it sizes its pool only once."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from jitnet.errors import InputError

_MOST = 1024
TILES = ("avx512", "avx2", "neon", "generic")  # those of kernels/compiler/tile.py, which imports numba
_OURS = "JITNET_THREADS_SET_BY"  # the process that has set NUMBA_NUM_THREADS because the user has not
_requested = False  # has this process been given a number?


def configure(requested: int | None = None) -> None:
    """Set the size of numba's pool: the number requested, else NUMBA_NUM_THREADS, else the cores this process may use.

    Raises `InputError` for a number out of range, and for a JITNET_TILE that does not exist. Once numba is imported,
    only a smaller number takes effect.
    """
    global _requested
    tile = os.environ.get("JITNET_TILE", "")
    if tile and tile not in TILES:
        raise InputError(f"JITNET_TILE is {tile!r}: expected {', '.join(TILES[:-1])} or {TILES[-1]}; unset or fix it")
    if requested is not None and not 1 <= requested <= _MOST:
        raise InputError(f"--threads is {requested}: expected a whole number from 1 to {_MOST}")
    given = os.environ.get("NUMBA_NUM_THREADS", "")
    if requested is None and given and not (given.isdecimal() and 1 <= int(given) <= _MOST):
        raise InputError(f"NUMBA_NUM_THREADS is {given!r}: expected a whole number from 1 to {_MOST}; unset or fix it")
    _requested = _requested or requested is not None  # `import jitnet` calls this again without one
    if "numba" in sys.modules:
        if requested is not None:
            import numba

            numba.set_num_threads(min(requested, numba.config.NUMBA_NUM_THREADS))
    elif requested is not None:
        os.environ["NUMBA_NUM_THREADS"] = str(requested)
    elif not given or os.environ.get(_OURS, str(os.getpid())) != str(os.getpid()):
        # Left alone where numba counts the same: joblib gives each of its processes a share of the cores by this very
        # variable, unless there is one already. What a parent of this process has set was not the user's choice either.
        share = os.environ.get("OMP_NUM_THREADS", "") if given else ""
        cores = min(usable_cores(), int(share) if share.isdecimal() and int(share) else _MOST)
        if given or cores != _cores():
            os.environ |= {"NUMBA_NUM_THREADS": str(cores), _OURS: str(os.getpid())}


def usable_cores() -> int:
    """Return the cores this process may run on, or fewer if a container has a quota (numba ignores it)."""
    cores = _cores()
    quota = _cgroup_quota(Path("/sys/fs/cgroup"))
    return max(1, min(cores, round(quota))) if quota else cores


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cgroup_quota(root: Path) -> float | None:
    """Return the CPUs that cgroup v2, or else v1, grants to this process; None without a limit."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu" / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if not quota.isdecimal() or not period.isdecimal() or int(period) == 0:  # "max" or -1: no limit
        return None
    return int(quota) / int(period)


def count() -> int:
    """Return the number of threads of this process; starts the pool if necessary.

    Raises `InputError` for a threading layer that the environment names and numba does not have.
    """
    import numba

    try:
        return int(numba.get_num_threads())
    except ValueError as error:
        names = ("NUMBA_THREADING_LAYER", "NUMBA_THREADING_LAYER_PRIORITY")
        given = " and ".join(f"{name} is {os.environ[name]!r}" for name in names if name in os.environ)
        reason = str(error).split("\n")[0].rstrip(".")
        raise InputError(f"{given or 'numba has no threads'}: {reason}; unset it, or give omp or workqueue") from None


def pool_size() -> int:
    """Return the number of threads in numba's pool: `count` never returns more."""
    import numba

    return int(numba.config.NUMBA_NUM_THREADS)


def in_use() -> tuple[int, str]:
    """Return the number of threads and the threading layer of this process; starts the pool if necessary."""
    import numba

    return count(), numba.threading_layer()


def useful(batch_size: int) -> int:
    """Return how many threads of this process share a step: at most two share one image."""
    return min(2, count()) if batch_size == 1 else count()


def choices(most: int | None = None) -> tuple[int, ...]:
    """Return the numbers of threads that training may choose from, rising: only one if it was requested.

    They are all threads, all but one, a half, a quarter and so on down to one; `most` of them are of use.
    """
    largest = min(count(), most or _MOST)
    if _requested:
        return (largest,)
    halves = [largest >> n for n in range(largest.bit_length())]
    return tuple(sorted({max(1, largest - 1), *halves}))


@contextlib.contextmanager
def limited(most: int) -> Iterator[None]:
    """Let the kernels that this thread calls run on `most` threads meanwhile."""
    import numba

    before = count()
    numba.set_num_threads(most)
    try:
        yield
    finally:
        numba.set_num_threads(before)
