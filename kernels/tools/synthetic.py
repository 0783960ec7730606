"""The built-in digits: strokes drawn by a random pen, each image a function of (seed, index) alone.

No generator passes a state from one image to the next: every random number is a hash of its purpose. So any image can
be drawn alone, by any thread, in any order, and is the same.
"""

import math

import numpy as np
from numba import prange

from ..compiler.decorators import body, kernel
from ..splitmix64 import splitmix64, uniform, unsigned

TURN = 2.0 * math.pi

# The numbers an image is drawn with, each uniform in its range. Lengths are in parts of the image's height.
(
    LABEL,
    GLYPH,
    THICKNESS,
    SOFTNESS,
    INTENSITY,
    PRESSURE,
    RHYTHM,
    HEIGHT,
    WIDTH,
    SLANT,
    ROTATION,
    RIGHT,
    DOWN,
) = range(13)
WAVES = 13  # from here on the elastic distortion, five numbers a wave
STYLE = np.array(
    [
        (0.0, 10.0),  # label
        (0.0, 1.0),  # glyph, among those of the label
        (0.022, 0.054),  # thickness: the radius of the pen
        (0.018, 0.032),  # softness: half the width of its edge
        (230.0, 400.0),  # intensity, cut at 255
        (0.0, 0.3),  # pressure: by how much the radius changes along a stroke
        (0.0, TURN),  # rhythm: where along it
        (0.031, 0.038),  # height of the glyph's unit
        (0.75, 1.2),  # width of the glyph's unit, in heights
        (-0.2, 0.6),  # slant to the right
        (-0.2, 0.2),  # rotation in radians
        (-0.06, 0.06),  # right of the middle
        (-0.06, 0.06),  # down from the middle
        # Three waves: radians per unit to the right and down, phase, units carried to the right and down.
        # The last two set how hard the digits are. Softmax regression reaches 91 % at 1.5 (and 0.35 radians),
        # 87 % at 1.8, 84 % at 2.0; the documents' CNN 99.5 % at 1.8 after four epochs of Adam.
        *[(-0.3, 0.3), (-0.3, 0.3), (0.0, TURN), (-1.8, 1.8), (-1.8, 1.8)] * 3,
    ]
)


@body
def draw_style(seed, index, style):
    """Draw the numbers of one image: number k is the hash of (seed, index, k), brought into its range."""
    key = splitmix64(splitmix64(seed) + unsigned(index))
    for k in range(len(style)):
        fraction = uniform(splitmix64(key + unsigned(k)))
        style[k] = STYLE[k, 0] + (STYLE[k, 1] - STYLE[k, 0]) * fraction


@body
def distort(x, y, style):
    """Return where the waves carry a point of a glyph. Strokes that meet in a point still meet there."""
    to_x, to_y = x, y
    for k in range(WAVES, len(style), 5):
        height = math.sin(style[k] * x + style[k + 1] * y + style[k + 2])
        to_x += height * style[k + 3]
        to_y += height * style[k + 4]
    return to_x, to_y


@body
def place(x, y, style, H, W):
    """Return the pixel at which a point of a glyph lies: slanted, scaled, rotated, moved."""
    unit = style[HEIGHT] * H
    x, y = (x - style[SLANT] * y) * unit * style[WIDTH], y * unit
    cosine, sine = math.cos(style[ROTATION]), math.sin(style[ROTATION])
    right, down = 0.5 * (W - 1) + style[RIGHT] * H, 0.5 * (H - 1) + style[DOWN] * H
    return right + cosine * x - sine * y, down + sine * x + cosine * y


@body
def draw_line(x0, y0, x1, y1, radius, softness, intensity, out):
    """Draw a line with a round pen whose edge is soft. Where lines overlap the stronger ink stays."""
    H, W = out.shape
    reach = radius + softness
    dx, dy = x1 - x0, y1 - y0
    length2 = max(dx * dx + dy * dy, 1e-12)
    top, bottom = max(0, int(min(y0, y1) - reach)), min(H, int(max(y0, y1) + reach) + 1)
    left, right = max(0, int(min(x0, x1) - reach)), min(W, int(max(x0, x1) + reach) + 1)
    for h in range(top, bottom):
        for w in range(left, right):
            along = min(max(((w - x0) * dx + (h - y0) * dy) / length2, 0.0), 1.0)
            away = math.sqrt((x0 + along * dx - w) ** 2 + (y0 + along * dy - h) ** 2)
            ink = intensity * (reach - away) / (2.0 * softness)
            out[h, w] = max(out[h, w], int(min(max(ink, 0.0), 255.0)))


@body
def draw_glyph(points, style, out):
    """Draw a line from each point of a glyph to the next; a point that is NaN lifts the pen."""
    H, W = out.shape
    out[:, :] = 0
    x0, y0 = math.nan, math.nan
    for p in range(len(points)):
        x, y = distort(points[p, 0], points[p, 1], style)
        x1, y1 = place(x, y, style, H, W)
        if not math.isnan(x0) and not math.isnan(x1):
            radius = style[THICKNESS] * (1.0 + style[PRESSURE] * math.sin(style[RHYTHM] + 0.2 * p))
            draw_line(x0, y0, x1, y1, radius * H, style[SOFTNESS] * H, style[INTENSITY], out)
        x0, y0 = x1, y1


@kernel
def draw_digits(
    seed,  # uint64
    first,  # int64, index of the first image
    glyphs,  # (G, P, 2) float64, points (x, y) of |y| <= 10, y down; NaN lifts the pen
    starts,  # (11,) int64: digit d is written as one of glyphs[starts[d] : starts[d + 1]]
    style,  # (N, K) float64, K = len(STYLE), overwritten by the numbers each image is drawn with
    images,  # (N, H, W) uint8, overwritten
    labels,  # (N,) uint8, overwritten
):
    """Draw a seed's digits number first, first + 1, ...: light on black.

    style[n,k] = low[k] + (high[k] - low[k]) * hash(seed, first + n, k) / 2**64
    images[n,h,w] = max over the lines of glyph n: min(255, intensity * (reach - distance to (h, w)) / edge)

    Parallel : over n; one thread owns style[n], images[n] and labels[n].
    Work     : about N*P*50 distances, at 15 flop each.
    Errors   : none raised, nothing checked; jitnet.data.synthetic.draw allocates what fits.
    Matches  : itself in plain Python within one grey level: tests/kernels/test_synthetic.py.
    Source   : Steele, Lea, Flood (2014), "Fast splittable pseudorandom number generators": the hash.
               Simard, Steinkraus, Platt (2003), "Best practices for convolutional neural networks applied to
               visual document analysis": the elastic distortion.
    """
    for n in prange(len(images)):
        draw_style(seed, first + n, style[n])
        label = int(style[n, LABEL])
        glyph = starts[label] + int(style[n, GLYPH] * (starts[label + 1] - starts[label]))
        labels[n] = label
        draw_glyph(glyphs[glyph], style[n], images[n])
