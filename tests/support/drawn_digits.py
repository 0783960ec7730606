"""Pictures of digits as people draw them in a paint program and photograph them with a phone, and pictures of none."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

# How people write each digit, in a box of 60 x 100, y down: M moves the pen, L draws a line to a point, C a cubic
# Bezier curve by two control points and its end. None is one of jitnet's built-in digits.
HANDS = {
    0: (
        "M30 0 C8 0 0 25 0 50 C0 80 12 100 30 100 C50 100 60 76 60 50 C60 22 48 0 30 0",
        "M40 4 C18 -4 8 30 8 55 C8 85 20 100 32 100 C48 100 54 70 52 45 C50 18 42 2 26 6",
        "M32 10 C10 10 -6 30 -4 55 C-2 82 14 96 34 95 C58 94 68 70 66 48 C64 24 50 8 30 12",
        "M36 2 C14 2 2 30 4 58 C6 86 20 100 34 98 C54 94 60 66 56 40 C54 22 48 10 40 6",
    ),
    1: (
        "M30 0 L30 100",
        "M38 0 L22 100",
        "M12 24 L34 0 L34 100",
        "M12 22 L32 0 L32 100 M10 100 L54 100",
        "M4 38 L36 0 L36 100",
    ),
    2: (
        "M4 24 C4 6 18 0 30 0 C48 0 56 12 54 28 C52 48 20 72 2 98 L60 98",
        "M6 20 C14 0 50 -6 54 22 C56 46 30 78 10 92 C0 98 -2 84 10 84 C24 84 40 100 60 92",
        "M4 14 C16 0 52 0 52 26 C52 50 26 66 4 100 C20 94 40 96 58 98",
        "M4 8 C20 -2 44 -4 50 10 C56 30 34 56 2 96 L58 94",
    ),
    3: (
        "M4 10 C16 -4 52 -4 52 22 C52 40 34 46 20 46 C38 46 58 52 58 74 C58 100 20 106 2 88",
        "M6 2 L52 2 L26 40 C46 38 60 52 58 72 C56 98 24 104 2 90",
        "M2 16 C10 0 46 -6 48 18 C50 36 34 46 18 50 C44 44 62 60 54 82 C46 102 14 102 0 88",
        "M8 4 C28 -2 50 4 48 20 C46 36 30 42 16 46 C26 44 56 46 52 74 C50 94 20 102 4 98",
    ),
    4: (
        "M14 0 L4 56 L58 56 M44 6 L44 100",
        "M44 100 L44 0 L2 66 L60 66",
        "M10 4 C8 20 4 40 8 48 C20 54 40 52 52 46 M52 0 C50 30 46 70 44 100",
        "M38 0 L2 62 L62 58 M42 34 L40 100",
    ),
    5: (
        "M50 2 L12 2 L8 44 C24 34 54 36 56 66 C58 98 22 106 2 90",
        "M12 4 L8 42 C30 34 54 44 54 68 C54 98 20 102 4 92 M12 4 L52 2",
        "M54 4 C30 0 12 6 10 24 C8 44 52 40 52 70 C52 98 20 104 2 90",
        "M48 0 L14 4 C12 18 10 30 6 46 C26 36 50 46 50 70 C50 94 24 104 0 92",
    ),
    6: (
        "M46 2 C20 14 2 44 4 72 C6 98 50 106 54 76 C56 50 16 48 6 74",
        "M34 0 C14 24 4 50 6 76 C10 100 44 104 48 80 C50 58 20 54 8 80",
        "M30 0 C24 30 8 60 10 80 C14 104 48 102 50 80 C50 60 26 58 12 74",
        "M54 12 C40 -6 8 10 4 56 C2 92 20 102 34 100 C56 96 60 64 40 56 C24 50 8 60 6 74",
    ),
    7: (
        "M2 2 L58 2 L22 100",
        "M2 4 L56 2 L24 100 M14 52 L50 48",
        "M4 14 L6 2 L58 4 C48 30 32 60 30 100",
        "M2 10 C16 -2 40 4 58 0 C46 24 28 60 20 100",
    ),
    8: (
        "M46 14 C34 -6 4 0 8 24 C12 44 54 52 56 76 C56 104 4 106 4 78 C4 54 50 44 50 20 C50 14 48 12 46 14",
        "M30 48 C8 46 4 0 30 0 C56 0 52 46 30 48 C0 50 -2 100 30 100 C62 100 60 50 30 48",
        "M56 10 C44 -6 16 -2 18 20 C20 40 48 54 42 82 C38 104 4 104 4 82 C4 56 50 40 54 16",
        "M32 50 C10 40 4 4 32 2 C60 0 52 36 32 50 C8 64 -6 98 28 100 C62 100 56 66 32 50",
    ),
    9: (
        "M52 22 C48 -4 8 -6 6 24 C4 52 44 54 52 24 L50 100",
        "M54 20 C44 -6 6 -2 6 26 C8 54 46 50 54 20 C56 60 48 96 10 98",
        "M48 8 C24 -6 2 10 6 34 C12 56 44 46 50 14 C50 40 44 80 36 100",
        "M30 0 C0 0 0 50 28 50 C58 50 58 0 30 0 M54 22 C54 50 46 80 40 100",
    ),
}
_FINE = 3  # pixels drawn for one of the picture's, each way
Drawing = Callable[[np.random.Generator, int], Image.Image]


def strokes(digit: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return a digit as a hand writes it: points (P, 2) of each stroke, its height 1, its middle at the origin."""
    lines = [_points(stroke) for stroke in rng.choice(HANDS[digit]).split("M")[1:]]
    turn, slant, width = np.deg2rad(rng.uniform(-10, 10)), rng.uniform(-0.15, 0.15), rng.uniform(0.85, 1.15)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[width, slant], [0, 1]]
    phase, waves = rng.uniform(0, 2 * np.pi, (2, 2)), rng.uniform(1, 2.5, (2, 2))
    written = []
    for line in lines:
        line = (line - [30, 50]) / 100
        shaken = line + 0.012 * np.sin(2 * np.pi * (line @ waves) + phase[0]) + rng.normal(0, 0.0015, line.shape)
        written.append(shaken @ matrix.T)
    return written


