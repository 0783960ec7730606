"""Convolution from few input channels: a filter's nine weights stay in registers. Replaces layers/convolution.py.

The sum over a window is too short for `contract`, whose tile would take longer to set up and store than to use: the
CNN's first layer and its pool take 3.4 us instead of 4.4 us. Chosen for up to three channels, by
jitnet/model/kernel_choice.py.
"""

from ..compiler.decorators import force_inline
from ..compiler.simd import filled_from, fma, lane_count, load, store
from ..compiler.symbols import primitive


@force_inline
def _row_of_vector(
    x,  # (H+2, W+2, C)
    weight,  # (3, 3, C, OC)
    bias,  # (H, W, OC) or (1, 1, OC)
    y,  # row of the output
    out,  # (.,), holds (W, OC) from `place` on
    place,
    o,  # first filter
    count,
):
    """Compute one output row for up to a vector of filters; see `conv2d_row_few_channels`."""
    _, padded, C = x.shape
    OC = weight.shape[3]
    BH, BW, _ = bias.shape
    first_bias = (y if BH > 1 else 0) * BW * OC + o
    next_bias = OC if BW > 1 else 0
    row = padded * C
    for c in range(C):
        f = c * OC + o
        step = C * OC
        w0, w1, w2 = load(weight, f, count), load(weight, f + step, count), load(weight, f + 2 * step, count)
        f += 3 * step
        w3, w4, w5 = load(weight, f, count), load(weight, f + step, count), load(weight, f + 2 * step, count)
        f += 3 * step
        w6, w7, w8 = load(weight, f, count), load(weight, f + step, count), load(weight, f + 2 * step, count)
        for w in range(padded - 2):
            here = place + w * OC + o
            total = load(bias, first_bias + w * next_bias, count) if c == 0 else load(out, here, count)
            top = y * row + w * C + c
            middle, bottom = top + row, top + 2 * row
            total = fma(filled_from(x, top), w0, total)
            total = fma(filled_from(x, top + C), w1, total)
            total = fma(filled_from(x, top + 2 * C), w2, total)
            total = fma(filled_from(x, middle), w3, total)
            total = fma(filled_from(x, middle + C), w4, total)
            total = fma(filled_from(x, middle + 2 * C), w5, total)
            total = fma(filled_from(x, bottom), w6, total)
            total = fma(filled_from(x, bottom + C), w7, total)
            total = fma(filled_from(x, bottom + 2 * C), w8, total)
            store(out, here, count, total)


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
    lanes = lane_count(x)
    for o in range(first, stop, lanes):
        if stop - o >= lanes:
            _row_of_vector(x, weight, bias, y, out, place, o, lanes)
        else:
            _row_of_vector(x, weight, bias, y, out, place, o, stop - o)
