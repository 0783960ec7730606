"""Convolution backward where many numbers are zero: behind a max-pool or ReLU, and from an input of few pixels.

Only a window's winner has a gradient, a quarter of the map before the pool at the most, and none where ReLU gave 0. A
gradient g of output channel o at (y, x) adds a patch of 3x3 pixels to both gradients, each pixel a vector of input
channels:

    grad_weight[o,i,j,c] += g * x[y+i, x+j, c]
    grad_x[y+i, x+j, c]  += g * weight[o,i,j,c]

Nine vectors that many gradients share stay in registers: a filter's, over its pixels, or a pixel's, over its filters.

With few input channels those vectors would be short. Then an input pixel v at (y, x) adds v times a patch of the
output's gradient to the nine places of its filters; a pixel that is zero, as most around a digit are, adds nothing.
"""

from ..compiler.array_views import strided, view
from ..compiler.decorators import body, inlined
from ..compiler.simd import clear, filled, fma, lane_count, load, lowest, nonzero, store
from ..compiler.symbols import primitive
from ..table import NOTHING, SPARSE_BY_FILTER, SPARSE_BY_PIXEL
from .vector_rows import transpose

_FLAGS = 64  # yes or no, in one integer


@body
def channels_first(
    weight,  # (3, 3, C, OC)
    out,  # (OC, 3, 3, C), overwritten
):
    """Bring the nine vectors of a filter together: out[o,ky,kx,c] = weight[ky,kx,c,o]."""
    _, _, C, OC = weight.shape
    for k in range(9):
        transpose(view(weight, k * C * OC, (C, OC)), strided(out, k * C, (OC, C), (9 * C, 1)))


@body
def channels_last(
    grad,  # (OC, 3, 3, C)
    first,  # filter, of those asked for
    stop,  # the filter behind the last
    out,  # (3, 3, C, OC), overwritten
):
    """Undo `channels_first` for some filters."""
    OC, _, _, C = grad.shape
    some = stop - first
    for k in range(9):
        transpose(
            strided(grad, (9 * first + k) * C, (some, C), (9 * C, 1)),
            strided(out, k * C * OC + first, (C, some), (OC, 1)),
        )


@inlined
def _add_patch(factor, array, place, row, step, count, sums):
    """Add factor times the patch of 3x3 vectors at array.flat[place] to nine sums."""
    s0, s1, s2, s3, s4, s5, s6, s7, s8 = sums
    s0 = fma(factor, load(array, place, count), s0)
    s1 = fma(factor, load(array, place + step, count), s1)
    s2 = fma(factor, load(array, place + 2 * step, count), s2)
    place += row
    s3 = fma(factor, load(array, place, count), s3)
    s4 = fma(factor, load(array, place + step, count), s4)
    s5 = fma(factor, load(array, place + 2 * step, count), s5)
    place += row
    s6 = fma(factor, load(array, place, count), s6)
    s7 = fma(factor, load(array, place + step, count), s7)
    s8 = fma(factor, load(array, place + 2 * step, count), s8)
    return s0, s1, s2, s3, s4, s5, s6, s7, s8


@inlined
def _load_patch(array, place, row, step, count):
    """Return the patch of 3x3 vectors at array.flat[place]."""
    w0, w1, w2 = load(array, place, count), load(array, place + step, count), load(array, place + 2 * step, count)
    place += row
    w3, w4, w5 = load(array, place, count), load(array, place + step, count), load(array, place + 2 * step, count)
    place += row
    w6, w7, w8 = load(array, place, count), load(array, place + step, count), load(array, place + 2 * step, count)
    return w0, w1, w2, w3, w4, w5, w6, w7, w8


@inlined
def _store_patch(sums, scale, array, place, row, step, count):
    """Add scale times nine sums to the patch at array.flat[place]."""
    for k, total in enumerate(sums):
        here = place + k // 3 * row + k % 3 * step
        store(array, here, count, fma(scale, total, load(array, here, count)))


@inlined
def _scatter_patch(factor, weights, array, place, row, step, count):
    """Add factor times nine vectors to the patch at array.flat[place]."""
    for k, weight in enumerate(weights):
        here = place + k // 3 * row + k % 3 * step
        store(array, here, count, fma(factor, weight, load(array, here, count)))


