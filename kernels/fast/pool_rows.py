"""The max-pool of layers/pooling.py a vector of channels at a time, and ReLU with it. Windows share a column.

A window that hangs over the edge looks at its first row or column twice instead: a number never wins against itself, so
the padding never wins either. A tie goes to the first. The forward pass keeps `argmax`, the winner's place 3*ky + kx in
its window; where ReLU follows, 255 marks a window that it kills.

A window that holds NaN gives NaN, with and without ReLU, as in PyTorch: the loss then shows it, and no backward pass
follows. Its place is that of some pixel of the window.
"""

import math

import numpy as np

from ..compiler.decorators import body, force_inline
from ..compiler.simd import (
    add,
    choose,
    equal,
    filled,
    greater,
    greater_or_nan,
    lane_count,
    load,
    load_bytes,
    store,
    store_bytes,
    unordered,
)
from ..compiler.symbols import primitive

DEAD = 255


@force_inline
def _larger(
    a,  # vector
    b,  # vector
):
    """Return the larger of two; a if they are equal or a is NaN."""
    return choose(greater(b, a), b, a)


@force_inline
def _column(
    top,  # (W, C)
    middle,  # (W, C)
    bottom,  # (W, C)
    place,  # in each
    count,
):
    """Return the three vectors of a column of a window, and the largest."""
    a, b, c = load(top, place, count), load(middle, place, count), load(bottom, place, count)
    return a, b, c, _larger(_larger(a, b), c)


@primitive("2 2 2 int int int 2 bytes2")
def max_pool2d_row(
    top,  # (W, C) the three input rows of one output row; at the bottom edge `bottom` is `top` again
    middle,  # (W, C)
    bottom,  # (W, C)
    relu,  # 1: the result is to pass through ReLU
    first,  # the first channel
    stop,  # the channel after the last
    out,  # (OW, C) contiguous, overwritten
    argmax,  # (OW, C) uint8, overwritten; (0, C) if no backward pass follows
):
    """Pool one row of windows: out[ox,c] = max over ky, kx of rows[ky][2*ox+kx, c], then max(0, .) if relu.

    Parallel : no.
    Work     : 6*OW comparisons a channel, 4 for NaN, and 8 for argmax.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.max_pool2d_row; a row of torch.nn.functional.max_pool2d.
    Source   : Goodfellow, Bengio, Courville (2016), section 9.3; the documents' one-sided padding.
    """
    W, C = top.shape
    lanes = lane_count(out)
    for c in range(first, stop, lanes):
        count = stop - c
        v0, v3, v6, largest_left = _column(top, middle, bottom, c, count)
        for ox in range(W // 2):
            left = 2 * ox * C + c
            v1, v4, v7, largest = _column(top, middle, bottom, left + C, count)
            v2, v5, v8, largest_right = _column(top, middle, bottom, left + 2 * C if 2 * ox + 2 < W else left, count)
            best = _larger(_larger(largest_left, largest), largest_right)
            for one, other in ((v1, v2), (v3, v4), (v5, v6), (v7, v8)):  # v0 is never lost
                best = choose(unordered(one, other), filled(math.nan, best), best)
            zero = filled(0, best)
            alive = greater_or_nan(best, zero)
            if argmax.size > 0:
                place = filled(8, best)
                for k, value in ((7, v7), (6, v6), (5, v5), (4, v4), (3, v3), (2, v2), (1, v1), (0, v0)):
                    place = choose(equal(value, best), filled(k, best), place)
                if relu:
                    place = choose(alive, place, filled(DEAD, best))
                store_bytes(argmax, ox * C + c, count, place)
            if relu:
                best = choose(alive, best, zero)
            store(out, ox * C + c, count, best)
            v0, v3, v6, largest_left = v2, v5, v8, largest_right


@body
def _window(
    grad_out,  # (OH, OW, C)
    argmax,  # (OH, OW, C) uint8
    oy,  # row of the window
    ox,  # column of the window
    c,  # the first channel
    stop,  # the channel after the last
):
    """Return a window's gradients and winners for the channels from c on; zeros if there is no such window."""
    OH, OW, C = grad_out.shape
    count = stop - c if 0 <= oy < OH and 0 <= ox < OW else 0
    gradient = load(grad_out, (oy * OW + ox) * C + c, count)
    return gradient, load_bytes(argmax, (oy * OW + ox) * C + c, count, gradient)


@force_inline
def _sent(
    window,  # a vector of gradients and one of winners, from `_window`
    place,  # 3*ky + kx of a pixel in the window
):
    """Return the gradient that a window sends to the pixel at `place` in it: all of it to the winner, else nothing."""
    gradient, winner = window
    return choose(equal(winner, filled(place, gradient)), gradient, filled(0, gradient))


@body
def max_pool2d_backward_sample(
    grad_out,  # (OH, OW, C)
    argmax,  # (OH, OW, C) uint8, kept by the forward pass
    border,  # 1 if grad_input has a border, which is not written, else 0
    share,  # of grad_out: see work_split.py
    grad_input,  # (H+2*border, W+2*border, C), the share overwritten
):
    """Send one image's gradient back to the winners; a window's share is as in work_split.py.

    A square of 2x2 pixels (y, x) .. (y+1, x+1) with even y and x is in at most four windows: the one that starts in
    it, and those above, to the left, and above to the left, whose last row or column reaches it.
    """
    C = grad_out.shape[2]
    H = grad_input.shape[0] - 2 * border
    W = grad_input.shape[1] - 2 * border
    row = (W + 2 * border) * C
    lanes = lane_count(grad_out)
    top, bottom, first, stop = share
    for y in range(2 * top, H if bottom == H // 2 else 2 * bottom, 2):
        for c in range(first, stop, lanes):
            count = stop - c
            left = _window(grad_out, argmax, y // 2, np.int64(-1), c, stop)
            corner = left
            for x in range(0, W, 2):
                own = _window(grad_out, argmax, y // 2, x // 2, c, stop)
                above = _window(grad_out, argmax, y // 2 - 1, x // 2, c, stop)
                place = (y + border) * row + (x + border) * C + c
                total = add(add(_sent(corner, 8), _sent(above, 6)), add(_sent(left, 2), _sent(own, 0)))
                store(grad_input, place, count, total)
                if x + 1 < W:
                    store(grad_input, place + C, count, add(_sent(above, 7), _sent(own, 1)))
                if y + 1 < H:
                    store(grad_input, place + row, count, add(_sent(left, 5), _sent(own, 3)))
                if x + 1 < W and y + 1 < H:
                    store(grad_input, place + row + C, count, _sent(own, 4))
                left, corner = own, above
