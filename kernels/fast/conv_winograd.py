"""Convolution 3x3 with a quarter of the multiplications: Winograd's F(4x4, 3x3). Replaces layers/convolution.py.

Chosen over batches, for layers with tiles and channels enough.

Four outputs of a filter of three weights are twelve products of six inputs. They are also six products, of sums of the
inputs with sums of the weights, and sums of those:

    out = A ((G w) * (B x))

        [4  0 -5  0  1  0]       [ 1/4    0    0 ]
        [0 -4 -4  1  1  0]       [-1/6 -1/6 -1/6 ]       [1  1  1  1  1  0]
    B = [0  4 -4 -1  1  0]   G = [-1/6  1/6 -1/6 ]   A = [0  1 -1  2 -2  0]
        [0 -2 -1  2  1  0]       [1/24 1/12  1/6 ]       [0  1  1  4  4  0]
        [0  2 -1 -2  1  0]       [1/24 -1/12 1/6 ]       [0  1 -1  8 -8  1]
        [0  4  0 -5  0  1]       [  0    0    1  ]

Along rows and columns both, a tile of 4x4 outputs takes 36 products instead of 144. The sum over channels comes before
A, so that each of the 36 is a matrix product, of tiles by channels with channels by filters: `contract`. The factors up
to 8 cost three bits of precision. Where all inputs of an output are zero it is exactly the bias, as it should be: ReLU
would let the gradient through where rounding left 1e-9.
"""

from .. import table
from ..compiler.array_views import strided, view
from ..compiler.decorators import body, force_inline
from ..compiler.simd import choose, filled, filled_from, fma, lane_count, lanes_of, load, nonzero, store
from ..compiler.symbols import primitive
from ..table import GAP, INPUT_TILE, LINE, OUTPUT_TILE, TILE_PRODUCTS
from .contraction import contract
from .winograd_matrices import load_six, times_a, times_b, times_g

tiles_across = body(table.tiles_across)
round_up_to_line = body(table.round_up_to_line)


@primitive("4 2")
def transform_weight(
    weight,  # (3, 3, C, OC)
    out,  # (36, C*OC + GAP), overwritten but for the gap
):
    """Transform filters for the products with tiles.

    out[6*i+j, c*OC+o] = sum_{k,l < 3} G[i,k] * weight[k,l,c,o] * G[j,l]

    Parallel : no.
    Work     : about 90*C*OC flop, once for all images.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.transform_weight.
    Source   : Lavin, Gray (2016), "Fast algorithms for convolutional neural networks", section 4.3.
    """
    size = weight.shape[2] * weight.shape[3]
    plane = out.shape[1]
    lanes = lane_count(weight)
    for n in range(0, size, lanes):
        count = size - n
        for j in range(3):  # down the columns, into the first three of the six places of a row of `out`
            top, middle, bottom = j * size + n, (3 + j) * size + n, (6 + j) * size + n
            column = times_g(load(weight, top, count), load(weight, middle, count), load(weight, bottom, count))
            for i, value in enumerate(column):
                store(out, (INPUT_TILE * i + j) * plane + n, count, value)
        for i in range(INPUT_TILE):
            left = INPUT_TILE * i * plane + n
            row = times_g(load(out, left, count), load(out, left + plane, count), load(out, left + 2 * plane, count))
            for j, value in enumerate(row):
                store(out, left + j * plane, count, value)


# The loops over an image's tiles are separate functions: inside `conv2d_winograd`, LLVM runs out of registers for their
# addresses, and they take twice as long.


@body
def _find_blank(
    x,  # (H+2, W+2, C)
    out,  # (H, >= W), overwritten
):
    """Write for each output of an image: 0 if all its inputs are zero, else 1."""
    height, width, C = x.shape
    wide = out.shape[1]
    lanes = lane_count(x)
    zero = filled(0, load(x, 0, 0))
    one = filled(1, zero)
    for w in range(0, width - 2, lanes):
        above = middle = 0  # a bit for each pixel of a row that is not zero
        for y in range(height):
            here = 0
            for c in range(0, C, lanes):
                place = (y * width + w) * C + c
                for n in range(min(lanes + 2, width - w)):
                    here |= (nonzero(load(x, place + n * C, C - c)) != 0) << n
            seen = above | middle | here
            if y > 1:
                store(out, (y - 2) * wide + w, lanes, choose(lanes_of(seen | seen >> 1 | seen >> 2, zero), one, zero))
            above, middle = middle, here


