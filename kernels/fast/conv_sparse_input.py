"""Convolution backward from few input channels, most pixels of which are zero. Replaces part of layers/convolution.py.

With few input channels the vectors of conv_sparse.py would be short. Here an input pixel v at (y, x) adds v times a
patch of the output's gradient to the nine weights of each filter; a pixel that is zero, as most around a digit, adds
nothing:

    grad_weight[i,j,c,o] += v * g[y-i, x-j, o]
"""

from ..compiler.decorators import force_inline
from ..compiler.simd import filled, lane_count, load
from ..compiler.symbols import primitive
from .patches import add_patch, store_patch


@force_inline
def _input_channel_backward_weight(
    x,  # (H+2, W+2, C)
    top,  # first row, without the border
    bottom,  # end of the rows, exclusive
    grad_map,  # (H+2, W+2, OC)
    c,  # input channel
    o,  # first output channel
    count,
    scale,
    grad_weight,  # (3, 3, C, OC), added to
):
    """Add the contribution of some rows of an input channel to its weights, for up to a vector of output channels."""
    _, width, C = x.shape
    OC = grad_map.shape[2]
    nothing = filled(0, load(grad_map, 0, 0))
    sums = (nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing)
    for y in range(top, bottom):
        for w in range(width - 2):
            value = x[y + 1, w + 1, c]
            if value != 0:
                place = (y * width + w) * OC + o
                sums = add_patch(filled(value, nothing), grad_map, place, width * OC, OC, count, sums)
    # The patch of the output's gradient around a pixel is rotated by 180 degrees: its last place comes first.
    store_patch(sums, filled(scale, nothing), grad_weight, (8 * C + c) * OC + o, -3 * C * OC, -C * OC, count)


@primitive("3 3 int int int int number 4")
def sparse_input_backward_weight(
    x,  # (H+2, W+2, C)
    grad_map,  # (H+2, W+2, OC), zero border
    first_row,  # of grad_map without its border
    stop_row,  # end of the rows, exclusive
    first,  # filter
    stop,  # end of the filters, exclusive
    scale,
    grad_weight,  # (3, 3, C, OC), added to
):
    """Add one image's weight gradient: grad_weight[i,j,c,o] += scale * sum over (y, x) of x[y,x,c] * g[y-i,x-j,o].

    Above and below its rows grad_map holds zeros, or the image ends.

    Parallel : no; callers share out rows or filters.
    Work     : 18*OC flop for each pixel that is not 0.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.sparse_input_backward_weight; torch.nn.grad.conv2d_weight.
    Source   : Goodfellow, Bengio, Courville (2016), section 9.5, without what is zero.
    """
    top, bottom = max(first_row - 1, 0), min(stop_row + 1, x.shape[0] - 2)
    lanes = lane_count(x)
    for c in range(x.shape[2]):
        for o in range(first, stop, lanes):
            if stop - o >= lanes:
                _input_channel_backward_weight(x, top, bottom, grad_map, c, o, lanes, scale, grad_weight)
            else:
                _input_channel_backward_weight(x, top, bottom, grad_map, c, o, stop - o, scale, grad_weight)
