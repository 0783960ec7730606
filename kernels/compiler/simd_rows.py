"""Row operations in LLVM IR: sums of rows, dot products with an update, a transpose of a block.

In IR, so that their sums stay in registers and their loads are not checked for overlap, as in simd_tile.py.
"""

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from .simd_ir import FIRST_CACHE, Lanes, at, constant, emit_for_count, fetch

MOST_VECTORS = 8  # of sums at a time: enough chains to hide the latency of two FMA units
ROWS_AHEAD = 4  # that add_rows fetches into the first cache; 2 and 8 are as fast
ROWS_AT_ONCE = 4  # that share the vectors of dots_then_add: two at a time take 1.1 times as long


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

        def row_of(n):
            """Return the block's place in the n-th row of the list."""
            return at(builder, block, (builder.load(builder.gep(rows_.data, [n])), weight_d))

        def emit(m):
            masks = [None] * (m - 1)
            masks.append(lanes.first(builder.sub(size, builder.add(j_, constant((m - 1) * lanes.count)))))
            for v in range(m):
                builder.store(lanes.zeros, sums[v])
            last = builder.sub(count_, constant(1))
            with cgutils.for_range(builder, count_) as n:
                factor = lanes.splat(builder.load(builder.gep(factors_.data, [n.index])))
                later = builder.add(n.index, constant(ROWS_AHEAD))
                later = builder.select(builder.icmp_signed("<", later, last), later, last)
                row, ahead = row_of(n.index), row_of(later)
                for v in range(m):
                    fetch(builder, at(builder, ahead, (constant(v), width)), FIRST_CACHE)
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
def dots_then_add(typingctx, weight, rows, factors, count, vector, scale, dots):
    """For each listed row, dots[row] = sum(weight[row] * vector), then weight[row] += scale * factor * vector.

    One pass over memory for a dense layer's input gradient and its update. Rows are listed once at most. A sum runs
    lane by lane, then folds the lanes in halves, then adds the rest.
    """

    def codegen(context, builder, signature, values):
        weight_, rows_, factors_ = (make_array(signature.args[n])(context, builder, values[n]) for n in range(3))
        count_, scale_ = values[3], values[5]
        vector_, dots_ = (make_array(signature.args[n])(context, builder, values[n]) for n in (4, 6))
        lanes = Lanes(builder, weight.dtype)
        (size,) = cgutils.unpack_tuple(builder, vector_.shape)
        weight_d, _ = cgutils.unpack_tuple(builder, weight_.strides)
        whole = builder.udiv(size, constant(lanes.count))

        def emit(first, many):
            """Emit `many` rows of the list from `first` on, each step in place of the one before."""
            places = [builder.add(first, constant(n)) for n in range(many)]
            numbers = [builder.load(builder.gep(rows_.data, [place])) for place in places]
            steps = [builder.fmul(scale_, builder.load(builder.gep(factors_.data, [place]))) for place in places]
            totals = [cgutils.alloca_once(builder, lanes.vector) for _ in range(many)]
            rests = [cgutils.alloca_once(builder, lanes.element) for _ in range(many)]
            for total, rest in zip(totals, rests):
                builder.store(lanes.zeros, total)
                builder.store(ir.Constant(lanes.element, 0.0), rest)

            def move(lanes, index):
                """Move `lanes` numbers of each row by its step; yield their old values and the gradient."""
                gradient = lanes.load(at(builder, vector_.data, (index, lanes.size)))
                for number, step in zip(numbers, steps):
                    place = at(builder, weight_.data, (number, weight_d), (index, lanes.size))
                    weights = lanes.load(place)
                    lanes.store(lanes.fma(lanes.splat(step), gradient, weights), place)
                    yield weights, gradient

            with cgutils.for_range(builder, whole) as v:
                for total, (weights, gradient) in zip(totals, move(lanes, builder.mul(v.index, constant(lanes.count)))):
                    builder.store(lanes.fma(weights, gradient, builder.load(total)), total)
            # The rest in vectors of half the width, a quarter, ..: a masked store costs 5 ns on Zen 5, a third of all.
            index = builder.mul(whole, constant(lanes.count))
            half = lanes.count // 2
            while half:
                has = builder.and_(size, constant(half))
                with builder.if_then(builder.icmp_signed("!=", has, constant(0))):
                    part = Lanes(builder, weight.dtype, half)
                    for rest, (weights, gradient) in zip(rests, move(part, index)):
                        builder.store(builder.fadd(builder.load(rest), part.sum(builder.fmul(weights, gradient))), rest)
                index = builder.add(index, has)
                half //= 2
            for number, total, rest in zip(numbers, totals, rests):
                dot = builder.fadd(lanes.sum(builder.load(total)), builder.load(rest))
                builder.store(dot, builder.gep(dots_.data, [number]))

        blocks = builder.udiv(count_, constant(ROWS_AT_ONCE))
        done = builder.mul(blocks, constant(ROWS_AT_ONCE))
        with cgutils.for_range(builder, blocks) as block:
            emit(builder.mul(block.index, constant(ROWS_AT_ONCE)), ROWS_AT_ONCE)
        with cgutils.for_range(builder, builder.sub(count_, done)) as left:
            emit(builder.add(done, left.index), 1)
        return context.get_dummy_value()

    i64 = types.int64
    return types.void(weight, rows, factors, i64, vector, weight.dtype, dots), codegen


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
    from .interpreted import dots_then_add