@force_inline
def _transform_band(
    times,  # times_b, or times_a_transposed
    x,  # (H+2, W+2, C)
    top,  # the tiles' first row in x
    left,  # their first column
    reach,  # rows and columns of x that a tile reaches over: 6, or 4
    c,  # first channel
    band,  # (6, 4*tiles + reach - 4, a vector) scratch, overwritten
    out,  # (36*plane,), overwritten: the first tile's element is at `place` of each plane
    place,
    plane,  # elements from one plane to the next
):
    """Write the transform of a row of tiles and up to a vector of channels.

    First down the columns of all the tiles, then along the rows of each. Outside the border there are zeros.
    """
    height, width, C = x.shape
    lanes = lane_count(x)
    tiles = tiles_across(width - 2)
    columns = OUTPUT_TILE * (tiles - 1) + reach
    size = width * C
    for w in range(columns):
        here = (top * width + left + w) * C + c
        inside = C - c if left + w < width else 0
        column = times(
            load(x, here, inside),
            load(x, here + size, inside),
            load(x, here + 2 * size, inside if top + 2 < height else 0),
            load(x, here + 3 * size, inside if top + 3 < height else 0),
            load(x, here + 4 * size, inside if top + 4 < height else 0),
            load(x, here + 5 * size, inside if top + 5 < height else 0),
        )
        for i, value in enumerate(column):
            store(band, (i * columns + w) * lanes, lanes, value)
    for t in range(tiles):
        for i in range(INPUT_TILE):
            start = (i * columns + t * OUTPUT_TILE) * lanes
            for j, value in enumerate(times(*load_six(band, start, lanes, lanes))):
                store(out, place + t * round_up_to_line(C) + (INPUT_TILE * i + j) * plane, lanes, value)


@force_inline
def transform_tiles(
    times,  # as in _transform_band
    border,  # rows and columns of x before the first tile
    reach,  # as in _transform_band
    x,  # (H+2, W+2, C), zero border
    band,  # as in _transform_band
    out,  # as in _transform_band
    place,
    plane,  # as in _transform_band
):
    """Write the transform of an image's tiles: the n-th element of each tile into plane n, from `place` on.

    B x B^T of tiles that overlap by two, or of a gradient without its border A^T x A of tiles that do not overlap.
    """
    height, width, C = x.shape
    for y in range(0, height - 2, OUTPUT_TILE):
        for c in range(0, C, lane_count(x)):
            _transform_band(times, x, border + y, border, reach, c, band, out, place + c, plane)
        place += tiles_across(width - 2) * round_up_to_line(C)


@body
def transform_inputs(
    x,  # (H+2, W+2, C)
    band,  # (6, 4*tiles + 2, a vector) scratch, overwritten
    inputs,  # (36*plane,), overwritten
    place,
    plane,  # elements from one plane to the next
):
    """Write B x B^T for the tiles of an image; see `transform_tiles`."""
    transform_tiles(times_b, 0, INPUT_TILE, x, band, inputs, place, plane)


@force_inline
def _transform_tile(
    products,  # (36*plane,): the tile's is at `place` of each plane
    place,
    plane,  # elements from one plane to the next
    tile,  # (6, 4, a vector) scratch, overwritten
    bias,  # (H, W, OC) or (1, 1, OC)
    seen,  # (H, >= W), from _find_blank
    y,  # first output row
    w,  # first output column
    o,  # first filter
    count,
    W,  # columns of the map
    out,  # (.,), overwritten: the map begins at `at`
    at,  # offset in out
    row,  # elements from one row of the map to the next
):
    """Write A m A^T + bias for a tile and up to a vector of filters."""
    BH, BW, OC = bias.shape
    H, wide = seen.shape
    lanes = lane_count(out)
    for j in range(INPUT_TILE):
        column = times_a(*load_six(products, place + j * plane, INPUT_TILE * plane, lanes))
        for i, value in enumerate(column):
            store(tile, (INPUT_TILE * i + j) * lanes, lanes, value)
    last = W - 1 - w  # what is beyond the map is written there, before what belongs there: no store needs a test
    step = OC if BW > 1 else 0
    for i in range(min(OUTPUT_TILE, H - y)):
        start = (y + i if BH > 1 else 0) * BW * OC + w * step + o
        place, first = at + (y + i) * row + w * OC + o, (y + i) * wide + w
        v0, v1, v2, v3 = times_a(*load_six(tile, INPUT_TILE * i * lanes, lanes, lanes))
        for n, value in enumerate((v3, v2, v1, v0)):
            j = min(OUTPUT_TILE - 1 - n, last)
            total = fma(filled_from(seen, first + j), value, load(bias, start + j * step, count))
            store(out, place + j * OC, count, total)


