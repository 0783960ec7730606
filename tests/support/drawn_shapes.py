"""Class folders of drawn circles, squares and triangles, as a user would make them."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

NAMES = ("circle", "square", "triangle")


def draw_shapes(folder: Path, images: int, seed: int = 0, filled: bool = True) -> Path:
    """Write that many pictures of each shape: dark on white, 40 x 32 pixels, anywhere, of any size from 10 pixels."""
    rng = np.random.default_rng(seed)
    for name in NAMES:
        (folder / name).mkdir(parents=True)
        for number in range(images):
            half = int(rng.integers(5, 11))
            x, y = int(rng.integers(half + 1, 39 - half)), int(rng.integers(half + 1, 31 - half))
            ink = tuple(int(level) for level in rng.integers(0, 90, 3))
            style = {"fill": ink} if filled else {"outline": ink, "width": 2}
            picture = Image.new("RGB", (40, 32), "white")
            pen, box = ImageDraw.Draw(picture), (x - half, y - half, x + half, y + half)
            if name == "circle":
                pen.ellipse(box, **style)
            elif name == "square":
                pen.rectangle(box, **style)
            else:
                pen.polygon([(x, box[1]), (box[0], box[3]), (box[2], box[3])], **style)
            picture.save(folder / name / f"{number}.png")
    return folder