@inlined
def _one_filter(x, turned, row, span, c, count, weight, place, scale, grad_weight, both, grad_x):
    """What one filter's row of `turned` gives to its weights, and if `both` to grad_x, for up to a vector from c on.

    The bits of `flags` are the pixels with a gradient: a branch for each would be guessed wrong half the time.
    """
    _, width, C = x.shape
    lanes = lane_count(x)
    nothing = filled(0, load(x, 0, 0))
    sums = (nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing)
    weights = _load_patch(weight, place + c, 3 * C, C, count)
    for start in range(0, span, _FLAGS):
        flags = 0
        for p in range(0, min(_FLAGS, span - start), lanes):
            flags |= nonzero(load(turned, row + start + p, span - start - p)) << p
        while flags != 0:
            p = start + lowest(flags)
            flags &= flags - 1
            g = filled(view(turned, row + p, (1,))[0], nothing)
            sums = _add_patch(g, x, p * C + c, width * C, C, count, sums)
            if both:
                _scatter_patch(g, weights, grad_x, p * C + c, width * C, C, count)
    _store_patch(sums, filled(scale, nothing), grad_weight, place + c, 3 * C, C, count)


@inlined
def _one_pixel(grad_map, place, filters, weight, first, c, count, grad_x, target):
    """Add what up to _FLAGS filters at one pixel give to grad_x, for up to a vector of input channels from c on."""
    C = grad_x.shape[2]
    lanes = lane_count(grad_x)
    nothing = filled(0, load(grad_x, 0, 0))
    flags = 0
    for o in range(0, filters, lanes):
        flags |= nonzero(load(grad_map, place + o, filters - o)) << o
    if flags != 0:
        sums = (nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing)
        while flags != 0:
            o = lowest(flags)
            flags &= flags - 1
            g = filled(view(grad_map, place + o, (1,))[0], nothing)
            sums = _add_patch(g, weight, (first + o) * 9 * C + c, 3 * C, C, count, sums)
        _store_patch(sums, filled(1, nothing), grad_x, target + c, grad_x.shape[1] * C, C, count)


@inlined
def _pixel_after_pixel(grad_map, weight, first, stop, c, count, grad_x):
    """Add what some filters give to grad_x, for up to a vector of input channels from c on.

    One vector of channels at a time: its weights of 64 filters, 37 KB, stay in the first cache.
    """
    height, width, OC = grad_map.shape
    C = grad_x.shape[2]
    for y in range(height - 2):
        for x in range(width - 2):
            for o in range(first, stop, _FLAGS):
                place = ((y + 1) * width + x + 1) * OC + o
                _one_pixel(grad_map, place, min(_FLAGS, stop - o), weight, o, c, count, grad_x, (y * width + x) * C)


