"""The register tile of conv_rows.py in LLVM IR: adjacent outputs of a row of a convolution.

A number of the image is loaded once for the three outputs that it is under: 19 loads for 42 multiply-adds of 14 outputs
of one vector of filters, where the tile of `contract` needs 48. On Ice Lake, which loads one 512-bit vector a cycle,
that is the limit.
"""

from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from .simd_ir import Lanes, at, constant, emit_for_count, multiples_of, opaque
from .tile import ROW_OUTPUTS


def _outputs(vectors, most, x, weight, init, out):
    """Type and emit some adjacent outputs, from column w of row y on, of vectors of filters from `first` on.

    out[place + n*OC + o] = init[y, w+n, first+o] + sum_{i,c,j} x[y+i, w+n+j, c] * weight[i, j, c, first+o]

    x is contiguous; of weight and init only the last axis is.
    """

    def codegen(context, builder, signature, values):
        x_, weight_, init_, out_ = (make_array(signature.args[n])(context, builder, values[n]) for n in range(4))
        y, w, first, place, outputs = values[4:]
        lanes = Lanes(builder, out.dtype)
        _, padded, C = cgutils.unpack_tuple(builder, x_.shape)
        OC = cgutils.unpack_tuple(builder, weight_.shape)[3]
        pixel, channel = builder.mul(C, lanes.size), builder.mul(OC, lanes.size)  # bytes, as all that follows
        x_row = builder.mul(padded, pixel)
        weight_row, weight_column, weight_channel, _ = cgutils.unpack_tuple(builder, weight_.strides)
        init_row, init_step, _ = cgutils.unpack_tuple(builder, init_.strides)
        x_tile = at(builder, x_.data, (y, x_row), (w, pixel))
        weight_tile = at(builder, weight_.data, (first, lanes.size))
        init_tile = at(builder, init_.data, (y, init_row), (w, init_step), (first, lanes.size))
        out_tile = at(builder, out_.data, (place, lanes.size))
        wide = [(constant(v), constant(lanes.count * lanes.itemsize)) for v in range(vectors)]
        sums = [[cgutils.alloca_once(builder, lanes.vector) for _ in wide] for _ in range(most)]

        def emit(m):
            """Emit exactly m outputs. LLVM turns the stack slots of `sums` into registers."""
            pixels = multiples_of(builder, pixel, m + 2)
            for n in range(m):
                for total, column in zip(sums[n], wide):
                    builder.store(lanes.load(at(builder, init_tile, (constant(n), init_step), column)), total)
            three = opaque(builder, constant(3))  # LLVM would write the loop out: 1.4 times as long to compile
            with cgutils.for_range(builder, three) as i, cgutils.for_range(builder, C) as c:
                x_now = opaque(builder, at(builder, x_tile, (i.index, x_row), (c.index, lanes.size)))
                weight_now = at(builder, weight_tile, (i.index, weight_row), (c.index, weight_channel))
                weights = [
                    [lanes.load(at(builder, weight_now, (constant(j), weight_column), column)) for column in wide]
                    for j in range(3)
                ]
                for p in range(m + 2):
                    number = lanes.splat(lanes.scalar(builder.gep(x_now, [pixels[p]])))
                    for j in range(max(0, p - m + 1), min(3, p + 1)):
                        for total, factor in zip(sums[p - j], weights[j]):
                            builder.store(lanes.fma(number, factor, builder.load(total)), total)
            for n in range(m):
                for total, column in zip(sums[n], wide):
                    lanes.store(builder.load(total), at(builder, out_tile, (constant(n), channel), column))

        emit_for_count(builder, outputs, most, "row.outputs", emit)
        return context.get_dummy_value()

    return types.void(x, weight, init, out, *[types.int64] * 5), codegen


@intrinsic
def outputs_of_two_vectors(typingctx, x, weight, init, out, y, w, first, place, outputs):
    """Compute some adjacent outputs of two vectors of filters; see `_outputs`."""
    return _outputs(2, ROW_OUTPUTS[1], x, weight, init, out)


@intrinsic
def outputs_of_one_vector(typingctx, x, weight, init, out, y, w, first, place, outputs):
    """Compute some adjacent outputs of one vector of filters; see `_outputs`."""
    return _outputs(1, ROW_OUTPUTS[0], x, weight, init, out)


if config.DISABLE_JIT:
    from .interpreted import outputs_of_one_vector, outputs_of_two_vectors
