"""numba's threads: one Python thread at a time enters the kernels, and only where numba's pool is alive."""

import contextlib
import os
import sys
import threading

import numba
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def thread_count(typingctx):
    """Return the number of threads of a `prange`. A kernel that calls numba.get_num_threads can't be cached."""

    def codegen(context, builder, signature, values):
        # As numba declares it where it lowers a `prange`; the function returns an int of 32 bits.
        kind = ir.FunctionType(ir.IntType(types.intp.bitwidth), [])
        found = builder.call(cgutils.get_or_insert_function(builder.module, kind, "get_num_threads"), [])
        return builder.sext(builder.trunc(found, ir.IntType(32)), ir.IntType(64))

    return types.int64(), codegen


if config.DISABLE_JIT:
    thread_count = numba.get_num_threads


@contextlib.contextmanager
def exclusive():
    """Let one Python thread into the kernels, with numba's pool running; raises `RuntimeError` where that is lost.

    numba's workqueue layer aborts the process if two Python threads enter parallel kernels at once, and GNU's OpenMP
    ends a process that was forked from one in which it ran.
    """
    if _pool_is_lost:
        raise RuntimeError(
            "this process was forked from one whose kernels had run, and OpenMP cannot continue in it: "
            "start it by multiprocessing's 'spawn', or set NUMBA_THREADING_LAYER=workqueue"
        )
    with _one_at_a_time:
        start_pool()
        yield


_one_at_a_time = threading.Lock()
_pool_is_lost = False


def _after_fork():
    global _one_at_a_time, _pool_is_lost
    _one_at_a_time = threading.Lock()  # it may be held by a thread that the child has not
    with contextlib.suppress(ValueError):  # the pool has not started
        _pool_is_lost = numba.threading_layer() == "omp" and sys.platform == "linux"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def start_pool():
    """Start numba's threads: to be called before a serial kernel that calls parallel ones.

    numba starts them when it loads a parallel kernel from the cache, and a caller inherits that, except if the callee
    itself came from the cache when the caller was compiled. Its first region would then jump to address 0.
    """
    numba.get_num_threads()
