"""A vector register as an ordinary value in a kernel: load, compare, choose, store, `count` lanes at most.

    best = load(row, i, count)
    best = choose(greater(other, best), other, best)

LLVM's own vectoriser would first check at run time, for every short loop over channels, that the arrays do not overlap;
that check costs more than the loop.
"""

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model
from numba.np.arrayobj import make_array

from .decorators import body
from .simd_ir import SECOND_CACHE, Lanes, at, constant, fetch
from .tile import VECTOR_BYTES


class Vector(types.Type):
    """As many numbers of one dtype as fill a register."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype})")


class Mask(types.Type):
    """A yes or no for each lane."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(name=f"Mask({dtype})")


def _lanes_of(dtype):
    return VECTOR_BYTES * 8 // dtype.bitwidth


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        element = ir.FloatType() if fe_type.dtype.bitwidth == 32 else ir.DoubleType()
        super().__init__(dmm, fe_type, ir.VectorType(element, _lanes_of(fe_type.dtype)))


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, ir.VectorType(ir.IntType(1), _lanes_of(fe_type.dtype)))


def _place(context, builder, kind, array, index):
    """Return the address of array.flat[index], for a contiguous array."""
    array = make_array(kind)(context, builder, array)
    return at(builder, array.data, (index, constant(kind.dtype.bitwidth // 8)))


def _whole_or_part(builder, lanes, count, emit):
    """Emit `emit(mask)` twice: without a mask for a full vector, which is faster on small hosts, and with one."""
    full = builder.icmp_signed(">=", count, constant(lanes.count))
    with builder.if_else(full) as (whole, part):
        with whole:
            emit(None)
        with part:
            emit(lanes.first(count))


@intrinsic
def lane_count(typingctx, array):
    """Return how many of an array's numbers fill a vector.

    A constant for the compiler, as `itemsize` of an argument is not: each load and store would ask whether its vector
    is full, a twelfth of a step's time.
    """

    def codegen(context, builder, signature, values):
        return constant(_lanes_of(array.dtype))

    return types.int64(array), codegen


@intrinsic
def load(typingctx, array, index, count):
    """Return the first `count` numbers of array.flat[index:], zeros after them."""

    def codegen(context, builder, signature, values):
        lanes = Lanes(builder, array.dtype)
        place = _place(context, builder, signature.args[0], values[0], values[1])
        result = cgutils.alloca_once(builder, lanes.vector)
        _whole_or_part(builder, lanes, values[2], lambda mask: builder.store(lanes.load(place, mask), result))
        return builder.load(result)

    return Vector(array.dtype)(array, types.int64, types.int64), codegen


@intrinsic
def store(typingctx, array, index, count, value):
    """Write the first `count` lanes to array.flat[index:]."""

    def codegen(context, builder, signature, values):
        lanes = Lanes(builder, array.dtype)
        place = _place(context, builder, signature.args[0], values[0], values[1])
        _whole_or_part(builder, lanes, values[2], lambda mask: lanes.store(values[3], place, mask))
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64, value), codegen


@intrinsic
def prefetch(typingctx, array, index):
    """Ask for the cache line of array.flat[index], which is read soon; beyond the array it does nothing."""

    def codegen(context, builder, signature, values):
        place = _place(context, builder, signature.args[0], values[0], values[1])
        fetch(builder, place, SECOND_CACHE)
        return context.get_dummy_value()

    return types.void(array, types.int64), codegen


@intrinsic
def load_bytes(typingctx, array, index, count, like):
    """Return the first `count` bytes of the uint8 array.flat[index:] as numbers of `like`'s dtype."""

    def codegen(context, builder, signature, values):
        lanes = Lanes(builder, like.dtype)
        place = _place(context, builder, signature.args[0], values[0], values[1])
        result = cgutils.alloca_once(builder, lanes.bytes)
        _whole_or_part(builder, lanes, values[2], lambda mask: builder.store(lanes.load_bytes(place, mask), result))
        return builder.uitofp(builder.load(result), lanes.vector)

    return like(array, types.int64, types.int64, like), codegen


@intrinsic
def store_bytes(typingctx, array, index, count, value):
    """Write the first `count` lanes, whole numbers from 0 to 255, to the uint8 array.flat[index:]."""

    def codegen(context, builder, signature, values):
        lanes = Lanes(builder, value.dtype)
        place = _place(context, builder, signature.args[0], values[0], values[1])
        numbers = builder.fptoui(values[3], lanes.bytes)
        _whole_or_part(builder, lanes, values[2], lambda mask: lanes.store_bytes(numbers, place, mask))
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64, value), codegen


@intrinsic
def filled(typingctx, number, like):
    """Return a vector with `number` in every lane, of `like`'s dtype."""

    def codegen(context, builder, signature, values):
        return Lanes(builder, like.dtype).splat(values[0])

    return like(like.dtype, like), codegen


@intrinsic
def filled_from(typingctx, array, index):
    """Return a vector with array.flat[index] in every lane; array[index] would first test whether index < 0."""

    def codegen(context, builder, signature, values):
        lanes = Lanes(builder, array.dtype)
        return lanes.splat(lanes.scalar(_place(context, builder, signature.args[0], values[0], values[1])))

    return Vector(array.dtype)(array, types.int64), codegen


def _compare(operator, a, nan=False):
    """Emit a comparison of lanes; where an operand is NaN its answer is `nan`."""

    def codegen(context, builder, signature, values):
        compare = builder.fcmp_unordered if nan else builder.fcmp_ordered
        return compare(operator, values[0], values[1])

    return Mask(a.dtype)(a, a), codegen


@intrinsic
def greater(typingctx, a, b):
    """Return the lanes where a > b: not those where one of them is NaN."""
    return _compare(">", a)


@intrinsic
def greater_or_nan(typingctx, a, b):
    """Return the lanes where a > b, and those where one of them is NaN."""
    return _compare(">", a, nan=True)


@intrinsic
def unordered(typingctx, a, b):
    """Return the lanes where one of two is NaN: one comparison tests two vectors."""
    return _compare("uno", a, nan=True)


@intrinsic
def equal(typingctx, a, b):
    """Return the lanes where a == b."""
    return _compare("==", a)


@intrinsic
def nonzero(typingctx, a):
    """Return an integer with bit n set where lane n is not zero."""

    def codegen(context, builder, signature, values):
        lanes = Lanes(builder, a.dtype)
        flags = builder.fcmp_unordered("!=", values[0], lanes.zeros)  # NaN counts
        return builder.zext(builder.bitcast(flags, ir.IntType(lanes.count)), ir.IntType(64))

    return types.int64(a), codegen


@intrinsic
def lanes_of(typingctx, bits, like):
    """Return the lanes n whose bit n of an integer is set, of vectors like `like`: the inverse of `nonzero`."""

    def codegen(context, builder, signature, values):
        count = Lanes(builder, like.dtype).count
        return builder.bitcast(builder.trunc(values[0], ir.IntType(count)), ir.VectorType(ir.IntType(1), count))

    return Mask(like.dtype)(types.int64, like), codegen


@intrinsic
def lowest(typingctx, bits):
    """Return the place of the lowest bit that is set; there must be one."""

    def codegen(context, builder, signature, values):
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen


@intrinsic
def choose(typingctx, mask, a, b):
    """Return a where the mask says yes, b elsewhere."""

    def codegen(context, builder, signature, values):
        return builder.select(*values)

    return a(mask, a, b), codegen


@intrinsic
def add(typingctx, a, b):
    """Return a + b."""

    def codegen(context, builder, signature, values):
        return builder.fadd(*values)

    return a(a, b), codegen


@intrinsic
def fma(typingctx, a, b, c):
    """Return a * b + c, rounded once."""

    def codegen(context, builder, signature, values):
        return Lanes(builder, a.dtype).fma(*values)

    return a(a, a, a), codegen


@body
def clear(array, start, size):
    """Write zeros to array.flat[start : start+size]."""
    zero = filled(0, load(array, 0, 0))
    lanes = lane_count(array)
    for i in range(0, size, lanes):
        store(array, start + i, size - i, zero)


if config.DISABLE_JIT:
    from .interpreted import (
        add,
        choose,
        equal,
        filled,
        filled_from,
        fma,
        greater,
        greater_or_nan,
        lane_count,
        lanes_of,
        load,
        load_bytes,
        lowest,
        nonzero,
        prefetch,
        store,
        store_bytes,
        unordered,
    )
