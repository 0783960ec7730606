"""One row of a convolution from few input channels, by filters that stay in registers: see layers/convolution.py.

Chosen for up to FEW channels, as in a network's first layer.
"""

from ..compiler.array_views import view
from ..compiler.decorators import inlined
from ..compiler.simd import filled, fma, load, store

FEW = 3  # input channels that are convolved with a vector of filters in registers


@inlined
def row_of_few_channels(x, weight, bias, y, out, place, o, count):
    """Compute one output row from few channels, for up to a vector of filters from o on.

    The sum over a window is too short for `contract`, whose tile would be set up and stored more than it is used.
    Here a filter's nine weights stay in registers: the CNN's first layer and its pool take 3.4 us instead of 4.4 us.
    """
    _, padded, C = x.shape
    OC = weight.shape[3]
    BH, BW, _ = bias.shape
    first_bias = (y if BH > 1 else 0) * BW * OC + o
    next_bias = OC if BW > 1 else 0
    pixels = view(x, y * padded * C, (3, padded * C))
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
            left, middle, right = w * C + c, (w + 1) * C + c, (w + 2) * C + c
            total = fma(filled(pixels[0, left], w0), w0, total)
            total = fma(filled(pixels[0, middle], w0), w1, total)
            total = fma(filled(pixels[0, right], w0), w2, total)
            total = fma(filled(pixels[1, left], w0), w3, total)
            total = fma(filled(pixels[1, middle], w0), w4, total)
            total = fma(filled(pixels[1, right], w0), w5, total)
            total = fma(filled(pixels[2, left], w0), w6, total)
            total = fma(filled(pixels[2, middle], w0), w7, total)
            total = fma(filled(pixels[2, right], w0), w8, total)
            store(out, here, count, total)
