"""Convolution backward where most numbers are zero: behind a max-pool, and from an input of few pixels.

Only a window's winner has a gradient, a quarter of the map before the pool at the most. A gradient g of output channel
o at (y, x) adds a patch of 3x3 pixels to both gradients, each pixel a vector of input channels:

    grad_weight[o,i,j,c] += g * x[y+i, x+j, c]     one filter after the other: nine sums in registers, over its windows
    grad_x[y+i, x+j, c]  += g * weight[o,i,j,c]    one pixel after the other: nine sums, over the filters that won there

With few input channels those vectors would be short. Then an input pixel v at (y, x) adds v times a patch of the
output's gradient to the nine places of its filters; a pixel that is zero, as most around a digit are, adds nothing.
"""

import numpy as np

from .lanes import VECTOR_BYTES
from .options import body, inlined
from .pooling import DEAD
from .rows import transpose
from .vectors import add, filled, fma, load, lowest, nonzero, store
from .views import strided, view

_FLAGS = 64  # output channels whose flags one integer holds


@body
def is_wide(C, itemsize):
    """Do C input channels fill at least half a vector? With fewer the dense form is faster: it fills them with OC."""
    return 2 * C * itemsize >= VECTOR_BYTES


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
    out,  # (3, 3, C, OC), overwritten
):
    """Undo `channels_first`."""
    OC, _, _, C = grad.shape
    for k in range(9):
        transpose(strided(grad, k * C, (OC, C), (9 * C, 1)), view(out, k * C * OC, (C, OC)))


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
def _store_patch(sums, scale, array, place, row, step, count):
    """Add scale times nine sums to the patch at array.flat[place]."""
    for k, total in enumerate(sums):
        here = place + k // 3 * row + k % 3 * step
        store(array, here, count, fma(scale, total, load(array, here, count)))


@inlined
def _filter_gradient(x, grad_out, argmax, o, c, count, scale, grad_weight):
    """Add what the winners of filter o give to its weights, for up to a vector of input channels from c on."""
    OH, OW, _ = grad_out.shape
    _, padded, C = x.shape
    nothing = filled(0, load(x, 0, 0))
    sums = (nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing)
    for oy in range(OH):
        for ox in range(OW):
            # A dead window adds zeros at its first pixel: a wrong guess of which are dead would cost more than that.
            winner = np.int64(argmax[oy, ox, o])
            alive = winner != DEAD
            k = winner * alive
            g = filled(grad_out[oy, ox, o] * grad_out.dtype.type(alive), nothing)
            ky = (11 * k) >> 5  # k // 3
            place = (2 * oy * padded + 2 * ox) * C + c + k * C + ky * (padded - 3) * C
            sums = _add_patch(g, x, place, padded * C, C, count, sums)
    _store_patch(sums, filled(scale, nothing), grad_weight, o * 9 * C + c, 3 * C, C, count)


@inlined
def _add_to(array, place, count, value):
    """Add a vector to array.flat[place:]."""
    store(array, place, count, add(load(array, place, count), value))


@inlined
def _input_gradient(grad_map, weight, c, count, grad_x):
    """Add what all pixels of the map give to the input, for up to a vector of input channels from c on."""
    height, width, OC = grad_map.shape
    C = grad_x.shape[2]
    row = width * C
    lanes = VECTOR_BYTES // grad_x.itemsize
    nothing = filled(0, load(grad_x, 0, 0))
    for y in range(height - 2):
        sums = (nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing)
        place = y * row + c
        for x in range(width - 2):
            for first in range(0, OC, _FLAGS):
                gradients = ((y + 1) * width + x + 1) * OC + first
                flags = 0
                for o in range(0, min(_FLAGS, OC - first), lanes):
                    flags |= nonzero(load(grad_map, gradients + o, OC - first - o)) << o
                while flags != 0:
                    o = lowest(flags)
                    flags &= flags - 1
                    g = filled(view(grad_map, gradients + o, (1,))[0], nothing)
                    sums = _add_patch(g, weight, (first + o) * 9 * C + c, 3 * C, C, count, sums)
            # The patch moves on by a column: its first one is complete, its last one begins.
            s0, s1, s2, s3, s4, s5, s6, s7, s8 = sums
            _add_to(grad_x, place, count, s0)
            _add_to(grad_x, place + row, count, s3)
            _add_to(grad_x, place + 2 * row, count, s6)
            sums = (s1, s2, nothing, s4, s5, nothing, s7, s8, nothing)
            place += C
        s0, s1, s2, s3, s4, s5, s6, s7, s8 = sums
        _add_to(grad_x, place, count, s0)
        _add_to(grad_x, place + C, count, s1)
        _add_to(grad_x, place + row, count, s3)
        _add_to(grad_x, place + row + C, count, s4)
        _add_to(grad_x, place + 2 * row, count, s6)
        _add_to(grad_x, place + 2 * row + C, count, s7)


