"""Convolution backward where most elements are zero. Replaces the gradients of layers/convolution.py.

Only a window's winner has a gradient, at most a quarter of the map before the pool, and none where ReLU returned 0. A
gradient g of output channel o at (y, x) adds a patch of 3x3 pixels to both gradients, each pixel a vector of input
channels:

    grad_weight[o,i,j,c] += g * x[y+i, x+j, c]
    grad_x[y+i, x+j, c]  += g * weight[o,i,j,c]

Nine vectors that many gradients share stay in registers: a filter's, over its pixels, or a pixel's, over its filters.
"""

from ..compiler.array_views import strided, view
from ..compiler.decorators import body, force_inline
from ..compiler.simd import clear, filled, filled_from, lane_count, load, lowest, nonzero
from ..compiler.symbols import primitive
from ..compiler.tile import WIDE_ROWS
from ..table import NOTHING, SPARSE_BY_FILTER, SPARSE_BY_PIXEL
from .patches import add_patch, load_patch, scatter_patch, store_patch
from .vector_rows import transpose

_FLAGS = 64  # bits of one integer


@body
def to_filter_major(
    weight,  # (3, 3, C, OC)
    out,  # (OC, 3, 3, C), overwritten
):
    """Make the nine vectors of a filter adjacent: out[o,ky,kx,c] = weight[ky,kx,c,o]."""
    _, _, C, OC = weight.shape
    for k in range(9):
        transpose(view(weight, k * C * OC, (C, OC)), strided(out, k * C, (OC, C), (9 * C, 1)))


@body
def from_filter_major(
    grad,  # (OC, 3, 3, C)
    first,  # filter
    stop,  # end of the filters, exclusive
    out,  # (3, 3, C, OC), overwritten for these filters; strides as in conv2d_row
):
    """Undo `to_filter_major` for some filters."""
    C = grad.shape[3]
    some, step = stop - first, out.strides[1] // (C * out.itemsize)
    for k in range(9):
        transpose(
            strided(grad, (9 * first + k) * C, (some, C), (9 * C, 1)),
            strided(out, k * C * step + first, (C, some), (step, 1)),
        )


@force_inline
def _flags_of(
    gradients,  # any shape: those of a filter, or of a pixel, are `size` elements from `place` on
    place,
    size,  # elements
    start,  # the first of them to look at
):
    """Return an integer with bit n set where gradient start + n is not zero, for _FLAGS of them at most.

    They are visited by its bits: a branch for each would be mispredicted half the time.
    """
    lanes = lane_count(gradients)
    flags = 0
    for n in range(0, min(_FLAGS, size - start), lanes):
        flags |= nonzero(load(gradients, place + start + n, size - start - n)) << n
    return flags


@force_inline
def _filter_backward(
    x,  # (H+2, W+2, C)
    maps,  # any shape: the filter's gradients are `span` elements from `row` on
    row,  # offset in maps
    span,  # elements
    C,  # channels of x
    c,  # first input channel
    count,
    vectors,  # 1, or 2 if both are whole: they need 18 registers for sums
    weight,  # (OC, 9, C): the filter's begin at `place`
    place,
    scale,
    grad_weight,  # (OC, 9, C), added to
    both,  # bool: compute grad_x too
    grad_x,  # (H+2, W+2, C), added to
):
    """Add one filter's contribution to both gradients, for up to a vector of input channels, or for two."""
    width = x.shape[1]
    lanes = lane_count(x)
    nothing = filled(0, load(x, 0, 0))
    sums = (nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing)
    more = sums  # of the second vector
    weights = load_patch(weight, place + c, 3 * C, C, count)
    for start in range(0, span, _FLAGS):
        flags = _flags_of(maps, row, span, start)
        while flags != 0:
            p = start + lowest(flags)
            flags &= flags - 1
            g = filled_from(maps, row + p)
            sums = add_patch(g, x, p * C + c, width * C, C, count, sums)
            if vectors == 2:
                more = add_patch(g, x, p * C + c + lanes, width * C, C, lanes, more)
            if both:
                scatter_patch(g, weights, grad_x, p * C + c, width * C, C, count)
    store_patch(sums, filled(scale, nothing), grad_weight, place + c, 3 * C, C, count)
    if vectors == 2:
        store_patch(more, filled(scale, nothing), grad_weight, place + c + lanes, 3 * C, C, lanes)


