"""Convolution backward behind a max-pool: only a window's winner has a gradient, so only winners are visited.

The map before the pool has four times as many numbers as the pool has windows. A winner of output channel o at (py, px)
with gradient g adds g * x[window] to the filter's gradient and g * weight[..., o] to the input's: two updates of 3x3
pixels, each a vector of input channels. The nine sums of a filter and its nine weights stay in registers.
"""

import numpy as np

from .lanes import VECTOR_BYTES
from .options import body, inlined
from .pooling import DEAD
from .rows import transpose
from .vectors import filled, fma, load, store
from .views import strided, view


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
def _filter_backward(x, grad_out, argmax, weight, o, c, count, grad_x, grad_weight):
    """Visit the winners of filter o, for up to a vector of input channels from c on."""
    OH, OW, _ = grad_out.shape
    _, padded, C = x.shape
    row = padded * C
    f = o * 9 * C + c
    w0, w1, w2 = load(weight, f, count), load(weight, f + C, count), load(weight, f + 2 * C, count)
    w3, w4, w5 = load(weight, f + 3 * C, count), load(weight, f + 4 * C, count), load(weight, f + 5 * C, count)
    w6, w7, w8 = load(weight, f + 6 * C, count), load(weight, f + 7 * C, count), load(weight, f + 8 * C, count)
    d0 = d1 = d2 = d3 = d4 = d5 = d6 = d7 = d8 = filled(0, w0)
    for oy in range(OH):
        for ox in range(OW):
            # A dead window adds zeros at its first pixel: a wrong guess of which are dead would cost more than that.
            winner = np.int64(argmax[oy, ox, o])
            alive = winner != DEAD
            place = winner * alive
            g = filled(grad_out[oy, ox, o] * grad_out.dtype.type(alive), w0)
            p = (2 * oy + place // 3) * row + (2 * ox + place % 3) * C + c
            d0 = fma(g, load(x, p, count), d0)
            d1 = fma(g, load(x, p + C, count), d1)
            d2 = fma(g, load(x, p + 2 * C, count), d2)
            store(grad_x, p, count, fma(g, w0, load(grad_x, p, count)))
            store(grad_x, p + C, count, fma(g, w1, load(grad_x, p + C, count)))
            store(grad_x, p + 2 * C, count, fma(g, w2, load(grad_x, p + 2 * C, count)))
            p += row
            d3 = fma(g, load(x, p, count), d3)
            d4 = fma(g, load(x, p + C, count), d4)
            d5 = fma(g, load(x, p + 2 * C, count), d5)
            store(grad_x, p, count, fma(g, w3, load(grad_x, p, count)))
            store(grad_x, p + C, count, fma(g, w4, load(grad_x, p + C, count)))
            store(grad_x, p + 2 * C, count, fma(g, w5, load(grad_x, p + 2 * C, count)))
            p += row
            d6 = fma(g, load(x, p, count), d6)
            d7 = fma(g, load(x, p + C, count), d7)
            d8 = fma(g, load(x, p + 2 * C, count), d8)
            store(grad_x, p, count, fma(g, w6, load(grad_x, p, count)))
            store(grad_x, p + C, count, fma(g, w7, load(grad_x, p + C, count)))
            store(grad_x, p + 2 * C, count, fma(g, w8, load(grad_x, p + 2 * C, count)))
    for k, d in enumerate((d0, d1, d2, d3, d4, d5, d6, d7, d8)):
        store(grad_weight, f + k * C, count, d)


@body
def winners_backward_sample(
    x,  # (H+2, W+2, C)
    grad_out,  # (OH, OW, OC)
    argmax,  # (OH, OW, OC) uint8
    weight,  # (OC, 3, 3, C), from channels_first
    grad_x,  # (H+2, W+2, C), overwritten; the border holds what falls outside the image
    grad_weight,  # (OC, 3, 3, C), overwritten
):
    """Compute the gradients of a convolution behind ReLU and max-pool, for one image.

    grad_weight[o,i,j,c] = sum_w g[w,o] * x[py+i, px+j, c];  grad_x[py+i, px+j, c] += g[w,o] * weight[o,i,j,c]

    w runs over the windows, and (py, px) is the winner of window w for filter o, g its gradient.
    """
    height, width, C = x.shape
    lanes = VECTOR_BYTES // x.itemsize
    nothing = filled(0, load(x, 0, 0))
    size = height * width * C
    for i in range(0, size, lanes):
        store(grad_x, i, size - i, nothing)
    for o in range(grad_out.shape[2]):
        for c in range(0, C, lanes):
            if C - c >= lanes:
                _filter_backward(x, grad_out, argmax, weight, o, c, lanes, grad_x, grad_weight)
            else:
                _filter_backward(x, grad_out, argmax, weight, o, c, C - c, grad_x, grad_weight)