@body
def wide_backward_weight(
    x,  # (H+2, W+2, C)
    grad_out,  # (OH, OW, OC), behind the pool
    argmax,  # (OH, OW, OC) uint8
    scale,
    grad_weight,  # (OC, 3, 3, C), added to
):
    """Add one image's weight gradient: grad_weight[o,i,j,c] += scale * sum_w g[w,o] * x[py+i, px+j, c].

    w runs over the windows; (py, px) is the winner of window w for filter o, and g[w,o] its gradient.
    """
    C = x.shape[2]
    lanes = VECTOR_BYTES // x.itemsize
    for o in range(grad_out.shape[2]):
        for c in range(0, C, lanes):
            if C - c >= lanes:
                _filter_gradient(x, grad_out, argmax, o, c, lanes, scale, grad_weight)
            else:
                _filter_gradient(x, grad_out, argmax, o, c, C - c, scale, grad_weight)


@body
def wide_backward_input(
    grad_map,  # (H+2, W+2, OC), before the pool; its border is not read
    weight,  # (OC, 3, 3, C), from channels_first
    grad_x,  # (H+2, W+2, C), overwritten; the border holds what falls outside the image
):
    """Compute one image's input gradient: grad_x[y+i, x+j, c] = sum of g[y,x,o] * weight[o,i,j,c] over (y, x, o)."""
    C = grad_x.shape[2]
    lanes = VECTOR_BYTES // grad_x.itemsize
    nothing = filled(0, load(grad_x, 0, 0))
    for i in range(0, grad_x.size, lanes):
        store(grad_x, i, grad_x.size - i, nothing)
    for c in range(0, C, lanes):
        if C - c >= lanes:
            _input_gradient(grad_map, weight, c, lanes, grad_x)
        else:
            _input_gradient(grad_map, weight, c, C - c, grad_x)


@inlined
def _pixels(x, grad_map, c, o, count, scale, grad_weight):
    """Add what the pixels of input channel c give to its weights, for up to a vector of output channels from o on."""
    height, width, C = x.shape
    OC = grad_map.shape[2]
    nothing = filled(0, load(grad_map, 0, 0))
    sums = (nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing)
    for y in range(height - 2):
        for w in range(width - 2):
            value = x[y + 1, w + 1, c]
            if value != 0:
                place = (y * width + w) * OC + o
                sums = _add_patch(filled(value, nothing), grad_map, place, width * OC, OC, count, sums)
    # The patch of the output's gradient around a pixel is the filter's, turned round: its last place comes first.
    _store_patch(sums, filled(scale, nothing), grad_weight, (8 * C + c) * OC + o, -3 * C * OC, -C * OC, count)


@body
def narrow_backward_weight(
    x,  # (H+2, W+2, C)
    grad_map,  # (H+2, W+2, OC), zero border
    scale,
    grad_weight,  # (3, 3, C, OC), added to
):
    """Add one image's weight gradient: grad_weight[i,j,c,o] += scale * sum over (y, x) of x[y,x,c] * g[y-i,x-j,o]."""
    OC = grad_map.shape[2]
    lanes = VECTOR_BYTES // x.itemsize
    for c in range(x.shape[2]):
        for o in range(0, OC, lanes):
            if OC - o >= lanes:
                _pixels(x, grad_map, c, o, lanes, scale, grad_weight)
            else:
                _pixels(x, grad_map, c, o, OC - o, scale, grad_weight)
