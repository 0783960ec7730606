"""The order in which an epoch sees its images."""

import numpy as np

from jitnet.config import Settings


def visiting_order(images: int, settings: Settings, epoch: int) -> np.ndarray:
    """Return the order (int64) in which an epoch sees its images: the file's, or a shuffle by (seed, epoch) alone.

    The shuffle is the stable sort of 0..images-1 by splitmix64(splitmix64(splitmix64(seed) + epoch) + i): no hidden
    state, so that a resume at any step, and another language, find the same order.
    """
    if not settings.shuffle:
        return np.arange(images)
    epoch_key = splitmix64(splitmix64(np.array([settings.seed], np.uint64)) + np.uint64(epoch))
    return np.argsort(splitmix64(epoch_key + np.arange(images, dtype=np.uint64)), kind="stable")


def splitmix64(x: np.ndarray) -> np.ndarray:
    """One output of the splitmix64 generator (Steele, Lea, Flood 2014) for each state."""
    z = x + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
