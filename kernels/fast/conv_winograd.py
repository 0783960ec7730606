"""Convolution 3x3 with a quarter of the multiplications, for many images: Winograd's F(4x4, 3x3).

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

from ..compiler.array_views import strided, view
from ..compiler.decorators import body, inlined
from ..compiler.simd import add, choose, filled, fma, greater, lane_count, load, nonzero, store
from ..compiler.symbols import primitive
from ..table import GAP, LINE, PRODUCTS, REACH, TILE, tiles_across, whole_lines
from .contraction import contract

across = body(tiles_across)
lines_of = body(whole_lines)


@inlined
def _inputs(x0, x1, x2, x3, x4, x5):
    """Return B x."""
    minus, less_two, less_four = filled(-1, x0), filled(-2, x0), filled(-4, x0)
    far, near = fma(less_four, x2, x4), fma(less_four, x1, x3)
    even, odd = fma(minus, x2, x4), fma(minus, x1, x3)
    first = fma(filled(4, x0), x0, fma(filled(-5, x0), x2, x4))
    last = fma(filled(4, x0), x1, fma(filled(-5, x0), x3, x5))
    return first, add(far, near), fma(minus, near, far), fma(filled(2, x0), odd, even), fma(less_two, odd, even), last


@inlined
def _weights(w0, w1, w2):
    """Return G w."""
    sixth, quarter = filled(1 / 6, w0), filled(1 / 4, w0)
    zero, half = filled(0, w0), filled(1 / 2, w0)
    outer = fma(filled(-1, w0), add(w0, w2), zero)  # -(w0 + w2)
    steep = fma(filled(1 / 24, w0), w0, fma(sixth, w2, zero))
    middle = fma(sixth, w1, zero)
    return (
        fma(quarter, w0, zero),
        fma(sixth, outer, fma(filled(-1, w0), middle, zero)),
        fma(sixth, outer, middle),
        fma(half, middle, steep),
        fma(filled(-1 / 2, w0), middle, steep),
        w2,
    )


@inlined
def _outputs(m0, m1, m2, m3, m4, m5):
    """Return A m."""
    minus = filled(-1, m0)
    small, small_difference = add(m1, m2), fma(minus, m2, m1)
    large, large_difference = add(m3, m4), fma(minus, m4, m3)
    return (
        add(add(m0, small), large),
        fma(filled(2, m0), large_difference, small_difference),
        fma(filled(4, m0), large, small),
        add(fma(filled(8, m0), large_difference, small_difference), m5),
    )


@inlined
def _load_six(array, place, step):
    """Return six whole vectors of an array, `step` apart."""
    lanes = lane_count(array)
    return (
        load(array, place, lanes),
        load(array, place + step, lanes),
        load(array, place + 2 * step, lanes),
        load(array, place + 3 * step, lanes),
        load(array, place + 4 * step, lanes),
        load(array, place + 5 * step, lanes),
    )


@primitive("4 2")
def transform_weight(
    weight,  # (3, 3, C, OC)
    out,  # (36, C*OC + GAP), overwritten but for the gap
):
    """Bring filters to what tiles are multiplied by.

    out[6*i+j, c*OC+o] = sum_{k,l < 3} G[i,k] * weight[k,l,c,o] * G[j,l]

    Parallel : no.
    Work     : some 90*C*OC flop, once for all images.
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
            column = _weights(load(weight, top, count), load(weight, middle, count), load(weight, bottom, count))
            for i, value in enumerate(column):
                store(out, (REACH * i + j) * plane + n, count, value)
        for i in range(REACH):
            left = REACH * i * plane + n
            row = _weights(load(out, left, count), load(out, left + plane, count), load(out, left + 2 * plane, count))
            for j, value in enumerate(row):
                store(out, left + j * plane, count, value)


# The loops over an image's tiles are functions of their own: as one with `conv2d_tiles`, LLVM runs out of registers for
# their addresses, and they take twice as long.


@body
def _find_blank(x, flags, out):
    """Write to out (H, >= W) for each output of an image: 0 if all its inputs are zero, else 1; flags are scratch."""
    height, width, C = x.shape
    H, wide = out.shape
    lanes = lane_count(x)
    nothing = filled(0, load(x, 0, 0))
    for p in range(height * width):
        bits = 0
        for c in range(0, C - lanes + 1, lanes):
            bits |= nonzero(load(x, p * C + c, lanes))
        if C % lanes:
            bits |= nonzero(load(x, p * C + C - C % lanes, C % lanes))
        flags[p] = bits != 0
    for y in range(H):
        for w in range(0, width - 2, lanes):
            seen = nothing
            for i in range(3):
                row = (y + i) * width + w
                for j in range(3):
                    seen = add(seen, load(flags, row + j, lanes))
            store(out, y * wide + w, lanes, choose(greater(seen, nothing), filled(1, nothing), nothing))


