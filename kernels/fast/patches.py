"""A patch of 3x3 vectors in an array, as a tuple of nine: what a gradient or an input pixel contributes to."""

from ..compiler.decorators import force_inline
from ..compiler.simd import fma, load, store


@force_inline
def add_patch(
    factor,  # vector
    array,  # any shape
    place,
    row,  # elements from one row of the patch to the next
    step,  # elements from one vector of a row to the next
    count,
    sums,  # nine vectors
):
    """Return the sums plus factor times the patch of 3x3 vectors at array.flat[place]."""
    s0, s1, s2, s3, s4, s5, s6, s7, s8 = sums
    s0 = fma(factor, load(array, place, count), s0)
    s1 = fma(factor, load(array, place + step, count), s1)
    s2 = fma(factor, load(array, place + 2 * step, count), s2)
    place += row
    s3 = fma(factor, load(array, place, count), s3)
    s4 = fma(factor, load(array, place + step, count), s4)
    s5 = fma(factor, load(array, place + 2 * step, count), s5)
    place += row
    s6 = fma(factor, load(array, place, count), s6)
    s7 = fma(factor, load(array, place + step, count), s7)
    s8 = fma(factor, load(array, place + 2 * step, count), s8)
    return s0, s1, s2, s3, s4, s5, s6, s7, s8


@force_inline
def load_patch(
    array,  # any shape
    place,
    row,  # as in add_patch
    step,  # as in add_patch
    count,
):
    """Return the patch of 3x3 vectors at array.flat[place]."""
    w0, w1, w2 = load(array, place, count), load(array, place + step, count), load(array, place + 2 * step, count)
    place += row
    w3, w4, w5 = load(array, place, count), load(array, place + step, count), load(array, place + 2 * step, count)
    place += row
    w6, w7, w8 = load(array, place, count), load(array, place + step, count), load(array, place + 2 * step, count)
    return w0, w1, w2, w3, w4, w5, w6, w7, w8


@force_inline
def store_patch(
    sums,  # nine vectors
    scale,  # vector
    array,  # any shape, added to
    place,
    row,  # as in add_patch
    step,  # as in add_patch
    count,
):
    """Add scale times nine sums to the patch at array.flat[place]."""
    for k, total in enumerate(sums):
        here = place + k // 3 * row + k % 3 * step
        store(array, here, count, fma(scale, total, load(array, here, count)))


@force_inline
def scatter_patch(
    factor,  # vector
    weights,  # nine vectors
    array,  # any shape, added to
    place,
    row,  # as in add_patch
    step,  # as in add_patch
    count,
):
    """Add factor times nine vectors to the patch at array.flat[place]."""
    for k, weight in enumerate(weights):
        here = place + k // 3 * row + k % 3 * step
        store(array, here, count, fma(factor, weight, load(array, here, count)))
