"""The register tile of contraction.py in LLVM IR: sums that stay in registers while the operands stream past.

LLVM's own vectoriser does not keep a block of sums in registers over two loops. In IR the number of sums is a constant
of each case, so that none is spilled.
"""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from .simd_ir import Lanes, at, constant, emit_for_count, multiples_of, opaque
from .tile import PART_ROWS, ROWS, THREE_ROWS, WIDE_ROWS

TALL = 2 * ROWS - 4  # rows of a tile of one vector: LLVM spilled a sum of ten with AVX2


def _tile(vectors, most, masked, out, init, a, b, scale, r, i, j, rows, kept=None, fitted=False):
    """Type and emit `contract` for the block out[r, i : i+rows, j : j+vectors*lanes].

    masked: only up to the end of out's rows. fitted: the same, by a last vector that overlaps the one before it. `kept`
    columns at the beginning of a tile of one vector stay as they are.
    """

    def codegen(context, builder, signature, values):
        out_, init_, a_, b_ = (make_array(signature.args[n])(context, builder, values[n]) for n in range(4))
        r_, i_, j_, rows_, *kept_ = values[5:]
        lanes = Lanes(builder, out.dtype)
        extents = {
            "out": cgutils.unpack_tuple(builder, out_.shape),
            "a": cgutils.unpack_tuple(builder, a_.shape),
        }
        out_r, out_i, _ = cgutils.unpack_tuple(builder, out_.strides)
        init_r, init_i, _ = cgutils.unpack_tuple(builder, init_.strides)
        a_r, a_t, a_k, a_i = cgutils.unpack_tuple(builder, a_.strides)
        b_r, b_t, b_k, _ = cgutils.unpack_tuple(builder, b_.strides)
        a_tile = at(builder, a_.data, (r_, a_r), (i_, a_i))
        b_tile = at(builder, b_.data, (r_, b_r), (j_, lanes.size))
        out_tile = at(builder, out_.data, (r_, out_r), (i_, out_i), (j_, lanes.size))
        init_tile = at(builder, init_.data, (r_, init_r), (i_, init_i), (j_, lanes.size))
        rest = builder.sub(extents["out"][2], j_)
        mask = lanes.first(rest) if masked else None
        columns = [constant(v * lanes.count) for v in range(vectors)]  # where each vector begins
        if fitted:
            last = builder.sub(rest, constant(lanes.count))
            columns[-1] = builder.select(builder.icmp_signed("<", last, columns[-1]), last, columns[-1])
        a_place = cgutils.alloca_once(builder, a_tile.type)  # of the tile's first row at t, k
        sums = [[cgutils.alloca_once(builder, lanes.vector) for _ in range(vectors)] for _ in range(most)]

        def emit(m):
            """Emit the tile of exactly m rows. LLVM turns the stack slots of `sums` into registers."""
            for row in sums[:m]:
                for total in row:
                    builder.store(lanes.zeros, total)
            rows_of_a = multiples_of(builder, a_i, m)
            with cgutils.for_range(builder, extents["a"][1]) as t:
                builder.store(at(builder, a_tile, (t.index, a_t)), a_place)
                with cgutils.for_range(builder, extents["a"][2]) as k:
                    a_now = builder.load(a_place)
                    b_now = at(builder, b_tile, (t.index, b_t), (k.index, b_k))
                    factors = [lanes.load(at(builder, b_now, (column, lanes.size)), mask) for column in columns]
                    for row in range(m):
                        factor = lanes.splat(lanes.scalar(builder.gep(a_now, [rows_of_a[row]])))
                        for v in range(vectors):
                            total = builder.load(sums[row][v])
                            builder.store(lanes.fma(factor, factors[v], total), sums[row][v])
                    builder.store(opaque(builder, builder.gep(a_now, [a_k])), a_place)
            times = lanes.splat(values[4])
            own = None if kept is None else builder.not_(lanes.first(*kept_))
            for row in range(m):
                places = [at(builder, init_tile, (constant(row), init_i), (column, lanes.size)) for column in columns]
                starts = [lanes.load(place, mask) for place in places]  # all, before one is overwritten that overlaps
                for v in range(vectors):
                    total = lanes.fma(times, builder.load(sums[row][v]), starts[v])
                    place = at(builder, out_tile, (constant(row), out_i), (columns[v], lanes.size))
                    if kept is not None:
                        total = builder.select(own, total, lanes.load(place))
                    lanes.store(total, place, mask)

        emit_for_count(builder, rows_, most, "tile.rows", emit)
        return context.get_dummy_value()

    i64 = types.int64
    more = () if kept is None else (i64,)
    return types.void(out, init, a, b, out.dtype, i64, i64, i64, i64, *more), codegen


@intrinsic
def tile_four_vectors(typingctx, out, init, a, b, scale, r, i, j, rows):
    """Compute `rows` rows of four vectors, on processors with registers for it; see `_tile`."""
    return _tile(4, WIDE_ROWS, False, out, init, a, b, scale, r, i, j, rows)


@intrinsic
def tile_three_vectors(typingctx, out, init, a, b, scale, r, i, j, rows):
    """Compute `rows` rows of three vectors, or of more than two up to the end of j; see `_tile`."""
    return _tile(3, THREE_ROWS, False, out, init, a, b, scale, r, i, j, rows, fitted=True)


@intrinsic
def tile_two_vectors(typingctx, out, init, a, b, scale, r, i, j, rows):
    """Compute `rows` rows of two vectors; see `_tile`."""
    return _tile(2, ROWS, False, out, init, a, b, scale, r, i, j, rows)


@intrinsic
def tile_one_vector(typingctx, out, init, a, b, scale, r, i, j, rows, kept):
    """Compute `rows` rows of one vector, except its first `kept` columns; see `_tile`."""
    return _tile(1, TALL, False, out, init, a, b, scale, r, i, j, rows, kept)


@intrinsic
def tile_part_vector(typingctx, out, init, a, b, scale, r, i, j, rows):
    """Compute `rows` rows of part of a vector, up to the end of j; see `_tile`."""
    return _tile(1, PART_ROWS, True, out, init, a, b, scale, r, i, j, rows)
