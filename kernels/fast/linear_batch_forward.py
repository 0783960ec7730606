"""The dense layer of layers/linear.py forward for a batch, in pieces that suit the caches.

The sum over the inputs is cut into equal parts. Each is summed in registers, and they are added in order:

    out[n,k] = f(bias[k] + sum_parts sum_{d in part} x[n,d] * weight[d,k])

A piece computes all parts for some images and units. If there are few images, it computes one part for all of them and
some units, and the parts are added later. The bits are the same.
"""

import numpy as np
from numba import prange

from .. import table
from ..compiler.array_views import stack_panel, strided, view
from ..compiler.decorators import body, kernel
from ..compiler.simd import add, clear, lane_count, load, store
from ..table import LINE, LINEAR
from . import dense_pieces
from .activation_in_place import activate
from .contraction import contract
from .dense_pieces import ROW_BLOCKS
from .panel import pack

part_count, by_parts = body(dense_pieces.part_count), body(dense_pieces.by_parts)
group_count = body(dense_pieces.group_count)
piece_range, round_up_to_line = body(dense_pieces.piece_range), body(table.round_up_to_line)
images_of_block, columns_of_block = body(dense_pieces.images_of_block), body(dense_pieces.columns_of_block)


@body
def multiply_part(
    x,  # (N, D)
    weight,  # (D, K)
    part,  # of the inputs
    parts,  # their number
    n,  # the first image
    rows,  # images
    j,  # the first unit
    columns,  # units, at most PANEL_COLUMNS if a panel is copied
    packed,  # bool: copy the weights to a panel?
    init,  # (1, rows, columns), last stride 1
    out,  # (1, rows, columns), last stride 1, overwritten; may be init
):
    """Add a part of the sum to init, for some images and some units."""
    D, K = weight.shape
    d, stop = piece_range(D, parts, part, 1)
    panel = stack_panel(weight)
    images = strided(x, n * D + d, (1, 1, stop - d, rows), (0, 0, 1, D))
    weights = strided(weight, d * K + j, (1, 1, stop - d, columns), (0, 0, K, 1))
    if packed:
        width = pack(weight, d * K + j, stop - d, columns, K, panel)
        weights = strided(panel, 0, (1, 1, stop - d, columns), (0, 0, width, 1))
    contract(images, weights, init, weight.dtype.type(1), out)


@body
def linear_forward_block(
    x,  # (N, D)
    weight,  # (D, K)
    bias,  # (K,)
    activation,  # LINEAR, RELU, SIGMOID or TANH
    n,  # the first image
    rows,  # images; if there are more than ROW_BLOCKS[0], a panel of weights is copied
    j,  # the first unit
    columns,  # units, at most PANEL_COLUMNS if a panel is copied
    out,  # (N, K), this block overwritten
):
    """Compute some images from n on times some units from j on; see `linear_batch_forward`."""
    D, K = weight.shape
    block = strided(out, n * K + j, (1, rows, columns), (0, K, 1))
    init = strided(bias, j, (1, rows, columns), (0, 0, 1))
    parts = part_count(D)
    for part in range(parts):
        multiply_part(x, weight, part, parts, n, rows, j, columns, rows > ROW_BLOCKS[0], init, block)
        init = block
    if activation != LINEAR:
        for i in range(n, n + rows):
            activate(activation, view(out, i * K + j, (columns,)))


@body
def place_of_sums(
    part,  # of the inputs, from 1 on
    N,  # images
    K,  # units
):
    """Return where a part's sums begin in scratch: after zeros (K,) and the sums (N, K) of the parts before."""
    return round_up_to_line(K) + (part - 1) * round_up_to_line(N * K)


@body
def linear_forward_part(
    x,  # (N, D)
    weight,  # (D, K)
    bias,  # (K,)
    part,  # of the inputs
    parts,  # their number
    units,  # the first unit, and their end, exclusive
    scratch,  # see place_of_sums; zeros are there, a part's sums from the second part on are overwritten
    out,  # (N, K), by the first part overwritten with bias + its sum
):
    """Compute one part of the sum for all images; see `linear_batch_forward`."""
    N, K = out.shape
    j, stop = units
    shape = (1, N, stop - j)
    if part == 0:
        init, place = strided(bias, j, shape, (0, 0, 1)), strided(out, j, shape, (0, K, 1))
    else:
        start = place_of_sums(part, N, K) + j
        init, place = strided(scratch, j, shape, (0, 0, 1)), strided(scratch, start, shape, (0, K, 1))
    multiply_part(x, weight, part, parts, 0, N, j, stop - j, False, init, place)


@body
def add_parts(
    scratch,  # as in linear_forward_part
    parts,  # of the inputs
    activation,  # LINEAR, RELU, SIGMOID or TANH
    n,  # the image
    out,  # (N, K), row n: bias + the first part, overwritten
):
    """Add the other parts of an image's sums, in order, and apply the activation."""
    N, K = out.shape
    lanes = lane_count(out)
    for k in range(0, K, lanes):
        total = load(out, n * K + k, K - k)
        for part in range(1, parts):
            total = add(total, load(scratch, place_of_sums(part, N, K) + n * K + k, K - k))
        store(out, n * K + k, K - k, total)
    if activation != LINEAR:
        activate(activation, view(out, n * K, (K,)))


@kernel
def linear_batch_forward(
    x,  # (N, D) float32 or float64
    weight,  # (D, K)
    bias,  # (K,)
    activation,  # LINEAR, RELU, SIGMOID or TANH
    scratch,  # (dense_pieces.linear_scratch(N, D, K),) overwritten; or empty: no pieces of one part
    out,  # (N, K), overwritten
):
    """Multiply a batch by the weights: out[n,k] = f(bias[k] + sum_d x[n,d] * weight[d,k]), f being the activation.

    Parallel : over blocks of images times blocks of units, or parts of the inputs times groups of units and then over
               images; one thread owns a block of out, a part's sums, or an image.
    Work     : 2*N*D*K flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.linear_batch_forward; torch.nn.functional.linear with weight.T.
    Source   : Goodfellow, Bengio, Courville (2016), section 6.1.
    """
    N, K = out.shape
    D = weight.shape[0]
    parts = part_count(D)
    if scratch.size > 0 and by_parts(N, D, parts):
        groups = group_count(K, parts)
        clear(scratch, 0, K)
        for piece in prange(parts * groups):
            part, group = np.int64(piece) // groups, np.int64(piece) % groups
            linear_forward_part(x, weight, bias, part, parts, piece_range(K, groups, group, LINE), scratch, out)
        for n in prange(N):
            add_parts(scratch, parts, activation, np.int64(n), out)
    else:
        rows = images_of_block(N, K)
        columns = columns_of_block(N, K, rows)
        down, across = (N + rows - 1) // rows, (K + columns - 1) // columns
        for block in prange(down * across):
            n, j = block // across * rows, block % across * columns
            linear_forward_block(x, weight, bias, activation, n, min(rows, N - n), j, min(columns, K - j), out)
