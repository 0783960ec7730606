"""Arrays between margins: a write outside is detected, and a read outside returns NaN, which reaches the result."""

import numpy as np

MARGIN = 67  # elements: more than a tile is wide, and odd, so that nothing is aligned to more than an element


def guarded(array):
    """Return a contiguous copy of an array that has a margin before and after it."""
    array = np.asarray(array)
    whole = np.full(array.size + 2 * MARGIN, _sentinel(array.dtype), array.dtype)
    inside = whole[MARGIN : MARGIN + array.size].reshape(array.shape)
    inside[...] = array
    return inside


def unwritten(shape, dtype):
    """Return a guarded output that holds NaN (165 for bytes) where the kernel forgets to write."""
    return guarded(np.full(shape, _sentinel(np.dtype(dtype)), dtype))


def assert_unharmed(*arrays):
    """Check the margins of guarded arrays."""
    for array in arrays:
        whole = array.base
        margins = np.concatenate([whole[:MARGIN], whole[MARGIN + array.size :]])
        expected = np.full(2 * MARGIN, _sentinel(array.dtype), array.dtype)
        assert margins.tobytes() == expected.tobytes(), "a kernel wrote outside its output"


def _sentinel(dtype):
    return np.nan if dtype.kind == "f" else 165
