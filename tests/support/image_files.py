"""Image files as bytes, for tests of the readers."""

from pathlib import Path

import numpy as np

from jitnet.data import pixels
from jitnet.data.readers.images import read_levels


def read_images(path: str | Path) -> list[tuple[str, np.ndarray]]:
    """Read a file as `read_levels` does; return (H, W) uint8, deeper numbers by their own full scale."""
    found = read_levels(path)
    if all(image.dtype == np.uint8 for _, image in found):
        return found
    scale = pixels.scale_of([image for _, image in found], str(path))
    return [(name, pixels.to_bytes(image, scale, str(path))) for name, image in found]
