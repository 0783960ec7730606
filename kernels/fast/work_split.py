"""The work split of one image: each layer's work is cut into two halves, by the layer's shape and split alone.

A share of a conv block is (first row, end row, first channel, end channel) of its output; ends are exclusive. A dense
layer is cut by its inputs, that is by whole rows of the weights. Each half has its own scratch, as a worker of a batch
has.
"""

import numpy as np

from ..compiler.decorators import body
from ..table import BY_CHANNELS, BY_ROWS, LINE


@body
def scratch_of(
    plan,
    number,  # of a worker, or of a half
):
    """Return the offset in work of a worker's scratch."""
    return plan.scratch + number * plan.scratch_size


@body
def split_point(
    extent,  # channels or inputs
):
    """Return where an extent is cut: near its middle, at a whole cache line, which two threads would write in turn."""
    return (extent // 2 + LINE // 2) // LINE * LINE


@body
def whole_share(layer):
    """Return the share of a thread that computes a conv block alone."""
    return np.int64(0), layer.OH, np.int64(0), layer.OC


@body
def half_share(
    layer,
    split,  # UNSPLIT, BY_CHANNELS or BY_ROWS
    half,
):
    """Return a half's share of a conv block. UNSPLIT: the first half's is all of it, the second's has no rows."""
    if split == BY_CHANNELS:
        cut = split_point(layer.OC)
        return (np.int64(0), layer.OH, np.int64(0), cut) if half == 0 else (np.int64(0), layer.OH, cut, layer.OC)
    cut = layer.OH // 2 if split == BY_ROWS else layer.OH
    return (np.int64(0), cut, np.int64(0), layer.OC) if half == 0 else (cut, layer.OH, np.int64(0), layer.OC)


@body
def place_of_params(
    layer,
    share,
    shared,  # offset in params: (rows, OC), 9*C weights of a filter or BH*BW biases of a channel
    own,  # offset in scratch: (rows, channels of the share) in its place; 0 if they stay in params
    scratch,
):
    """Return start and step: channel o of a share has element n of `rows` at start + n*step + o, in params or work."""
    _, _, first, stop = share
    if own == 0:
        return shared, layer.OC
    return scratch + own - first, stop - first


@body
def place_of_filters(layer, share, scratch):
    """Return where the filters are; see `place_of_params`."""
    return place_of_params(layer, share, layer.weight, layer.own_weight, scratch)


@body
def place_of_bias(layer, share, scratch):
    """Return where the bias is; see `place_of_params`."""
    return place_of_params(layer, share, layer.bias, layer.own_bias, scratch)