@primitive("3 3 1 4 int int int number 4 3")
def wide_backward(
    x,  # (H+2, W+2, C)
    grad_map,  # (H+2, W+2, OC), zero border
    turned,  # (OC*(H+2)*(W+2),) scratch, overwritten: the map filter by filter
    weight,  # (OC, 3, 3, C), from channels_first
    first,  # filter, of those asked for
    stop,  # the filter behind the last
    input_gradient_by,  # NOTHING, SPARSE_BY_PIXEL or SPARSE_BY_FILTER: the last two give the same but for rounding
    scale,
    grad_weight,  # (OC, 3, 3, C), added to; may be `weight` itself
    grad_x,  # (H+2, W+2, C), overwritten unless NOTHING; the border holds what falls outside the image
):
    """What some filters give to both gradients of one image, or to the weights' alone, which is added up, times scale.

    grad_x[y+i,x+j,c] = sum of g[y,x,o] * weight[o,i,j,c] over (y, x, o)
    grad_weight[o,i,j,c] += scale * sum over (y, x) of g[y,x,o] * x[y+i,x+j,c]

    Pixels are counted through the borders of both: the patch of x for pixel p of the map begins at pixel p of x, if p
    is counted from the map's first one inside.

    Behind a pool both are done filter after filter, 2.5 us for half of the CNN's second block instead of 3.9 us. Where
    a filter has more gradients, their patches overlap and wait for each other: grad_x pixel after pixel is faster,
    3.7 us for half of the third block instead of 5.2 us.

    Parallel : no; callers share out the filters.
    Work     : 36*C flop for each gradient that is not 0.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.wide_backward; torch.nn.grad.conv2d_input, conv2d_weight.
    Source   : Goodfellow, Bengio, Courville (2016), section 9.5, without what is zero.
    """
    height, width, OC = grad_map.shape
    C = x.shape[2]
    lanes = lane_count(x)
    inside = width + 1
    span = (height - 2) * width - 2
    length = min((span + lanes - 1) // lanes * lanes, height * width - inside)  # whole vectors are turned faster
    pixels = strided(grad_map, inside * OC + first, (length, stop - first), (OC, 1))
    transpose(pixels, view(turned, first * length, (stop - first, length)))
    if input_gradient_by != NOTHING:
        clear(grad_x, 0, grad_x.size)
    if input_gradient_by == SPARSE_BY_PIXEL:
        for c in range(0, C, lanes):
            if C - c >= lanes:
                _pixel_after_pixel(grad_map, weight, first, stop, c, lanes, grad_x)
            else:
                _pixel_after_pixel(grad_map, weight, first, stop, c, C - c, grad_x)
    both = input_gradient_by == SPARSE_BY_FILTER
    for o in range(first, stop):
        row, place = o * length, o * 9 * C
        for c in range(0, C, lanes):
            if C - c >= lanes and both:
                _one_filter(x, turned, row, span, c, lanes, weight, place, scale, grad_weight, True, grad_x)
            elif C - c >= lanes:
                _one_filter(x, turned, row, span, c, lanes, weight, place, scale, grad_weight, False, grad_x)
            else:
                _one_filter(x, turned, row, span, c, C - c, weight, place, scale, grad_weight, both, grad_x)


@inlined
def _pixels(x, top, bottom, grad_map, c, o, count, scale, grad_weight):
    """Add what some rows of input channel c give to its weights, for up to a vector of output channels from o on."""
    _, width, C = x.shape
    OC = grad_map.shape[2]
    nothing = filled(0, load(grad_map, 0, 0))
    sums = (nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing)
    for y in range(top, bottom):
        for w in range(width - 2):
            value = x[y + 1, w + 1, c]
            if value != 0:
                place = (y * width + w) * OC + o
                sums = _add_patch(filled(value, nothing), grad_map, place, width * OC, OC, count, sums)
    # The patch of the output's gradient around a pixel is the filter's, turned round: its last place comes first.
    _store_patch(sums, filled(scale, nothing), grad_weight, (8 * C + c) * OC + o, -3 * C * OC, -C * OC, count)


@primitive("3 3 int int int int number 4")
def narrow_backward_weight(
    x,  # (H+2, W+2, C)
    grad_map,  # (H+2, W+2, OC), zero border
    first_row,  # of grad_map without its border, of those asked for
    stop_row,  # the row behind the last
    first,  # filter, of those asked for
    stop,  # the filter behind the last
    scale,
    grad_weight,  # (3, 3, C, OC), added to
):
    """Add one image's weight gradient: grad_weight[i,j,c,o] += scale * sum over (y, x) of x[y,x,c] * g[y-i,x-j,o].

    Above and below its rows grad_map holds zeros, or there is no image.

    Parallel : no; callers share out rows or filters.
    Work     : 18*OC flop for each pixel that is not 0.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.narrow_backward_weight; torch.nn.grad.conv2d_weight.
    Source   : Goodfellow, Bengio, Courville (2016), section 9.5, without what is zero.
    """
    top, bottom = max(first_row - 1, 0), min(stop_row + 1, x.shape[0] - 2)
    lanes = lane_count(x)
    for c in range(x.shape[2]):
        for o in range(first, stop, lanes):
            if stop - o >= lanes:
                _pixels(x, top, bottom, grad_map, c, o, lanes, scale, grad_weight)
            else:
                _pixels(x, top, bottom, grad_map, c, o, stop - o, scale, grad_weight)