def _points(stroke: str) -> np.ndarray:
    """Return the points (P, 2) of a stroke in the notation of HANDS, without its M."""
    words = stroke.replace("L", " L ").replace("C", " C ").split()
    found, at = [np.array(words[:2], float)], 2
    while at < len(words):
        if words[at] == "L":
            ends, t = np.array(words[at + 1 : at + 3], float), np.linspace(0, 1, 13)[1:, None]
            found.extend(found[-1] * (1 - t) + ends * t)
            at += 3
        else:
            (one, two, end), t = np.array(words[at + 1 : at + 7], float).reshape(3, 2), np.linspace(0, 1, 25)[1:, None]
            found.extend((1 - t) ** 3 * found[-1] + 3 * t * (1 - t) ** 2 * one + 3 * t**2 * (1 - t) * two + t**3 * end)
            at += 7
    return np.stack(found)


def ink(
    digit: int,
    rng: np.random.Generator,
    size: tuple[int, int] = (280, 280),  # width, height of the picture
    tall: tuple[float, float] = (0.5, 0.75),  # height of the digit, of the picture's shorter side
    pen: tuple[float, float] = (0.05, 0.14),  # width of the pen, of the digit's height
    place: float = 0.5,  # of the free space that the digit may be away from the middle
    hard: bool = False,  # without grey levels at its edges
) -> np.ndarray:
    """Return the ink (H, W) from 0 to 1 of a digit drawn with a round pen."""
    height = rng.uniform(*tall) * min(size)
    width = max(1.5, rng.uniform(*pen) * height)
    lines = [line * height for line in strokes(digit, rng)]
    every = np.concatenate(lines)
    low, high = every.min(axis=0) - width, every.max(axis=0) + width
    free = np.maximum(np.array(size) - (high - low), 0) / 2
    middle = np.array(size) / 2 - (low + high) / 2 + free * rng.uniform(-place, place, 2)
    scale = 1 if hard else _FINE
    canvas = Image.new("L", (size[0] * scale, size[1] * scale))
    draw = ImageDraw.Draw(canvas)
    half = width * scale / 2
    for line in lines:
        points = [tuple(point) for point in (line + middle) * scale]
        draw.line(points, 255, round(2 * half))
        for x, y in points:
            draw.ellipse((x - half, y - half, x + half, y + half), fill=255)
    return np.asarray(canvas.resize(size, Image.Resampling.BOX), float) / 255


def _on(drawn: np.ndarray, pen: float | np.ndarray, paper: float | np.ndarray) -> Image.Image:
    """Return ink (H, W) on paper, whose levels are numbers or (H, W)."""
    return Image.fromarray(np.clip(np.rint(paper + (pen - paper) * drawn), 0, 255).astype(np.uint8))