@force_inline
def _pixel_backward_input(
    grad_map,  # (H+2, W+2, OC): the pixel's gradients are `filters` elements, at most _FLAGS, from `place` on
    place,
    filters,  # at most _FLAGS
    weight,  # (OC, 9, C)
    first,  # filter
    C,  # channels of grad_x
    c,  # first input channel
    count,
    vectors,  # as in _filter_backward
    grad_x,  # (H+2, W+2, C), added to from `target` on
    target,  # offset in grad_x
):
    """Add the contribution of some filters at one pixel to grad_x, for up to a vector of input channels, or for two."""
    lanes = lane_count(grad_x)
    nothing = filled(0, load(grad_x, 0, 0))
    flags = _flags_of(grad_map, place, filters, 0)
    if flags != 0:
        sums = (nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing)
        more = sums  # of the second vector
        while flags != 0:
            o = lowest(flags)
            flags &= flags - 1
            g = filled_from(grad_map, place + o)
            sums = add_patch(g, weight, (first + o) * 9 * C + c, 3 * C, C, count, sums)
            if vectors == 2:
                more = add_patch(g, weight, (first + o) * 9 * C + c + lanes, 3 * C, C, lanes, more)
        store_patch(sums, filled(1, nothing), grad_x, target + c, grad_x.shape[1] * C, C, count)
        if vectors == 2:
            store_patch(more, filled(1, nothing), grad_x, target + c + lanes, grad_x.shape[1] * C, C, lanes)


@force_inline
def _backward_input_by_pixel(
    grad_map,  # (H+2, W+2, OC)
    weight,  # (OC, 9, C)
    first,  # filter
    stop,
    C,  # channels of grad_x
    c,  # first input channel
    count,
    vectors,  # as in _filter_backward
    grad_x,  # (H+2, W+2, C), added to
):
    """Add the contribution of some filters to grad_x, for up to a vector of input channels, or for two."""
    height, width, OC = grad_map.shape
    for y in range(height - 2):
        for x in range(width - 2):
            for o in range(first, stop, _FLAGS):
                place = ((y + 1) * width + x + 1) * OC + o
                some, target = min(_FLAGS, stop - o), (y * width + x) * C
                _pixel_backward_input(grad_map, place, some, weight, o, C, c, count, vectors, grad_x, target)


