"""Atomic reads and writes of int64 arrays, for fast/spin_barrier.py and fast/inference_groups.py.

numba has no atomics on the CPU. These write LLVM's instructions directly, with the memory order that a barrier needs.
"""

import platform
import sys

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

# An intrinsic of LLVM and its constants. On Arm `yield` does nothing on most processors; `isb`, which Rust's spin_loop
# uses too, waits about 10 cycles.
_X86, _ARM = ("llvm.x86.sse2.pause", ()), ("llvm.aarch64.isb", (15,))
_PAUSES = {"x86_64": _X86, "amd64": _X86, "aarch64": _ARM, "arm64": _ARM}
_PAUSE = _PAUSES.get(platform.machine().lower())


def emit_pause(builder, instruction):
    """Emit an instruction of _PAUSES."""
    name, constants = instruction
    given = [ir.Constant(ir.IntType(32), value) for value in constants]
    kind = ir.FunctionType(ir.VoidType(), [value.type for value in given])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, name), given)


def _place(context, builder, signature, values):
    array = make_array(signature.args[0])(context, builder, values[0])
    return builder.gep(array.data, [values[1]])


@intrinsic
def acquire(typingctx, array, index):
    """Read array[index]; what its writer wrote before `release` is then visible."""

    def codegen(context, builder, signature, values):
        return builder.load_atomic(_place(context, builder, signature, values), "acquire", 8)

    return types.int64(array, types.int64), codegen


@intrinsic
def release(typingctx, array, index, value):
    """Write array[index] after everything that this thread wrote before."""

    def codegen(context, builder, signature, values):
        builder.store_atomic(values[2], _place(context, builder, signature, values), "release", 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), codegen


@intrinsic
def exchange(typingctx, array, index, old, new):
    """Write `new` to array[index] if it is `old`, and return whether it was: of two threads, only one succeeds."""

    def codegen(context, builder, signature, values):
        place = _place(context, builder, signature, values)
        return builder.extract_value(builder.cmpxchg(place, values[2], values[3], "acq_rel", "acquire"), 1)

    return types.boolean(array, types.int64, types.int64, types.int64), codegen


@intrinsic
def pause(typingctx, offer):
    """Spare the other thread of a core for a few cycles; if `offer`, let another process have the core."""

    def codegen(context, builder, signature, values):
        if _PAUSE:
            emit_pause(builder, _PAUSE)
        if sys.platform != "win32":
            give_way = ir.FunctionType(ir.IntType(32), [])
            with builder.if_then(values[0]):
                builder.call(cgutils.get_or_insert_function(builder.module, give_way, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(types.boolean), codegen


if config.DISABLE_JIT:
    from .interpreted import acquire, exchange, pause, release
