"""Random changes of images: moved, turned, scaled, sheared and bent, each by numbers of (seed, epoch, image) alone.

No generator passes a state from one image to the next: any image can be made alone, by any thread, in any order, and
after a resume, and is the same.
"""

import math

from numba import prange

from ..compiler.decorators import body, kernel
from ..splitmix64 import splitmix64, uniform, unsigned

PURPOSE = 0x6175_676D_656E_7400  # so that dropout and the shuffle, of the same seed, draw other numbers
KNOTS = 4  # of the bending, along each axis


@body
def drawn(row, k):
    """Return number k of an image, uniform in [-1, 1)."""
    return 2 * uniform(splitmix64(row + unsigned(k))) - 1


@body
def knot(row, axis, i, j):
    """Return what the bending adds at one of KNOTS x KNOTS places, in [-1, 1)."""
    return drawn(row, 8 + (axis * KNOTS + i) * KNOTS + j)


@body
def bend_row(row, axis, v, H):
    """Return what the bending adds at the knots' columns of pixel row v: linear between two rows of knots."""
    t = v * (KNOTS - 1) / max(1, H - 1)
    i = min(KNOTS - 2, int(t))
    t -= i
    return (
        (1 - t) * knot(row, axis, i, 0) + t * knot(row, axis, i + 1, 0),
        (1 - t) * knot(row, axis, i, 1) + t * knot(row, axis, i + 1, 1),
        (1 - t) * knot(row, axis, i, 2) + t * knot(row, axis, i + 1, 2),
        (1 - t) * knot(row, axis, i, 3) + t * knot(row, axis, i + 1, 3),
    )


@body
def between(values, u, W):
    """Return the value at pixel column u, linear between the knots' columns."""
    s = u * (KNOTS - 1) / max(1, W - 1)
    j = min(KNOTS - 2, int(s))
    return (1 - (s - j)) * values[j] + (s - j) * values[j + 1]


@body
def sample(x, y, column, c):
    """Return channel c of x (H, W, C) between four pixels; beyond the edge its pixels are repeated."""
    H, W, _ = x.shape
    y, column = min(max(y, 0.0), H - 1.0), min(max(column, 0.0), W - 1.0)
    i, j = int(y), int(column)
    below, right = min(i + 1, H - 1), min(j + 1, W - 1)
    t, s = y - i, column - j
    top = (1 - s) * x[i, j, c] + s * x[i, right, c]
    bottom = (1 - s) * x[below, j, c] + s * x[below, right, c]
    return (1 - t) * top + t * bottom


@kernel
def augment_images(
    images,  # (n, H, W, C) uint8, float32 or float64
    rows,  # (N,) int64: the images to change
    seed,  # integer >= 0, of the run
    epoch,  # integer >= 0
    amounts,  # (5,) float64: shift in pixels, rotation in radians, scale, shear, bending in pixels; the largest of each
    out,  # like images; out[rows[n]] is overwritten
):
    """Give each image random changes of at most these amounts.

    out[v,u] = x at s(v, u) = centre + M^-1 ((v, u) - centre - shift) + bending(v, u), linear between the pixels,
    M = rotation(a) * shear(h) * diag(exp(sy), exp(sx)),   a, h, sy, sx, shift and the bending's knots uniform

    Parallel : over n; one thread owns out[rows[n]].
    Work     : about 60*N*H*W*C flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.augment_images.
    Source   : Simard, Steinkraus, Platt (2003), section 2; the bending is linear between knots, not smoothed noise.
    """
    _, H, W, C = images.shape
    key = splitmix64(splitmix64(splitmix64(seed) + unsigned(PURPOSE)) + unsigned(epoch))
    whole = 0.5 if images.itemsize == 1 else 0.0  # bytes are rounded
    middle_y, middle_x = (H - 1) / 2, (W - 1) / 2
    for n in prange(len(rows)):
        image, row = images[rows[n]], splitmix64(key + unsigned(rows[n]))
        to_y, to_x = amounts[0] * drawn(row, 0), amounts[0] * drawn(row, 1)
        cosine, sine = math.cos(amounts[1] * drawn(row, 2)), math.sin(amounts[1] * drawn(row, 2))
        scale_y, scale_x = math.exp(-amounts[2] * drawn(row, 3)), math.exp(-amounts[2] * drawn(row, 4))
        shear = amounts[3] * drawn(row, 5)
        for v in range(H):
            bend_y = bend_x = (0.0, 0.0, 0.0, 0.0)
            if amounts[4] > 0:
                bend_y, bend_x = bend_row(row, 0, v, H), bend_row(row, 1, v, H)
            for u in range(W):
                # M^-1: the rotation back, then the shear, then the scales.
                y, x = v - middle_y - to_y, u - middle_x - to_x
                y, x = cosine * y + sine * x, cosine * x - sine * y
                y, x = scale_y * y, scale_x * (x - shear * y)
                y, x = y + middle_y, x + middle_x
                if amounts[4] > 0:
                    y += amounts[4] * between(bend_y, u, W)
                    x += amounts[4] * between(bend_x, u, W)
                for c in range(C):
                    out[rows[n], v, u, c] = sample(image, y, x, c) + whole