@primitive("3 3 1 4 int int int number 4 3")
def sparse_backward(
    x,  # (H+2, W+2, C)
    grad_map,  # (H+2, W+2, OC), zero border
    map_by_channel,  # (OC*(H+2)*(W+2),) scratch, overwritten: the map channel by channel
    weight,  # (OC, 3, 3, C), from to_filter_major
    first,  # filter
    stop,  # end of the filters, exclusive
    input_gradient_by,  # NOTHING, SPARSE_BY_PIXEL or SPARSE_BY_FILTER: the last two give the same but for rounding
    scale,
    grad_weight,  # (OC, 3, 3, C), added to; may be `weight` itself
    grad_x,  # (H+2, W+2, C), overwritten unless NOTHING; the border holds what falls outside the image
):
    """Compute the contribution of some filters to both gradients of one image, or to the weights' alone.

    grad_x[y+i,x+j,c] = sum of g[y,x,o] * weight[o,i,j,c] over (y, x, o)
    grad_weight[o,i,j,c] += scale * sum over (y, x) of g[y,x,o] * x[y+i,x+j,c]

    Pixels are counted through the borders of both: the patch of x for pixel p of the map begins at pixel p of x, if p
    is counted from the map's first one inside.

    Before a pool both are computed filter after filter, 2.5 us for half of the CNN's second block instead of 3.9 us.
    Where a filter has more gradients, their patches overlap and wait for each other: grad_x pixel by pixel is faster,
    3.7 us for half of the third block instead of 5.2 us.

    Parallel : no; callers share out the filters.
    Work     : 36*C flop for each gradient that is not 0.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.sparse_backward; torch.nn.grad.conv2d_input, conv2d_weight.
    Source   : Goodfellow, Bengio, Courville (2016), section 9.5, without what is zero.
    """
    height, width, OC = grad_map.shape
    C = x.shape[2]
    # As arrays of one type, for which helpers are compiled once.
    x, grad_x = view(x, 0, x.shape), view(grad_x, 0, grad_x.shape)
    weight, grad_weight = view(weight, 0, (OC, 9, C)), view(grad_weight, 0, (OC, 9, C))
    grad_map, maps = view(grad_map, 0, (height, width, OC)), view(map_by_channel, 0, (1, 1, map_by_channel.size))
    lanes = lane_count(x)
    inside = width + 1
    span = (height - 2) * width - 2
    length = min((span + lanes - 1) // lanes * lanes, height * width - inside)  # whole vectors are transposed faster
    pixels = strided(grad_map, inside * OC + first, (length, stop - first), (OC, 1))
    transpose(pixels, view(map_by_channel, first * length, (stop - first, length)))
    if input_gradient_by != NOTHING:
        clear(grad_x, 0, grad_x.size)
    # Where C is written as a number, LLVM writes the distances into the instructions, which are a fifth fewer.
    if input_gradient_by == SPARSE_BY_PIXEL:
        c = 0
        while c < C:
            vectors = 1
            if WIDE_ROWS > 0 and C - c >= 2 * lanes:  # a step of one image of the CNN takes 0.97 of the time
                vectors = 2
                _backward_input_by_pixel(grad_map, weight, first, stop, C, c, lanes, 2, grad_x)
            elif WIDE_ROWS == 0 and C == 32:  # the CNN's third block; in two vectors it is as fast without
                _backward_input_by_pixel(grad_map, weight, first, stop, 32, c, lanes, 1, grad_x)
            elif C - c >= lanes:
                _backward_input_by_pixel(grad_map, weight, first, stop, C, c, lanes, 1, grad_x)
            else:
                _backward_input_by_pixel(grad_map, weight, first, stop, C, c, C - c, 1, grad_x)
            c += vectors * lanes
    both = input_gradient_by == SPARSE_BY_FILTER
    for o in range(first, stop):
        row, place = o * length, o * 9 * C
        c = 0
        while c < C:
            vectors = 1
            if WIDE_ROWS > 0 and not both and C - c >= 2 * lanes:  # the CNN's third block is 1.2 times as fast
                vectors = 2
                _filter_backward(x, maps, row, span, C, c, lanes, 2, weight, place, scale, grad_weight, False, grad_x)
            elif both and C == 16:  # its second block
                _filter_backward(x, maps, row, span, 16, c, lanes, 1, weight, place, scale, grad_weight, True, grad_x)
            elif both and C - c >= lanes:
                _filter_backward(x, maps, row, span, C, c, lanes, 1, weight, place, scale, grad_weight, True, grad_x)
            elif WIDE_ROWS == 0 and C == 32:
                _filter_backward(x, maps, row, span, 32, c, lanes, 1, weight, place, scale, grad_weight, False, grad_x)
            elif C - c >= lanes:
                _filter_backward(x, maps, row, span, C, c, lanes, 1, weight, place, scale, grad_weight, False, grad_x)
            else:
                _filter_backward(x, maps, row, span, C, c, C - c, 1, weight, place, scale, grad_weight, both, grad_x)
            c += vectors * lanes
