"""What of a layer each of the two halves of a step works on: a rule about the layer's shape and nothing else.

A share of a conv block is (first row, row behind the last, first channel, channel behind the last) of its output. By
channels, a thread meets the same filters in the forward and the backward pass, so they stay in its core's own cache; by
rows if a half would not fill a vector. A dense layer is cut by its inputs, that is by whole rows of the weights.
"""

import numpy as np

from ..compiler.decorators import body
from ..compiler.simd_ir import VECTOR_BYTES
from ..table import BY_CHANNELS, BY_ROWS


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
def share_of(layer, split, half, itemsize):
    """Return a half's share of a conv block; unsplit, the first half's is all of it and the second's has no rows."""
    if split == BY_CHANNELS:
        cut = middle(layer.OC, itemsize)
        return (np.int64(0), layer.OH, np.int64(0), cut) if half == 0 else (np.int64(0), layer.OH, cut, layer.OC)
    cut = layer.OH // 2 if split == BY_ROWS else layer.OH
    return (np.int64(0), cut, np.int64(0), layer.OC) if half == 0 else (cut, layer.OH, np.int64(0), layer.OC)
