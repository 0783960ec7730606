"""What of a layer each of the two halves of a step works on: a rule about the layer's shape and nothing else.

A share of a conv block is (first row, row behind the last, first channel, channel behind the last) of its output. By
channels, a thread meets the same filters in the forward and the backward pass, so they stay in its core's own cache; by
rows if a half would not fill a vector. A dense layer is cut by its inputs, that is by whole rows of the weights.
"""

import numpy as np

from ..compiler.decorators import body
from ..compiler.simd_ir import VECTOR_BYTES
from .conv_sparse import by_filter, is_wide


@body
def middle(extent, itemsize):
    """Return where an extent is cut: about its middle, at a whole vector."""
    lanes = VECTOR_BYTES // itemsize
    return (extent // 2 + lanes // 2) // lanes * lanes


@body
def whole(layer):
    """Return the share of a thread that does a conv block alone."""
    return np.int64(0), layer.OH, np.int64(0), layer.OC


@body
def by_channels(layer, itemsize):
    """Do half the output channels of a conv block fill a vector?"""
    return layer.OC * itemsize >= 2 * VECTOR_BYTES


@body
def forward_share(layer, half, itemsize):
    """Return a half's share of a conv block."""
    if by_channels(layer, itemsize):
        cut = middle(layer.OC, itemsize)
        return (np.int64(0), layer.OH, np.int64(0), cut) if half == 0 else (np.int64(0), layer.OH, cut, layer.OC)
    cut = layer.OH // 2
    return (np.int64(0), cut, np.int64(0), layer.OC) if half == 0 else (cut, layer.OH, np.int64(0), layer.OC)


@body
def backward_share(layer, first, half, itemsize):
    """Return a half's share of a conv block's gradients.

    The first half does it all where the second would have to wait in between, or would add to the same numbers.
    """
    cut_by_filters = by_filter(layer, itemsize) and by_channels(layer, itemsize)
    if cut_by_filters or (first and not is_wide(layer.C, itemsize)):
        return forward_share(layer, half, itemsize)
    return whole(layer) if half == 0 else (np.int64(0), np.int64(0), np.int64(0), np.int64(0))


@body
def is_settled(layer, itemsize):
    """Do both halves of the first block add to the same weights? Then they do so in scratch: `settle` brings it in."""
    return not is_wide(layer.C, itemsize) and not by_channels(layer, itemsize)
