"""Small grey pictures in characters, and a bar for each class's probability."""

import os
from collections.abc import Callable

import numpy as np
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.style import Style
from rich.text import Text

from jitnet.display.live.frame import TONES, Glyphs, bar, glyphs_for
from jitnet.printing import printable

WIDEST = 56  # columns of a picture; a larger one is shrunk
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_RAMP = " .:-=+*#%@"  # dark to light
_LIGHT = 96  # grey levels from here on are drawn where there are no greys
_BAR = 24
_NAME = 20  # cells of a class's name


def draw_image(pixels: np.ndarray, glyphs: Glyphs, colour: bool) -> list[Text]:
    """Return a picture (H, W) of bytes, two pixels of a column in each character.

    With `colour` the characters have the pixels' greys; without, they are half blocks where it is light, or in ASCII
    one of ten signs by the mean of both pixels.

    >>> from jitnet.display.live.frame import UNICODE
    >>> [str(line) for line in draw_image(np.array([[0, 255, 255], [0, 0, 255]], np.uint8), UNICODE, False)]
    [' ▀█']
    """
    pixels = _shrunk(pixels)
    if len(pixels) % 2:
        pixels = np.concatenate([pixels, np.zeros_like(pixels[:1])])
    rows = zip(pixels[::2].tolist(), pixels[1::2].tolist())
    if not glyphs.braille:  # a terminal without half blocks
        return [Text("".join(_RAMP[(a + b) * (len(_RAMP) - 1) // 510] for a, b in zip(*row))) for row in rows]
    if not colour:
        return [Text("".join(_BLOCKS[a >= _LIGHT, b >= _LIGHT] for a, b in zip(*row))) for row in rows]
    return [Text.assemble(*(("▀", Style(color=_grey(a), bgcolor=_grey(b))) for a, b in zip(*row))) for row in rows]


def draw_chances(
    chances: np.ndarray, predicted: int, label: int | None, glyphs: Glyphs, name_of: Callable[[int], str] = str
) -> list[Text]:
    """Return a bar for each class's probability; the predicted class and, if known, the true one are marked."""
    lines = []
    names = [printable(name_of(place)) for place in range(len(chances))]
    width = min(_NAME, max(map(cell_len, names)))
    names = [set_cell_size(" " * max(0, width - cell_len(name)) + name, width) for name in names]
    for place, chance in enumerate(chances):
        tone = "accuracy" if place == label else "error" if place == predicted and label is not None else "loss"
        note = " predicted" if place == predicted else ""
        note = f"{note} true" if place == label else note
        pieces = [
            (f"{names[place]} ", ""),
            *bar(float(chance), _BAR, tone, glyphs),
            (f" {100 * chance:5.1f} %", ""),
        ]
        lines.append(Text.assemble(*((text, TONES[name]) for text, name in [*pieces, (note, "strong")])))
    return lines


def print_side_by_side(out: Console, *blocks: list[Text]) -> None:
    """Print blocks of lines side by side, two spaces apart."""
    widths = [max((line.cell_len for line in block), default=0) for block in blocks]
    for row in range(max(map(len, blocks))):
        line = Text("  ")
        for block, width in zip(blocks, widths):
            piece = block[row].copy() if row < len(block) else Text()
            piece.pad_right(width - piece.cell_len + 2)
            line.append_text(piece)
        line.rstrip()
        out.print(line, soft_wrap=True)


def print_prediction(
    out: Console,
    image: np.ndarray,
    chances: np.ndarray,
    label: int | None = None,
    name_of: Callable[[int], str] = str,
) -> None:
    """Print an image (H, W) or (H, W, C) of bytes next to its probabilities (classes,), the classes by their names."""
    glyphs = glyphs_for(out.encoding, os.environ.get("TERM", ""))
    picture = draw_image(single(image), glyphs, out.color_system is not None)
    print_side_by_side(out, picture, draw_chances(chances, int(chances.argmax()), label, glyphs, name_of))


def print_images(out: Console, images: list[np.ndarray]) -> None:
    """Print images (H, W) or (H, W, C) of bytes side by side, as many in a row as fit."""
    glyphs = glyphs_for(out.encoding, os.environ.get("TERM", ""))
    pictures = [draw_image(single(image), glyphs, out.color_system is not None) for image in images]
    across = max(1, out.width // (max(line.cell_len for picture in pictures for line in picture) + 2))
    for start in range(0, len(pictures), across):
        print_side_by_side(out, *pictures[start : start + across])


def single(image: np.ndarray) -> np.ndarray:
    """Return the mean of an image's channels, (H, W) bytes."""
    return image if image.ndim == 2 else image.mean(axis=2).astype(np.uint8)


def as_bytes(values: np.ndarray) -> np.ndarray:
    """Return numbers as bytes, the smallest as 0 and the largest as 255; all 0 where they are all equal."""
    low, high = float(values.min()), float(values.max())
    return np.rint((values - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)


def _shrunk(pixels: np.ndarray) -> np.ndarray:
    """Return a picture of at most `WIDEST` columns: the means of squares."""
    side = -(-pixels.shape[1] // WIDEST)
    if side == 1:
        return pixels
    height, width = max(side, pixels.shape[0] // side * side), pixels.shape[1] // side * side
    padded = np.zeros((height, width))
    padded[: min(height, len(pixels))] = pixels[:height, :width]
    return padded.reshape(height // side, side, width // side, side).mean(axis=(1, 3)).astype(np.uint8)


def _grey(level: int) -> str:
    return f"#{level:02x}{level:02x}{level:02x}"
