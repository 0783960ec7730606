"""Shaped views into flat arenas, created inside compiled code in less than 1 ns.

`arena[o:o+n].reshape(shape)` costs 270 ns each there, and one training step needs about sixty of them. These build the
array structure directly around the address, with the private helpers that numba builds its own arrays with. No
reference is counted: a view must not outlive its arena.
"""

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from .tile import PANEL_BYTES


@intrinsic
def view(typingctx, arena, offset, shape):
    """Return arena.flat[offset : offset + prod(shape)] as a C-contiguous array of that shape."""
    return _array(arena, offset, shape, None)


@intrinsic
def strided(typingctx, array, offset, shape, strides):
    """Return the elements array.flat[offset + sum(index * strides)]; strides count elements from its first element."""
    return _array(array, offset, shape, strides)


@intrinsic
def stack_panel(typingctx, like):
    """Return PANEL_BYTES of the stack as an array (.,) of `like`'s dtype that begins at a cache line, not initialised.

    It is gone when the function returns that calls this.
    """
    result = types.Array(like.dtype, 1, "C")
    itemsize = like.dtype.bitwidth // 8

    def codegen(context, builder, signature, values):
        element = context.get_data_type(like.dtype)
        with builder.goto_entry_block():  # cgutils.alloca_once would write zeros: half the time of a small product
            panel = builder.alloca(ir.ArrayType(element, PANEL_BYTES // itemsize))
        panel.align = 64
        array = make_array(result)(context, builder)
        data = builder.bitcast(panel, element.as_pointer())
        size, step = (ir.Constant(ir.IntType(64), number) for number in (PANEL_BYTES // itemsize, itemsize))
        populate_array(array, data, [size], [step], step, None)
        return array._getvalue()

    return result(like), codegen


def _array(source, offset, shape, strides):
    result = types.Array(source.dtype, len(shape), "C" if strides is None else "A")
    arguments = (source, offset, shape) if strides is None else (source, offset, shape, strides)

    def codegen(context, builder, signature, values):
        def integers(value, kind):
            return [_int64(builder, item, k) for item, k in zip(cgutils.unpack_tuple(builder, value), kind.types)]

        base = make_array(source)(context, builder, values[0])
        data = builder.gep(base.data, [_int64(builder, values[1], offset)])
        itemsize = ir.Constant(ir.IntType(64), source.dtype.bitwidth // 8)
        extents = integers(values[2], shape)
        if strides is None:
            steps = [itemsize]
            for extent in reversed(extents[1:]):
                steps.insert(0, builder.mul(steps[0], extent))
        else:
            steps = [builder.mul(step, itemsize) for step in integers(values[3], strides)]
        array = make_array(result)(context, builder)
        populate_array(array, data, extents, steps, itemsize, None)
        return array._getvalue()

    return result(*arguments), codegen


def _int64(builder, value, kind):
    return builder.sext(value, ir.IntType(64)) if kind.bitwidth < 64 else value


if config.DISABLE_JIT:
    from .interpreted import stack_panel, strided, view
