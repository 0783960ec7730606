"""The gradients of layers/linear.py for a batch: two matrix products, in pieces that suit the caches.

Work is cut into pieces of the layer, for any number of threads; each piece sums in a fixed order.
"""

import numpy as np
from numba import prange

from .. import table
from ..compiler.array_views import stack_panel, strided, view
from ..compiler.decorators import body, kernel
from ..compiler.simd import choose, clear, filled, greater, lane_count, load, store
from ..compiler.tile import PANEL_BYTES
from ..table import LINE, LINEAR, RELU
from . import dense_pieces
from .activation_in_place import pass_back
from .contraction import contract
from .dense_pieces import (
    COLUMN_BLOCK,
    INPUT_PIECES,
    PANEL_COLUMNS,
    ROW_BLOCKS,
    TRANSPOSED_IMAGES,
    UNIT_GROUPS,
    WEIGHT_PIECES,
)
from .panel import pack
from .vector_rows import transpose

strip_count, strip_unit = body(dense_pieces.strip_count), body(dense_pieces.strip_unit)
strip_width, weight_cut = body(dense_pieces.strip_width), body(dense_pieces.weight_cut)
piece_range, round_up_to_line = body(dense_pieces.piece_range), body(table.round_up_to_line)


@body
def transpose_gradient(
    grad_output,  # (N, K)
    out,  # (>= N*K,), overwritten
):
    """Transpose the gradients of TRANSPOSED_IMAGES images at a time: blocks (K, images), one after another.

    Not each strip for itself: that took as long as a fifth of the products of 64 images by 3136 x 100 weights.
    """
    N, K = grad_output.shape
    for n in range(0, N, TRANSPOSED_IMAGES):
        count = min(TRANSPOSED_IMAGES, N - n)
        transpose(view(grad_output, n * K, (count, K)), view(out, n * K, (K, count)))


@body
def linear_backward_input_strip(
    transposed,  # (N*K,), from transpose_gradient
    weight,  # (D, K)
    inputs,  # the first input of the strip, and their end, exclusive
    x,  # (N, D) what the layer read
    previous_activation,  # the activation that returned x, or LINEAR
    zeros,  # (TRANSPOSED_IMAGES,) zeros
    sums,  # (>= inputs * TRANSPOSED_IMAGES,) scratch, overwritten
    grad_input,  # (N, D), this strip overwritten
):
    """Compute the gradient of a strip of inputs, for all images; see `linear_batch_backward_input`.

    A vector holds the images, not the inputs, so that what is transposed is the gradients and not the weights.
    """
    N, D = x.shape
    K = weight.shape[1]
    first, stop = inputs
    width = stop - first
    lanes = lane_count(x)
    for n in range(0, N, TRANSPOSED_IMAGES):
        count = min(TRANSPOSED_IMAGES, N - n)
        contract(
            strided(weight, first * K, (1, 1, K, width), (0, 0, 1, K)),
            strided(transposed, n * K, (1, 1, K, count), (0, 0, count, 1)),
            strided(zeros, 0, (1, width, count), (0, 0, 1)),
            weight.dtype.type(1),
            view(sums, 0, (1, width, count)),
        )
        transpose(view(sums, 0, (width, count)), strided(grad_input, n * D + first, (count, width), (D, 1)))
        for i in range(n, n + count):
            start = i * D + first
            if previous_activation == RELU:
                for j in range(0, width, lanes):
                    gradient = load(grad_input, start + j, width - j)
                    zero = filled(0, gradient)
                    active = greater(load(x, start + j, width - j), zero)
                    store(grad_input, start + j, width - j, choose(active, gradient, zero))
            elif previous_activation != LINEAR:
                pass_back(previous_activation, view(x, start, (width,)), view(grad_input, start, (width,)))


