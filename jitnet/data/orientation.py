"""Whether images are transposed, as EMNIST's files hold them: told by how tall the characters are."""

import numpy as np

_INK = 64  # grey levels from here on are ink
_WIDE = 0.9  # handwriting is about 1.4 times as tall as wide, and lying on its side the other way round


def turned(images: np.ndarray, labels: np.ndarray, names: list[str], named: bool) -> str:
    """Return "turned upright" for images (N, H, W) that are transposed, else "upright".

    Data whose files are called EMNIST (`named`) are turned if they are wider than tall; others only if they are the
    ten digits, and their ones are lines from left to right.
    """
    if images.ndim != 3 or images.shape[1] != images.shape[2] or np.median(images[:, 0]) > 16:
        return "upright"
    if named:
        return "turned upright" if _height_to_width(images) < _WIDE else "upright"
    if names != [str(digit) for digit in range(10)]:
        return "upright"
    ones = images[labels == 1]
    if len(ones) and _height_to_width(ones) < 0.7 and _height_to_width(images[:5000]) < _WIDE:
        return "turned upright"
    return "upright"


def _height_to_width(images: np.ndarray) -> float:
    """Return the mean height of the ink over its mean width."""
    ink = images >= _INK
    rows: np.ndarray = np.any(ink, axis=2)  # (N, H)
    columns: np.ndarray = np.any(ink, axis=1)  # (N, W)
    heights = rows.shape[1] - rows[:, ::-1].argmax(axis=1) - rows.argmax(axis=1)
    widths = columns.shape[1] - columns[:, ::-1].argmax(axis=1) - columns.argmax(axis=1)
    drawn = np.any(rows, axis=1)
    return float(heights[drawn].mean() / widths[drawn].mean()) if drawn.any() else 1.0