@body
def _transform_products(
    products,  # as in _transform_tile
    place,
    plane,  # as in _transform_tile
    tile,  # as in _transform_tile
    bias,  # as in _transform_tile
    seen,  # as in _transform_tile
    W,  # as in _transform_tile
    out,  # as in _transform_tile
    at,  # as in _transform_tile
    row,  # as in _transform_tile
):
    """Write A m A^T + bias for the tiles of an image, where m are their products, from `place` on in each plane."""
    OC = bias.shape[2]
    lanes = lane_count(out)
    for y in range(0, seen.shape[0], OUTPUT_TILE):
        for w in range(0, W, OUTPUT_TILE):
            for o in range(0, OC, lanes):
                if OC - o >= lanes:  # asked once: LLVM omits it at each load and store
                    _transform_tile(products, place + o, plane, tile, bias, seen, y, w, o, lanes, W, out, at, row)
                else:
                    _transform_tile(products, place + o, plane, tile, bias, seen, y, w, o, OC - o, W, out, at, row)
            place += round_up_to_line(OC)


@primitive("4 2 3 1 1 1 int int int")
def conv2d_winograd(
    x,  # (N, H+2, W+2, C), zero border
    transformed,  # (36, C*OC + GAP), from transform_weight
    bias,  # (H, W, OC) or (1, 1, OC)
    zeros,  # (>= OC,) zeros
    scratch,  # (table.tile_scratch(N, H, W, C, OC),) overwritten
    out,  # (.,), holds N maps (H, W, OC)
    place,  # of the first map
    row,  # elements from one row of a map to the next
    image,  # elements from one map to the next
):
    """Convolve some images: out[n,y,x,o] = bias[y,x,o] + sum_{i,j < 3, c} x[n, y+i, x+j, c] * weight[i,j,c,o].

    An image's result does not depend on the others.

    Parallel : no; callers cut the batch.
    Work     : 72*C*OC flop a tile, about 6 for each of its 36*C inputs and 36*OC products.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.conv2d_winograd; torch.nn.functional.conv2d with padding=1.
    Source   : Lavin, Gray (2016), "Fast algorithms for convolutional neural networks", section 4.3.
    """
    N, height, width, C = x.shape
    OC = bias.shape[2]
    H, W = height - 2, width - 2
    each = tiles_across(H) * tiles_across(W)
    tiles = N * each
    plane_in, plane_out = tiles * round_up_to_line(C) + GAP, tiles * round_up_to_line(OC) + GAP
    inputs = view(scratch, 0, (TILE_PRODUCTS * plane_in,))
    products = view(scratch, inputs.size, (TILE_PRODUCTS * plane_out,))
    seen = view(scratch, inputs.size + products.size, (N, H, round_up_to_line(W)))
    rest = inputs.size + products.size + seen.size
    band = view(scratch, rest, (INPUT_TILE * (OUTPUT_TILE * tiles_across(W) + 2) * LINE,))

    for n in range(N):
        one = view(x, n * height * width * C, (height, width, C))
        _find_blank(one, seen[n])
        transform_inputs(one, band, inputs, n * each * round_up_to_line(C), plane_in)
    contract(
        strided(inputs, 0, (TILE_PRODUCTS, 1, C, tiles), (plane_in, 0, 1, round_up_to_line(C))),
        strided(transformed, 0, (TILE_PRODUCTS, 1, C, OC), (transformed.shape[1], 0, OC, 1)),
        strided(zeros, 0, (TILE_PRODUCTS, tiles, OC), (0, 0, 1)),
        x.dtype.type(1),
        strided(products, 0, (TILE_PRODUCTS, tiles, OC), (plane_out, round_up_to_line(OC), 1)),
    )
    for n in range(N):
        here = n * each * round_up_to_line(OC)
        _transform_products(products, here, plane_out, band, bias, seen[n], W, out, place + n * image, row)