@body
def linear_backward_weight_piece(
    x,  # (N, D)
    grad_output,  # (N, K)
    inputs,  # the first input of the piece, and their end, exclusive
    units,  # the same of the units
    packed,  # bool: copy the operands to panels?
    scale,  # scalar of the same dtype
    added,  # bool: add to grad_weight instead of overwriting it?
    grad_weight,  # (D, K), this piece overwritten or added to
):
    """Compute some rows and columns of the weight gradient; see `linear_batch_backward_weight`."""
    N, D = x.shape
    K = grad_output.shape[1]
    d, stop = inputs
    width = stop - d
    first, end = units
    if not added:
        for i in range(d, stop):
            clear(grad_weight, i * K + first, end - first)
    left, right = stack_panel(x), stack_panel(x)
    rows = strided(x, d, (1, 1, N, width), (0, 0, D, 1))
    if packed:
        rows = strided(left, 0, (1, 1, N, width), (0, 0, pack(x, d, N, width, D, left), 1))
    most = min(PANEL_COLUMNS if packed else COLUMN_BLOCK, right.size // N // LINE * LINE)
    # A copy of the gradients alone, whose rows begin at cache lines, pays where many rows of inputs read it.
    aligned = ROW_BLOCKS[0] < N and K % LINE != 0 and width >= 2 * PANEL_COLUMNS and most >= PANEL_COLUMNS
    if not packed and not aligned:
        most = K
    for j in range(first, end, most):
        columns = min(most, end - j)
        gradients = strided(grad_output, j, (1, 1, N, columns), (0, 0, K, 1))
        if packed or aligned:
            distance = pack(grad_output, j, N, columns, K, right)
            gradients = strided(right, 0, (1, 1, N, columns), (0, 0, distance, 1))
        block = strided(grad_weight, d * K + j, (1, width, columns), (0, K, 1))
        contract(rows, gradients, block, scale, block)


@kernel
def linear_batch_backward_input(
    grad_output,  # (N, K)
    weight,  # (D, K)
    x,  # (N, D) what the layer read; not read after LINEAR
    previous_activation,  # the activation that returned x, or LINEAR
    scratch,  # (dense_pieces.linear_scratch(N, D, K),) overwritten
    grad_input,  # (N, D), overwritten
):
    """Multiply by the weights' transpose.

    grad_input[n,d] = f' * sum_k grad_output[n,k] * weight[d,k], f' = derivative of previous_activation at x[n,d]

    Parallel : over strips of inputs; one thread owns a strip of grad_input. The transpose is serial: 9/D of the work.
    Work     : 2*N*D*K flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.linear_batch_backward_input; the gradient of torch.nn.functional.linear.
    Source   : Goodfellow, Bengio, Courville (2016), algorithm 6.4.
    """
    N, K = grad_output.shape
    D = weight.shape[0]
    zeros, transposed = view(scratch, 0, (TRANSPOSED_IMAGES,)), view(scratch, TRANSPOSED_IMAGES, (N * K,))
    rest = TRANSPOSED_IMAGES + round_up_to_line(N * K)
    clear(zeros, 0, zeros.size)
    transpose_gradient(grad_output, transposed)
    strips = strip_count(D, INPUT_PIECES)
    unit, room = strip_unit(D, strips), TRANSPOSED_IMAGES * strip_width(D, strips)
    for n in prange(strips):
        strip = np.int64(n)
        inputs = piece_range(D, strips, strip, unit)
        sums = view(scratch, rest + strip * room, (room,))
        linear_backward_input_strip(transposed, weight, inputs, x, previous_activation, zeros, sums, grad_input)


@kernel
def linear_batch_backward_weight(
    x,  # (N, D)
    grad_output,  # (N, K)
    scale,  # scalar of the same dtype
    added,  # bool: add to grad_weight and grad_bias instead of overwriting them?
    grad_weight,  # (D, K), overwritten or added to
    grad_bias,  # (K,), overwritten or added to
):
    """Multiply the input's transpose by the gradient.

    grad_weight[d,k] = scale * sum_n x[n,d] * grad_output[n,k];  grad_bias[k] = scale * sum_n grad_output[n,k]

    Added to the weights and the bias themselves, with scale = -lr, that is the SGD step, in one pass over memory.

    Parallel : over pieces of grad_weight, the bias with the last; one thread owns a piece.
    Work     : 2*N*D*K flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.linear_batch_backward_weight; the gradient of torch.nn.functional.linear.
    Source   : Goodfellow, Bengio, Courville (2016), algorithm 6.4.
    """
    N, D = x.shape
    K = grad_output.shape[1]
    wide, narrow = strip_count(D, WEIGHT_PIECES // UNIT_GROUPS), strip_count(D, WEIGHT_PIECES)
    strips, groups, packed = weight_cut(N, D, K, PANEL_BYTES // x.itemsize, wide, narrow)
    for piece in prange(strips * groups):
        inputs, units = piece_range(D, strips, piece // groups, 1), piece_range(K, groups, piece % groups, LINE)
        linear_backward_weight_piece(x, grad_output, inputs, units, packed, scale, added, grad_weight)
        if piece == strips * groups - 1:
            if not added:
                for k in range(grad_bias.size):
                    grad_bias[k] = 0
            for n in range(N):
                for k in range(K):
                    grad_bias[k] += scale * grad_output[n, k]
