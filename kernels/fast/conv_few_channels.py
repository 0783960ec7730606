"""Convolution from few input channels: a filter's nine weights stay in registers. Replaces layers/convolution.py.

The sum over a window is too short for `contract`, whose tile would take longer to set up and store than to use: the
CNN's first layer and its pool take 3.4 us instead of 4.4 us. Four adjacent outputs share the inputs that they have in
common, 18 of 36. Chosen for up to three channels, by jitnet/model/kernel_choice.py.
"""

from ..compiler.array_views import view
from ..compiler.decorators import force_inline
from ..compiler.simd import filled_from, fma, lane_count, load, store
from ..compiler.symbols import primitive
from .patches import load_patch


@force_inline
def _four_outputs(
    x,  # (H+2, W+2, C)
    place,  # of the first of six inputs
    C,  # elements from one input to the next
    weights,  # three vectors, a row of the filter
    sums,  # four vectors
):
    """Return the sums of four adjacent outputs plus a row of the filter times the inputs under it."""
    w0, w1, w2 = weights
    s0, s1, s2, s3 = sums
    x0, x1, x2 = filled_from(x, place), filled_from(x, place + C), filled_from(x, place + 2 * C)
    x3, x4, x5 = filled_from(x, place + 3 * C), filled_from(x, place + 4 * C), filled_from(x, place + 5 * C)
    s0 = fma(x2, w2, fma(x1, w1, fma(x0, w0, s0)))
    s1 = fma(x3, w2, fma(x2, w1, fma(x1, w0, s1)))
    s2 = fma(x4, w2, fma(x3, w1, fma(x2, w0, s2)))
    s3 = fma(x5, w2, fma(x4, w1, fma(x3, w0, s3)))
    return s0, s1, s2, s3


@force_inline
def _one_output(
    x,  # (H+2, W+2, C)
    place,  # of the first of three inputs
    C,  # elements from one input to the next
    weights,  # three vectors, a row of the filter
    total,  # vector
):
    """Return the sum of one output plus a row of the filter times the inputs under it."""
    w0, w1, w2 = weights
    total = fma(filled_from(x, place), w0, total)
    total = fma(filled_from(x, place + C), w1, total)
    return fma(filled_from(x, place + 2 * C), w2, total)


@force_inline
def _row_of_vector(
    x,  # (H+2, W+2, C)
    weight,  # (3, 3, C, OC)
    bias,  # (H, W, OC) or (1, 1, OC)
    y,  # row of the output
    out,  # (.,), holds (W, OC) from `place` on
    place,
    C,  # of x: where it is a constant, inputs are adjacent for the compiler
    o,  # first filter
    count,
):
    """Compute one output row for up to a vector of filters; see `conv2d_row_few_channels`."""
    padded = x.shape[1]
    OC = weight.shape[3]
    BH, BW, _ = bias.shape
    W = padded - 2
    row = padded * C
    for c in range(C):
        w0, w1, w2, w3, w4, w5, w6, w7, w8 = load_patch(weight, c * OC + o, 3 * C * OC, C * OC, count)
        if c == 0:
            start, step = (y if BH > 1 else 0) * BW * OC + o, OC if BW > 1 else 0
            init = view(bias, start, (bias.size - start,))
        else:
            start, step = place + o, OC
            init = view(out, start, (out.size - start,))
        for w in range(0, W - 3, 4):
            top = (y * padded + w) * C + c
            first = w * step
            sums = (
                load(init, first, count),
                load(init, first + step, count),
                load(init, first + 2 * step, count),
                load(init, first + 3 * step, count),
            )
            sums = _four_outputs(x, top, C, (w0, w1, w2), sums)
            sums = _four_outputs(x, top + row, C, (w3, w4, w5), sums)
            sums = _four_outputs(x, top + 2 * row, C, (w6, w7, w8), sums)
            for n, total in enumerate(sums):
                store(out, place + (w + n) * OC + o, count, total)
        for w in range(W - W % 4, W):
            top = (y * padded + w) * C + c
            total = _one_output(x, top, C, (w0, w1, w2), load(init, w * step, count))
            total = _one_output(x, top + row, C, (w3, w4, w5), total)
            total = _one_output(x, top + 2 * row, C, (w6, w7, w8), total)
            store(out, place + w * OC + o, count, total)


@primitive("3 4 3 int int int 1 int")
def conv2d_row_few_channels(
    x,  # (H+2, W+2, C) one padded image
    weight,  # (3, 3, C, OC)
    bias,  # (H, W, OC) per position, or (1, 1, OC) per channel
    y,  # row of the output
    first,  # filter
    stop,  # end of the filters, exclusive
    out,  # (.,), holds (W, OC) from `place` on
    place,
):
    """Compute one output row.

    out[w,o] = bias[y,w,o] + sum_{i,j < 3, c} x[y+i, w+j, c] * weight[i,j,c,o]

    Parallel : no.
    Work     : 18*W*C flop a filter.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.conv2d_row_few_channels; a row of torch.nn.functional.conv2d.
    Source   : Goodfellow, Bengio, Courville (2016), eq. 9.6 (cross-correlation).
    """
    C = x.shape[2]
    lanes = lane_count(x)
    for o in range(first, stop, lanes):
        if C == 1 and stop - o >= lanes:
            _row_of_vector(x, weight, bias, y, out, place, 1, o, lanes)
        else:
            _row_of_vector(x, weight, bias, y, out, place, C, o, stop - o)
