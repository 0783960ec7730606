"""The arithmetic: one contraction that every layer is made of, as a tile of vector registers.

    out[r,i,j] = init[r,i,j] + scale * sum_{t,k} a[r,t,k,i] * b[r,t,k,j]

A convolution, its two gradients and the three products of a dense layer are this sum over different strided views of
the same arrays. `contract` cuts out[r] into tiles of some rows by one to four vectors; a tile keeps its sums in
registers while t and k run, so that each number loaded is used many times. The order of the sum is t, then k, for every
tile size and vector width.
"""

from ..compiler.simd import lane_count
from ..compiler.simd_tile import (
    TALL,
    tile_four_vectors,
    tile_one_vector,
    tile_part_vector,
    tile_three_vectors,
    tile_two_vectors,
)
from ..compiler.symbols import primitive
from ..compiler.tile import PART_ROWS, ROWS, THREE_ROWS, WIDE_ROWS


@primitive("4 4 3 number 3")
def contract(
    a,  # (R, T, K, M), any strides
    b,  # (R, T, K, N), last stride 1
    init,  # (R, M, N), last stride 1; may be `out` itself
    scale,  # scalar of the arrays' dtype
    out,  # (R, M, N), last stride 1, overwritten
):
    """Contract two strided views into a third: the sum at the head of this file.

    Other strides of a, b and init may be 0: what is the same for all r, or all i, is not repeated in memory.

    Parallel : no; callers cut their work and call it inside a `prange`.
    Work     : 2*R*T*K*M*N flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.contract; numpy.einsum("rtki,rtkj->rij").
    Source   : register tiling as in Goto, van de Geijn (2008), "Anatomy of high-performance matrix multiplication".
    """
    R, M, N = out.shape
    lanes = lane_count(out)
    few = WIDE_ROWS == 0 and M // ((M + ROWS - 1) // ROWS) < 4  # rows of a tile of two vectors: 8 sums hide the latency
    j = 0
    while j < N:
        rest = N - j
        if WIDE_ROWS > 0 and rest >= 4 * lanes:
            vectors, most = 4, WIDE_ROWS
        elif THREE_ROWS > 0 and rest > 2 * lanes and (rest != 4 * lanes or few):
            vectors, most = 3, THREE_ROWS
        elif rest >= 2 * lanes:
            vectors, most = 2, ROWS
        else:
            vectors, most = 1, TALL if lanes <= N else PART_ROWS
        tiles = (M + most - 1) // most
        rows, lower = M // tiles, tiles - M % tiles  # of nearly equal height: 15 rows are 7 + 8
        # What is left of a vector is the end of one that begins among the columns that are done.
        kept = max(0, min(N, lanes) - rest)
        for r in range(R):
            i = 0
            while i < M:
                height = rows if i < rows * lower else rows + 1
                if vectors == 4:
                    tile_four_vectors(out, init, a, b, scale, r, i, j, height)
                elif vectors == 3:
                    tile_three_vectors(out, init, a, b, scale, r, i, j, height)
                elif vectors == 2:
                    tile_two_vectors(out, init, a, b, scale, r, i, j, height)
                elif lanes <= N:
                    tile_one_vector(out, init, a, b, scale, r, i, j - kept, height, kept)
                else:
                    tile_part_vector(out, init, a, b, scale, r, i, j, height)
                i += height
        j += vectors * lanes
