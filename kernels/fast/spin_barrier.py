"""Two threads at one image: a part of a step is two halves, and a thread that is there takes one that nobody has.

A parallel region of numba's costs some 2 us, one of these barriers 0.1 us: it is a loop that looks at a number. What is
computed never depends on who takes a half, nor on how many threads there are: a thread that is alone takes both. So
nobody can wait for a thread that was never started, and one that comes late finds the parts done and passes them by.

    team[ 0], team[16]   the last part whose first half, whose second half was taken
    team[32], team[48]   and done, each in cache lines of its own
"""

import platform
import sys

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from ..compiler.decorators import body

TEAM_SIZE = 64
_APART = 16  # int64 from one number to the next: two cache lines, which some processors fetch together
_DONE = 2 * _APART
_PATIENCE = 1000  # looks before a thread that waits offers its core to others: some 20 us
_PAUSE = {"x86_64": "llvm.x86.sse2.pause", "amd64": "llvm.x86.sse2.pause"}.get(platform.machine().lower())


def _place(context, builder, signature, values):
    array = make_array(signature.args[0])(context, builder, values[0])
    return builder.gep(array.data, [values[1]])


@intrinsic
def acquire(typingctx, array, index):
    """Read array[index]; what its writer wrote before `release` is then there to be read."""

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
    """Write `new` to array[index] if it is `old`, and return whether it was: of two threads, to one only."""

    def codegen(context, builder, signature, values):
        place = _place(context, builder, signature, values)
        return builder.extract_value(builder.cmpxchg(place, values[2], values[3], "acq_rel", "acquire"), 1)

    return types.boolean(array, types.int64, types.int64, types.int64), codegen


@intrinsic
def pause(typingctx, offer):
    """Spare the other thread of a core for some cycles; if `offer`, let another process have the core."""

    def codegen(context, builder, signature, values):
        if _PAUSE:
            builder.call(cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), []), _PAUSE), [])
        if sys.platform != "win32":
            give_way = ir.FunctionType(ir.IntType(32), [])
            with builder.if_then(values[0]):
                builder.call(cgutils.get_or_insert_function(builder.module, give_way, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(types.boolean), codegen


if config.DISABLE_JIT:
    from ..compiler.interpreted import acquire, exchange, pause, release


@body
def take(team, half, part):
    """Take a half of a part if nobody has; the parts of a call are numbered from 1."""
    place = half * _APART
    return acquire(team, place) == part - 1 and exchange(team, place, part - 1, part)


@body
def finish(team, half, part):
    """Say that the half is done, and all that it wrote is there."""
    release(team, _DONE + half * _APART, part)


@body
def wait(team, part):
    """Return when both halves of a part are done."""
    looks = 0
    while acquire(team, _DONE) < part or acquire(team, _DONE + _APART) < part:
        looks += 1
        pause(looks % _PATIENCE == 0)
