"""Small grey pictures as PNG inside the page: digits, filters, feature maps."""

import numpy as np

from jitnet.display.png import address
from jitnet.report.html import Markup, element


def picture(pixels: np.ndarray, alt: str, size: int) -> Markup:
    """Return an image element `size` CSS pixels wide."""
    height = round(size * pixels.shape[0] / pixels.shape[1])
    return element("img", src=address(pixels), alt=alt, width=size, height=height)


def image_bytes(image: np.ndarray) -> np.ndarray:
    """Return an image (H, W, C) as bytes (H, W), or (H, W, 3) of three channels."""
    return image if image.shape[-1] == 3 else image[..., 0]


def tiles(pictures: list[np.ndarray], columns: int) -> np.ndarray:
    """Return pictures of one size as one sheet, a pixel of mid grey between them."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    shape = (rows * (height + 1) + 1, columns * (width + 1) + 1, *pictures[0].shape[2:])
    sheet = np.full(shape, 128, np.uint8)
    for place, each in enumerate(pictures):
        y, x = place // columns * (height + 1) + 1, place % columns * (width + 1) + 1
        sheet[y : y + height, x : x + width] = each
    return sheet