@inlined
def _transform_band(x, y, c, band, inputs, place, plane):
    """Write B x B^T for the row of tiles from row y on, and up to a vector of channels from c on.

    First down the columns of all the tiles, then along the rows of each. Beyond the border there are zeros.
    """
    height, width, C = x.shape
    lanes = lane_count(x)
    count = C - c
    tiles = across(width - 2)
    long = (TILE * tiles + 2) * lanes  # a row of the band
    size = width * C
    for w in range(TILE * tiles + 2):
        here = (y * width + w) * C + c
        inside = count if w < width else 0
        column = _inputs(
            load(x, here, inside),
            load(x, here + size, inside),
            load(x, here + 2 * size, inside),
            load(x, here + 3 * size, inside if y + 3 < height else 0),
            load(x, here + 4 * size, inside if y + 4 < height else 0),
            load(x, here + 5 * size, inside if y + 5 < height else 0),
        )
        for i, value in enumerate(column):
            store(band, i * long + w * lanes, lanes, value)
    for t in range(tiles):
        for i in range(REACH):
            start = i * long + t * TILE * lanes
            for j, value in enumerate(_inputs(*_load_six(band, start, lanes))):
                store(inputs, place + t * lines_of(C) + (REACH * i + j) * plane, lanes, value)


@body
def _transform_inputs(x, band, inputs, place, plane):
    """Write B x B^T for the tiles of an image: those of the n-th place in its B x B^T into plane n from `place` on."""
    height, width, C = x.shape
    for y in range(0, height - 2, TILE):
        for c in range(0, C, lane_count(x)):
            _transform_band(x, y, c, band, inputs, place + c, plane)
        place += across(width - 2) * lines_of(C)


@inlined
def _transform_tile(products, place, plane, tile, bias, seen, y, w, o, W, out, at, row):
    """Write A m A^T + bias for a tile whose first output is (y, w), and up to a vector of filters from o on."""
    BH, BW, OC = bias.shape
    lanes = lane_count(out)
    for j in range(REACH):
        column = _outputs(*_load_six(products, place + j * plane, REACH * plane))
        for i, value in enumerate(column):
            store(tile, (REACH * i + j) * lanes, lanes, value)
    for i in range(min(TILE, seen.shape[0] - y)):
        start = ((y + i if BH > 1 else 0) * BW + (w if BW > 1 else 0)) * OC + o
        for j, value in enumerate(_outputs(*_load_six(tile, REACH * i * lanes, lanes))):
            if w + j < W:
                init = load(bias, start + (j * OC if BW > 1 else 0), OC - o)
                total = fma(filled(seen[y + i, w + j], value), value, init)
                store(out, at + (y + i) * row + (w + j) * OC + o, OC - o, total)


@body
def _transform_products(products, place, plane, tile, bias, seen, W, out, at, row):
    """Write A m A^T + bias for the tiles of an image, m being their products from `place` on in each plane."""
    OC = bias.shape[2]
    for y in range(0, seen.shape[0], TILE):
        for w in range(0, W, TILE):
            for o in range(0, OC, lane_count(out)):
                _transform_tile(products, place + o, plane, tile, bias, seen, y, w, o, W, out, at, row)
            place += lines_of(OC)


@primitive("4 2 3 1 1 1 int int int")
def conv2d_tiles(
    x,  # (N, H+2, W+2, C), zero border
    transformed,  # (36, C*OC + GAP), from transform_weight
    bias,  # (H, W, OC) or (1, 1, OC)
    zeros,  # (>= OC,) zeros
    scratch,  # (layers.tile_scratch(N, H, W, C, OC),) overwritten
    out,  # (.,), holds N maps (H, W, OC)
    place,  # of the first map
    row,  # elements from one row of a map to the next
    image,  # elements from one map to the next
):
    """Convolve some images: out[n,y,x,o] = bias[y,x,o] + sum_{i,j < 3, c} x[n, y+i, x+j, c] * weight[i,j,c,o].

    An image's result does not depend on the others.

    Parallel : no; callers cut the batch.
    Work     : 72*C*OC flop a tile, some 6 for each of its 36*C inputs and 36*OC products.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.conv2d_tiles; torch.nn.functional.conv2d with padding=1.
    Source   : Lavin, Gray (2016), "Fast algorithms for convolutional neural networks", section 4.3.
    """
    N, height, width, C = x.shape
    OC = bias.shape[2]
    H, W = height - 2, width - 2
    each = across(H) * across(W)
    tiles = N * each
    plane_in, plane_out = tiles * lines_of(C) + GAP, tiles * lines_of(OC) + GAP
    inputs = view(scratch, 0, (PRODUCTS * plane_in,))
    products = view(scratch, inputs.size, (PRODUCTS * plane_out,))
    seen = view(scratch, inputs.size + products.size, (N, H, lines_of(W)))
    rest = inputs.size + products.size + seen.size
    flags = view(scratch, rest, (lines_of(height * width) + LINE,))
    band = view(scratch, rest + flags.size, (REACH * (TILE * across(W) + 2) * LINE,))

    for n in range(N):
        one = view(x, n * height * width * C, (height, width, C))
        _find_blank(one, flags, seen[n])
        _transform_inputs(one, band, inputs, n * each * lines_of(C), plane_in)
    contract(
        strided(inputs, 0, (PRODUCTS, 1, C, tiles), (plane_in, 0, 1, lines_of(C))),
        strided(transformed, 0, (PRODUCTS, 1, C, OC), (transformed.shape[1], 0, OC, 1)),
        strided(zeros, 0, (PRODUCTS, tiles, OC), (0, 0, 1)),
        x.dtype.type(1),
        strided(products, 0, (PRODUCTS, tiles, OC), (plane_out, lines_of(OC), 1)),
    )
    for n in range(N):
        here = n * each * lines_of(OC)
        _transform_products(products, here, plane_out, band, bias, seen[n], W, out, place + n * image, row)
