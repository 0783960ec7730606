"""The decorators of all kernels, with every option of numba.njit.

@kernel              called from Python; its `prange` runs on all threads; machine code kept on disk
@serial_kernel       the same without a `prange`
@called_by_address   the same, called by compiled code alone (symbols.py)
@body                called by kernels only: linked into them, without separate machine code (linked.py)
@force_inline        the same, and inlined into each caller
@inline_ir           calls kernels
"""

import os

import numba
from numba import config

from .cache import CACHE_FOLDER, keep_on_disk, numba_cache_folder
from .linked import KernelCompiler, LinkedCompiler, hide_from_python, without_literals

# No fastmath: a NaN must stay visible and sums must keep their order; the register tile contains FMA explicitly.
# error_model="numpy" drops the branch that would raise ZeroDivisionError at each division.
# _nrt=False: no references to arrays are counted, since none is allocated or returned here. Counting costs 25 ns per
# call, where a row of the CNN's first layer takes 90 ns. numba documents the option for register_jitable only; an
# allocation would be undefined behaviour, which a rule of tests/project/test_structure.py excludes.
_OPTIONS = {"error_model": "numpy", "_nrt": False}
# A cfunc wrapper is for C programs that call a compiled function.
_KERNEL = _OPTIONS | {"pipeline_class": KernelCompiler, "no_cfunc_wrapper": True}
_LINKED = _OPTIONS | {"pipeline_class": LinkedCompiler, "no_cfunc_wrapper": True, "no_cpython_wrapper": True}

if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ):
    # A thread of GNU's OpenMP that waits reads this often before it sleeps: 0.1 to 0.2 ms. By default it spins for
    # milliseconds, on a core that another process needs. After 1000 reads it slept at most barriers, and a core that
    # sleeps takes 50 to 100 us to wake: steps of batches on two threads took 1.05 to 1.12 times as long.
    os.environ["GOMP_SPINCOUNT"] = "5000"

if "NUMBA_THREADING_LAYER_PRIORITY" not in os.environ:
    # A region costs 2 us under omp and 25 to 150 us under workqueue; tbb may give one thread two pieces at once.
    config.THREADING_LAYER_PRIORITY = ["omp", "tbb", "workqueue"]


def kernel(function):
    """Compile an outermost function: its `prange` runs on all threads, its machine code is kept on disk."""
    return _kept_on_disk(function, _KERNEL | {"parallel": True})


def serial_kernel(function):
    """Compile an outermost function without a `prange`, kept on disk: parallel=True would only cost compile time."""
    return _kept_on_disk(function, _KERNEL)


def called_by_address(function):
    """Compile a serial function that only compiled code calls, kept on disk: without a wrapper for Python."""
    return _kept_on_disk(function, _KERNEL | {"no_cpython_wrapper": True})


def _kept_on_disk(function, options):
    if CACHE_FOLDER is None:
        return numba.njit(**options)(function)
    with numba_cache_folder():
        return keep_on_disk(numba.njit(cache=True, **options)(function))


def body(function):
    """Compile a serial function that kernels call; it may be called inside a `prange`."""
    return hide_from_python(numba.njit(**_LINKED)(function))


def force_inline(function):
    """Compile a serial function into each of its callers, where its integer arguments may be constants."""
    return without_literals(hide_from_python(numba.njit(forceinline=True, **_LINKED)(function)))


def inline_ir(function):
    """Inline a function that calls kernels at numba's IR level, so that those kernels are linked once."""
    return numba.njit(inline="always", **_OPTIONS)(function)