def _light(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Return the levels (H, W) of grey paper in uneven light, with the noise of a camera."""
    y, x = np.mgrid[0 : 1 : size[1] * 1j, 0 : 1 : size[0] * 1j]
    turn = rng.uniform(0, 2 * np.pi)
    across = (x - 0.5) * np.cos(turn) + (y - 0.5) * np.sin(turn)
    dark = 1 - rng.uniform(0, 0.5) * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    return (rng.uniform(150, 220) + rng.uniform(20, 90) * across) * dark + rng.normal(0, rng.uniform(1, 4), x.shape)


def _paint(rng: np.random.Generator, digit: int) -> Image.Image:
    return _on(ink(digit, rng, hard=True), 0, 255)


def _phone(rng: np.random.Generator, digit: int) -> Image.Image:
    grey = ink(digit, rng, (360, 560))[..., None]
    return Image.fromarray(np.rint(255 + (rng.integers(0, 120, 3) - 255) * grey).astype(np.uint8))


def _thick(rng: np.random.Generator, digit: int) -> Image.Image:
    return _on(ink(digit, rng, tall=(0.6, 0.85), pen=(0.15, 0.2)), 0, 255)


def _thin(rng: np.random.Generator, digit: int) -> Image.Image:
    return _on(ink(digit, rng, tall=(0.5, 0.85), pen=(0.01, 0.03)), 0, 255)


def _aside(rng: np.random.Generator, digit: int) -> Image.Image:
    return _on(ink(digit, rng, (400, 300), (0.3, 0.5), place=0.95), 20, 250)


def _small(rng: np.random.Generator, digit: int) -> Image.Image:
    return _on(ink(digit, rng, (480, 480), (0.1, 0.18), place=0.8), 10, 255)


def _inverted(rng: np.random.Generator, digit: int) -> Image.Image:
    return _on(ink(digit, rng), rng.uniform(180, 255), rng.uniform(0, 60))


def _grey(rng: np.random.Generator, digit: int) -> Image.Image:
    size = (400, 300)
    return _on(ink(digit, rng, size, (0.35, 0.7)), rng.uniform(20, 80), _light(rng, size))


def _transparent(rng: np.random.Generator, digit: int) -> Image.Image:
    drawn = ink(digit, rng)
    layers = np.zeros((*drawn.shape, 4), np.uint8)
    layers[..., :3] = rng.choice([0, 40, 255])  # black, dark or white ink; the pixels without ink have its colour too
    layers[..., 3] = np.rint(255 * drawn)
    return Image.fromarray(layers)


def _blurred(rng: np.random.Generator, digit: int) -> Image.Image:
    return _on(ink(digit, rng), 30, 235).filter(ImageFilter.GaussianBlur(rng.uniform(2, 6)))


def _photo(rng: np.random.Generator, digit: int) -> Image.Image:
    size = (600, 800)
    drawn = ink(digit, rng, size, (0.25, 0.6), place=0.7)
    return _on(drawn, rng.uniform(20, 70), _light(rng, size)).filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2.5)))


WAYS: dict[str, Drawing] = {
    "paint program": _paint,
    "phone screen": _phone,
    "thick pen": _thick,
    "thin pen": _thin,
    "off-centre": _aside,
    "small": _small,
    "inverted": _inverted,
    "grey gradient": _grey,
    "transparent": _transparent,
    "blurred": _blurred,
    "JPEG": _grey,
    "photograph": _photo,
}


def draw_all(folder: Path, each: int, seed: int = 0) -> int:
    """Write `each` pictures of each digit in each way to folder/WAY/DIGIT-NUMBER.png, or .jpg; return how many."""
    for at, (way, draw) in enumerate(WAYS.items()):
        (folder / way).mkdir(parents=True)
        jpeg = {"JPEG": (12, 35), "photograph": (50, 90)}.get(way)
        for digit in range(10):
            for number in range(each):
                rng = np.random.default_rng([seed, at, digit, number])
                path, picture = folder / way / f"{digit}-{number}", draw(rng, digit)
                if jpeg:
                    picture.save(path.with_suffix(".jpg"), quality=int(rng.integers(*jpeg)))
                else:
                    picture.save(path.with_suffix(".png"))
    return len(WAYS) * 10 * each


def render_fonts(folder: Path, fonts: list[str]) -> None:
    """Write the digits of fonts, given by their files, to folder/FONT/DIGIT.png: black on white."""
    for name in fonts:
        font = ImageFont.truetype(name, 120)
        place = folder / Path(name).stem
        place.mkdir(parents=True)
        for digit in range(10):
            picture = Image.new("L", (200, 200), 255)
            ImageDraw.Draw(picture).text((100, 100), str(digit), 0, font, anchor="mm")
            picture.save(place / f"{digit}.png")


def no_digits(rng: np.random.Generator) -> Iterator[tuple[str, Image.Image]]:
    """Yield pictures without a digit, or with more than one, each with its kind."""
    size = (280, 280)
    for level in (0, 90, 255):
        yield "empty", Image.new("L", size, level)
    yield "empty", Image.new("RGBA", size, (0, 0, 0, 0))
    for _ in range(8):
        yield "almost uniform", _on(np.zeros(size), 0, _light(rng, size))
        yield "almost uniform", _on(np.zeros(size), 0, rng.normal(rng.uniform(60, 200), rng.uniform(0.5, 4), size))
    for count in (2, 3):
        for _ in range(10):
            digits = [ink(int(rng.integers(10)), rng, (140, 280), (0.6, 0.9), (0.06, 0.12), 0.2) for _ in range(count)]
            yield "several digits", _on(np.concatenate(digits, axis=1), 0, 255)
