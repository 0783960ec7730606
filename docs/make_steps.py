"""Draw docs/steps.svg: what `jitnet predict` does to a picture, step by step.

python docs/make_steps.py
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests" / "support")]  # a checkout needs no install
import drawn_digits  # its drawings are those of docs/claims.md

from jitnet.data.pictures.prepare import centred
from jitnet.data.pictures.resize import at_most
from jitnet.display.png import address

PICTURES = (("photograph", 7, 3), ("off-centre", 4, 1), ("inverted", 2, 8), ("thin pen", 3, 5))  # way, digit, seed
SIDE, GAP, TOP = 128, 16, 22  # pixels


def grey(way: str, digit: int, seed: int) -> np.ndarray:
    """Return a drawing (H, W) uint8."""
    return np.asarray(drawn_digits.WAYS[way](np.random.default_rng(seed), digit).convert("L"))


def cell(image: np.ndarray, column: int, row: int) -> str:
    """Return an image (H, W) uint8 in its place, as large as it fits."""
    height, width = image.shape
    scale = SIDE / max(height, width)
    x = column * (SIDE + GAP) + (SIDE - width * scale) / 2
    y = TOP + row * (SIDE + GAP) + (SIDE - height * scale) / 2
    return (
        f'<image x="{x:.1f}" y="{y:.1f}" width="{width * scale:.1f}" height="{height * scale:.1f}" '
        f'style="image-rendering:pixelated" href="{address(image)}"/>'
    )


def main() -> None:
    """Write the picture."""
    cells: list[str] = []
    for row, (way, digit, seed) in enumerate(PICTURES):
        steps = centred(grey(way, digit, seed), 28, 28).steps
        for column, (name, image) in enumerate(steps):
            if row == 0:
                cells.append(f'<text x="{column * (SIDE + GAP) + SIDE / 2}" y="14" text-anchor="middle">{name}</text>')
            cells.append(cell(np.rint(at_most(image, SIDE)).astype(np.uint8), column, row))
    width, height = 4 * (SIDE + GAP) - GAP, TOP + len(PICTURES) * (SIDE + GAP)
    (HERE / "steps.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="#24292f"><rect width="100%" height="100%" fill="#c8d1dc"/>'
        f"{''.join(cells)}</svg>\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
