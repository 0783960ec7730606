"""Row operations for the shapes that a tile does not suit: one image at a time, and a transpose.

At batch size 1 a dense layer is a matrix times a vector. It reads every weight once, so memory decides, and a row whose
input is zero is not read at all: `add_rows` takes a list of the rows to read.
"""

from ..compiler.simd import lane_count
from ..compiler.simd_rows import MOST_VECTORS, add_rows_block, transpose_block
from ..compiler.symbols import primitive


@primitive("1 2 1 rows int 1")
def add_rows(
    bias,  # (K,)
    weight,  # (D, K)
    factors,  # (>= count,)
    rows,  # (>= count,) int64, rows of weight
    count,
    out,  # (K,), overwritten
):
    """Add the listed rows of a matrix, each times its factor: out[k] = bias[k] + sum_n factors[n] * weight[rows[n],k].

    Parallel : no.
    Work     : 2*count*K flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.add_rows.
    Source   : a matrix-vector product over the non-zero inputs.
    """
    lanes = lane_count(out)
    j = 0
    while j < out.size:
        vectors = min((out.size - j + lanes - 1) // lanes, MOST_VECTORS)
        add_rows_block(bias, weight, factors, rows, count, j, vectors, out)
        j += vectors * lanes


@primitive("2 2")
def transpose(
    matrix,  # (M, N)
    out,  # (N, M), overwritten
):
    """Transpose a matrix: out[j,i] = matrix[i,j], in square blocks that fit the vector registers.

    Parallel : no.
    Work     : M*N copies.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.transpose; numpy.transpose.
    Source   : perfect-shuffle transpose, Stone (1971), "Parallel processing with the perfect shuffle".
    """
    M, N = matrix.shape
    lanes = lane_count(out)
    whole_i = M - M % lanes
    whole_j = N - N % lanes
    for j in range(0, whole_j, lanes):
        for i in range(0, whole_i, lanes):
            transpose_block(matrix, i, j, out)
        for n in range(j, j + lanes):
            for i in range(whole_i, M):
                out[n, i] = matrix[i, n]
    for j in range(whole_j, N):
        for i in range(M):
            out[j, i] = matrix[i, j]
