"""The work split of one image: each layer's work is cut into two halves, by the layer's shape and split alone.

A share of a conv block is (first row, end row, first channel, end channel) of its output; ends are exclusive. A dense
layer is cut by its inputs, that is by whole rows of the weights. Each half has its own scratch, as a
worker of a batch has.
"""

import numpy as np

from ..compiler.decorators import body
from ..compiler.tile import VECTOR_BYTES
from ..table import BY_CHANNELS, BY_ROWS


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
    itemsize,
):
    """Return where an extent is cut: near its middle, at a whole vector."""
    lanes = VECTOR_BYTES // itemsize
    return (extent // 2 + lanes // 2) // lanes * lanes


@body
def whole_share(layer):
    """Return the share of a thread that computes a conv block alone."""
    return np.int64(0), layer.OH, np.int64(0), layer.OC


@body
def half_share(
    layer,
    split,  # UNSPLIT, BY_CHANNELS or BY_ROWS
    half,
    itemsize,
):
    """Return a half's share of a conv block. UNSPLIT: the first half's is all of it, the second's has no rows."""
    if split == BY_CHANNELS:
        cut = split_point(layer.OC, itemsize)
        return (np.int64(0), layer.OH, np.int64(0), cut) if half == 0 else (np.int64(0), layer.OH, cut, layer.OC)
    cut = layer.OH // 2 if split == BY_ROWS else layer.OH
    return (np.int64(0), cut, np.int64(0), layer.OC) if half == 0 else (cut, layer.OH, np.int64(0), layer.OC)
