"""Row operations in LLVM IR: sums of rows, a dot product with an update, a transpose of a block.

In IR, so that their sums stay in registers and their loads are not checked for overlap, as in simd_tile.py.
"""

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from .simd_ir import Lanes, at, constant, emit_for_count

MOST_VECTORS = 8  # of sums at a time: enough chains to hide the latency of two FMA units


@intrinsic
def add_rows_block(typingctx, bias, weight, factors, rows, count, j, vectors, out):
    """Compute `vectors` vectors of vector_rows.add_rows from element j on."""

    def codegen(context, builder, signature, values):
        bias_, weight_, factors_, rows_ = (make_array(signature.args[n])(context, builder, values[n]) for n in range(4))
        count_, j_, vectors_ = values[4:7]
        out_ = make_array(signature.args[7])(context, builder, values[7])
        lanes = Lanes(builder, out.dtype)
        width = constant(lanes.count * lanes.itemsize)
        (size,) = cgutils.unpack_tuple(builder, out_.shape)
        weight_d, _ = cgutils.unpack_tuple(builder, weight_.strides)
        block = at(builder, weight_.data, (j_, lanes.size))
        sums = [cgutils.alloca_once(builder, lanes.vector) for _ in range(MOST_VECTORS)]

        def emit(m):
            masks = [None] * (m - 1)
            masks.append(lanes.first(builder.sub(size, builder.add(j_, constant((m - 1) * lanes.count)))))
            for v in range(m):
                builder.store(lanes.zeros, sums[v])
            with cgutils.for_range(builder, count_) as n:
                row = builder.load(builder.gep(rows_.data, [n.index]))
                factor = lanes.splat(builder.load(builder.gep(factors_.data, [n.index])))
                row = at(builder, block, (row, weight_d))
                for v in range(m):
                    weights = lanes.load(at(builder, row, (constant(v), width)), masks[v])
                    builder.store(lanes.fma(factor, weights, builder.load(sums[v])), sums[v])
            for v in range(m):
                steps = ((j_, lanes.size), (constant(v), width))
                start = lanes.load(at(builder, bias_.data, *steps), masks[v])
                total = builder.fadd(start, builder.load(sums[v]))
                lanes.store(total, at(builder, out_.data, *steps), masks[v])

        emit_for_count(builder, vectors_, MOST_VECTORS, "rows.vectors", emit)
        return context.get_dummy_value()

    i64 = types.int64
    return types.void(bias, weight, factors, rows, i64, i64, i64, out), codegen


@intrinsic
def dot_then_add(typingctx, row, vector, step):
    """Return sum(row * vector), then add step * vector to the row: one pass over memory for a dense layer's
    input gradient and its update. The sum runs lane by lane, then folds the lanes in halves, then adds the rest.
    """

    def codegen(context, builder, signature, values):
        row_, vector_ = (make_array(signature.args[n])(context, builder, values[n]) for n in range(2))
        lanes = Lanes(builder, row.dtype)
        (size,) = cgutils.unpack_tuple(builder, row_.shape)
        total = cgutils.alloca_once_value(builder, lanes.zeros)
        rest = cgutils.alloca_once_value(builder, ir.Constant(lanes.element, 0.0))

        def step_lanes(lanes, index):
            """Move `lanes` numbers from `index` on by a step; return their old value and the gradient."""
            place = at(builder, row_.data, (index, lanes.size))
            weights = lanes.load(place)
            gradient = lanes.load(at(builder, vector_.data, (index, lanes.size)))
            lanes.store(lanes.fma(lanes.splat(values[2]), gradient, weights), place)
            return weights, gradient

        whole = builder.udiv(size, constant(lanes.count))
        with cgutils.for_range(builder, whole) as v:
            weights, gradient = step_lanes(lanes, builder.mul(v.index, constant(lanes.count)))
            builder.store(lanes.fma(weights, gradient, builder.load(total)), total)
        # The rest in vectors of half the width, a quarter, ...: a masked store costs 5 ns on Zen 5, a third of the row.
        index = builder.mul(whole, constant(lanes.count))
        count = lanes.count // 2
        while count:
            has = builder.and_(size, constant(count))
            with builder.if_then(builder.icmp_signed("!=", has, constant(0))):
                part = Lanes(builder, row.dtype, count)
                weights, gradient = step_lanes(part, index)
                builder.store(builder.fadd(builder.load(rest), part.sum(builder.fmul(weights, gradient))), rest)
            index = builder.add(index, has)
            count //= 2
        return builder.fadd(lanes.sum(builder.load(total)), builder.load(rest))

    return row.dtype(row, vector, row.dtype), codegen


@intrinsic
def transpose_block(typingctx, matrix, i, j, out):
    """Transpose the square block at matrix[i, j], as wide as a vector: out[j+n, i+m] = matrix[i+m, j+n]."""

    def codegen(context, builder, signature, values):
        matrix_, out_ = (make_array(signature.args[n])(context, builder, values[n]) for n in (0, 3))
        i_, j_ = values[1:3]
        lanes = Lanes(builder, out.dtype)
        matrix_i, _ = cgutils.unpack_tuple(builder, matrix_.strides)
        out_j, _ = cgutils.unpack_tuple(builder, out_.strides)
        source = at(builder, matrix_.data, (i_, matrix_i), (j_, lanes.size))
        target = at(builder, out_.data, (j_, out_j), (i_, lanes.size))
        L = lanes.count
        block = [lanes.load(at(builder, source, (constant(n), matrix_i))) for n in range(L)]
        low = [n // 2 + (n % 2) * L for n in range(L)]  # a0 b0 a1 b1 ...
        high = [index + L // 2 for index in low]
        # Interleaving row n with row n + L/2 rotates the bits of the index (row, lane) by one; log2(L) rotations swap
        # row and lane.
        for _ in range(L.bit_length() - 1):
            pairs = [(block[n], block[n + L // 2]) for n in range(L // 2)]
            block = [lanes.shuffle(a, b, part) for a, b in pairs for part in (low, high)]
        for n in range(L):
            lanes.store(block[n], at(builder, target, (constant(n), out_j)))
        return context.get_dummy_value()

    return types.void(matrix, types.int64, types.int64, out), codegen


if config.DISABLE_JIT:
    from .interpreted import dot_then_add
