"""Strategies of the property tests: extents around the edges of tiles, vectors and blocks, and values to fill them."""

import numpy as np
from hypothesis import strategies as st

DTYPES = (np.float32, np.float64)

channels = st.sampled_from((1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100))
rows = st.integers(1, 20)  # around the height of a tile
widths = st.integers(1, 30)  # of images
heights = st.integers(1, 7)
batches = st.integers(1, 70)
seeds = st.integers(0, 2**32 - 1)


def normal(seed, dtype, *shape, zeros=0.0):
    """Return normal numbers of which a share is exactly 0."""
    rng = np.random.default_rng([seed, *shape])
    return (rng.standard_normal(shape) * (rng.random(shape) >= zeros)).astype(dtype)


def frame(x):
    """Return images with the border of zeros that convolutions read."""
    return np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
