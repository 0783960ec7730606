"""The built-in digits: what stands in for MNIST where MNIST cannot be had."""

import numpy as np

from jitnet.data.content import Report, silent
from jitnet.printing import ONCE

# How each digit is written. A stroke is a smooth curve through its points "x,y", x to the right, y down, and
# the digit reaches from -10 to 10; "/" ends a stroke, so at a corner one stroke ends and another begins.
GLYPHS = {
    0: (
        "1,-10 -4,-8 -6,0 -4,8 0,10 4,8 6,0 5,-7 1,-10 -2,-9",  # round
        "1,-10 -2,-8 -4,1 -3,8 0,10 3,7 4,-1 3,-8 0,-10",  # narrow
        "4,-10 -2,-9 -7,-3 -7,4 -3,9 2,9 6,4 7,-3 4,-8 0,-9",  # wide
    ),
    1: (
        "0,-10 0,10",  # a stroke
        "-4,-6 0,-10 / 0,-10 0,10",  # with a flag
        "-4,-6 0,-10 / 0,-10 0,10 / -5,10 5,10",  # with a flag and a foot
    ),
    2: (
        "-6,-6 -3,-9 2,-10 5,-6 3,-1 -2,5 -6,10 / -6,10 0,10 7,9",  # straight foot
        "-6,-5 -3,-9 2,-9 4,-5 1,2 -4,8 -7,8 -6,5 -2,6 2,9 7,9",  # loop
        "-5,-8 0,-10 5,-7 4,-1 -1,5 -5,9 / -5,9 -1,8 3,10 7,8",  # wavy foot
    ),
    3: (
        "-5,-8 0,-10 5,-7 3,-2 -1,-1 / -1,-1 4,1 6,5 3,9 -2,10 -6,7",  # two bows
        "-5,-10 1,-10 5,-10 / 5,-10 0,-2 / 0,-2 5,0 6,5 2,10 -5,9",  # flat top
        "-5,-7 0,-10 4,-7 2,-2 -2,-1 -1,0 3,0 6,4 4,9 -1,10 -6,8",  # a small loop in the middle
    ),
    4: (
        "-4,-9 -5,-3 -5,1 / -5,1 0,1 6,0 / 4,-9 3,0 3,10",  # open
        "3,-10 -2,-4 -7,3 / -7,3 0,3 7,3 / 3,-10 3,0 3,10",  # closed
        "-4,-9 -6,-3 -4,1 0,1 4,-2 / 5,-9 4,-2 2,10",  # open, round
    ),
    5: (
        "-4,-10 -5,-2 / -5,-2 0,-3 5,1 5,6 1,10 -5,8 / -4,-10 1,-10 5,-10",  # angular
        "6,-10 0,-9 -4,-8 / -4,-8 -5,-2 / -5,-2 0,-3 4,0 4,6 0,10 -6,9",  # in one line
        "6,-9 1,-9 -3,-7 -3,-3 1,-1 4,3 2,8 -2,10 -6,8",  # round, like an S
    ),
    6: (
        "3,-10 -2,-6 -5,1 -5,7 -1,10 4,8 5,4 1,1 -3,3 -5,6",  # curved
        "1,-10 -3,-2 -5,5 -3,9 1,10 4,7 3,4 -1,3 -4,6",  # straight back, small bowl
        "5,-9 0,-9 -5,-3 -6,4 -3,9 2,10 6,6 4,1 -1,0 -5,3",  # wide bowl
    ),
    7: (
        "-6,-9 0,-9 6,-9 / 6,-9 2,0 -1,10",  # plain
        "-6,-9 0,-9 6,-9 / 6,-9 2,0 -2,10 / -3,0 2,0 6,-1",  # with a bar
        "-6,-5 -6,-9 / -6,-9 0,-8 6,-10 / 6,-10 3,-3 1,3 1,10",  # with a hook
        "-6,-8 -3,-9 3,-9 5,-7 3,-1 0,5 -1,10",  # round
    ),
    8: (
        "4,-7 0,-10 -4,-7 -2,-3 3,1 5,6 0,10 -5,6 -3,1 2,-3 4,-7",  # one line
        "0,-10 -4,-8 -4,-3 0,-1 4,-3 4,-8 0,-10 / 0,-1 -5,2 -5,7 0,10 5,7 5,2 0,-1",  # two rings
        "5,-9 0,-10 -4,-7 -1,-3 3,2 3,8 -1,10 -4,7 -2,2 2,-3 5,-8",  # open at the top
    ),
    9: (
        "5,-6 1,-10 -4,-8 -4,-3 0,-1 4,-4 5,-7 / 5,-7 5,1 4,10",  # straight stem
        "5,-7 0,-10 -5,-6 -3,-1 2,-2 5,-7 5,1 2,8 -4,9",  # curved stem
        "4,-9 -1,-9 -4,-5 -2,-2 2,-3 4,-9 / 4,-9 2,0 -1,10",  # slanted stem
    ),
}
STEPS = 6  # straight pieces of a curve from one point to the next
TRAIN, TEST = 60_000, 10_000


