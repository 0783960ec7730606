"""Pictures at another size: each pixel is the mean over the area that it covers."""

import numpy as np


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return an image (H, W) or (H, W, C) as float32 of (height, width), by means over areas."""
    if image.ndim == 3:
        return np.stack([resized(channel, height, width) for channel in np.moveaxis(image, 2, 0)], axis=2)
    return coverage(image.shape[0], height) @ np.asarray(image, np.float32) @ coverage(image.shape[1], width).T


def coverage(old: int, new: int) -> np.ndarray:
    """Return the (new, old) matrix of how much of each new pixel every old one covers; its rows sum to 1."""
    edges = np.arange(new + 1) * (old / new)
    start, stop = edges[:-1, None], edges[1:, None]
    pixel = np.arange(old)
    covered = np.minimum(stop, pixel + 1) - np.maximum(start, pixel)
    return (np.maximum(covered, 0) * (new / old)).astype(np.float32)


def at_most(image: np.ndarray, side: int) -> np.ndarray:
    """Return an image (H, W) or (H, W, C) as float32 whose longer side is at most `side`."""
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return np.asarray(image, np.float32)
    return resized(image, *(max(1, round(extent * scale)) for extent in image.shape[:2]))


def enlarged(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return an image (h, w) as float32 (height, width), by straight lines between the middles of its pixels."""
    for axis, extent in ((0, height), (1, width)):
        old = image.shape[axis]
        at = np.clip((np.arange(extent) + 0.5) * (old / extent) - 0.5, 0, old - 1)
        low = np.minimum(at.astype(int), max(0, old - 2))
        share = (at - low).astype(np.float32)
        share = share[:, None] if axis == 0 else share
        image = image.take(low, axis) * (1 - share) + image.take(np.minimum(low + 1, old - 1), axis) * share
    return np.asarray(image, np.float32)
