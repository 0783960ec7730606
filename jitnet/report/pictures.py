"""Small grey pictures as PNG inside the page: digits, filters, feature maps."""

import base64
import struct
import zlib

import numpy as np

from jitnet.report.html import Markup, element


def png(pixels: np.ndarray) -> bytes:
    """Return a greyscale PNG of bytes (H, W), or one in colour of (H, W, 3)."""
    height, width = pixels.shape[:2]
    colour = 0 if pixels.ndim == 2 else 2
    rows = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(pixels, np.uint8))
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def picture(pixels: np.ndarray, alt: str, size: int) -> Markup:
    """Return an image element `size` CSS pixels wide."""
    data = base64.b64encode(png(pixels)).decode()
    height = round(size * pixels.shape[0] / pixels.shape[1])
    return element("img", src=f"data:image/png;base64,{data}", alt=alt, width=size, height=height)


def image_bytes(image: np.ndarray) -> np.ndarray:
    """Return an image (H, W, C) as bytes (H, W), or (H, W, 3) of three channels."""
    return image if image.shape[-1] == 3 else image[..., 0]


def signed(weights: np.ndarray, most: float) -> np.ndarray:
    """Return numbers from -most to most as colours: blue below 0, orange above, white at 0."""
    share = np.clip(weights / (most or 1.0), -1, 1)[..., None]
    orange, blue, white = np.array([217, 95, 2]), np.array([31, 97, 180]), np.array([255, 255, 255])
    colours = np.where(share > 0, white + share * (orange - white), white - share * (blue - white))
    return colours.round().astype(np.uint8)


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