def make(seed: int = 0, report: Report = silent) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw the built-in digits: in a second, and the same for any number of threads.

    Parameters
    ----------
    seed : any integer, taken modulo 2**64
    report : takes what takes a while: compiling, the first time

    Returns
    -------
    x_train, y_train, x_test, y_test : uint8, (60000, 28, 28), (60000,), (10000, 28, 28), (10000,).
        Images are light on black, labels in random order and about equally many.
        Test images are those numbered from 60000 on.

    Examples
    --------
    >>> x_train, y_train, x_test, y_test = make(seed=1)
    >>> x_train.shape, y_test.shape
    ((60000, 28, 28), (10000,))
    """
    x_train, y_train = draw(seed, 0, TRAIN, report)
    x_test, y_test = draw(seed, TRAIN, TEST)
    return x_train, y_train, x_test, y_test


def draw(seed: int, first: int, count: int, report: Report = silent) -> tuple[np.ndarray, np.ndarray]:
    """Return a seed's images (count, 28, 28) and labels (count,), both uint8, from number `first` on."""
    from jitnet.kernels.compiler import cache
    from jitnet.kernels.compiler.thread_pool import exclusive  # brings numba, which importing data must not
    from jitnet.kernels.tools.synthetic import draw_digits

    given = arguments(seed, first, count)
    if not cache.is_ready(draw_digits, given):
        report(f"jitnet compiles the code that draws the built-in digits{ONCE}", 0.0)
    with exclusive():
        draw_digits(*given)
    *_, images, labels = given
    return images, labels


def arguments(seed: int, first: int, count: int) -> tuple:
    """Return the arguments of the kernel `draw_digits`; the last two are what it draws."""
    from jitnet.kernels.tools.synthetic import STYLE

    images, labels = np.empty((count, 28, 28), np.uint8), np.empty(count, np.uint8)
    style = np.empty((count, len(STYLE)))
    return np.uint64(seed % 2**64), first, *glyph_arrays(), style, images, labels


def glyph_arrays() -> tuple[np.ndarray, np.ndarray]:
    """Return the table as the kernel takes it: glyphs (G, P, 2), NaN where the pen is up, starts (11,)."""
    glyphs = [polyline(text) for digit in range(10) for text in GLYPHS[digit]]
    points = np.full((len(glyphs), max(map(len, glyphs)), 2), np.nan)
    for row, glyph in zip(points, glyphs):
        row[: len(glyph)] = glyph
    return points, np.cumsum([0, *(len(GLYPHS[digit]) for digit in range(10))])


def polyline(glyph: str) -> np.ndarray:
    """Return a glyph's strokes as points (P, 2), each stroke followed by NaN."""
    strokes = [np.array([point.split(",") for point in stroke.split()], float) for stroke in glyph.split("/")]
    return np.concatenate([part for stroke in strokes for part in (smooth(stroke), np.full((1, 2), np.nan))])


def smooth(points: np.ndarray) -> np.ndarray:
    """Return the Catmull-Rom curve through points (n, 2) in STEPS straight pieces from each to the next."""
    before, start, end, after = (
        np.concatenate([points[:1], points, points[-1:]])[k : k + len(points) - 1, None] for k in range(4)
    )
    t = np.linspace(0, 1, STEPS, endpoint=False)[:, None]
    curve = start + 0.5 * t * (
        end - before + t * (2 * before - 5 * start + 4 * end - after + t * (3 * (start - end) + after - before))
    )
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])
