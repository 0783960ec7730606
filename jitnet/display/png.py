"""Bytes as PNG, without Pillow, for pages and notebooks."""

import base64
import struct
import zlib

import numpy as np


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


def address(pixels: np.ndarray) -> str:
    """Return a picture (H, W) or (H, W, 3) of bytes as the address of an image element."""
    return f"data:image/png;base64,{base64.b64encode(png(pixels)).decode()}"


def signed(weights: np.ndarray, most: float) -> np.ndarray:
    """Return numbers from -most to most as colours (..., 3): blue below 0, orange above, white at 0."""
    share = np.clip(weights / (most or 1.0), -1, 1)[..., None]
    orange, blue, white = np.array([217, 95, 2]), np.array([31, 97, 180]), np.array([255, 255, 255])
    colours = np.where(share > 0, white + share * (orange - white), white - share * (blue - white))
    return colours.round().astype(np.uint8)
