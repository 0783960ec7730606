"""The products with the matrices B, G and A of conv_winograd.py, and with the last two transposed, on vectors."""

from ..compiler.decorators import force_inline
from ..compiler.simd import add, filled, fma, load


@force_inline
def load_six(
    array,  # any shape
    place,
    step,  # elements from one vector to the next
    count,
):
    """Return six vectors."""
    return (
        load(array, place, count),
        load(array, place + step, count),
        load(array, place + 2 * step, count),
        load(array, place + 3 * step, count),
        load(array, place + 4 * step, count),
        load(array, place + 5 * step, count),
    )


@force_inline
def times_b(x0, x1, x2, x3, x4, x5):  # vectors
    """Return B x."""
    minus, less_two, less_four = filled(-1, x0), filled(-2, x0), filled(-4, x0)
    far, near = fma(less_four, x2, x4), fma(less_four, x1, x3)
    even, odd = fma(minus, x2, x4), fma(minus, x1, x3)
    first = fma(filled(4, x0), x0, fma(filled(-5, x0), x2, x4))
    last = fma(filled(4, x0), x1, fma(filled(-5, x0), x3, x5))
    return first, add(far, near), fma(minus, near, far), fma(filled(2, x0), odd, even), fma(less_two, odd, even), last


@force_inline
def times_g(w0, w1, w2):  # vectors
    """Return G w."""
    sixth, quarter = filled(1 / 6, w0), filled(1 / 4, w0)
    zero, half = filled(0, w0), filled(1 / 2, w0)
    outer = fma(filled(-1, w0), add(w0, w2), zero)  # -(w0 + w2)
    steep = fma(filled(1 / 24, w0), w0, fma(sixth, w2, zero))
    middle = fma(sixth, w1, zero)
    return (
        fma(quarter, w0, zero),
        fma(sixth, outer, fma(filled(-1, w0), middle, zero)),
        fma(sixth, outer, middle),
        fma(half, middle, steep),
        fma(filled(-1 / 2, w0), middle, steep),
        w2,
    )


@force_inline
def times_a(m0, m1, m2, m3, m4, m5):  # vectors
    """Return A m."""
    minus = filled(-1, m0)
    small, small_difference = add(m1, m2), fma(minus, m2, m1)
    large, large_difference = add(m3, m4), fma(minus, m4, m3)
    return (
        add(add(m0, small), large),
        fma(filled(2, m0), large_difference, small_difference),
        fma(filled(4, m0), large, small),
        add(fma(filled(8, m0), large_difference, small_difference), m5),
    )


@force_inline
def times_a_transposed(g0, g1, g2, g3, *beyond):  # vectors
    """Return A^T g. What is beyond a tile is ignored: `times_b` takes six vectors."""
    minus, four = filled(-1, g0), filled(4, g0)
    even, odd = add(g0, g2), add(g1, g3)
    steep_even, steep_odd = fma(four, g2, g0), fma(four, g3, g1)
    return (
        g0,
        add(even, odd),
        fma(minus, odd, even),
        fma(filled(2, g0), steep_odd, steep_even),
        fma(filled(-2, g0), steep_odd, steep_even),
        g3,
    )


@force_inline
def times_g_transposed(m0, m1, m2, m3, m4, m5):  # vectors
    """Return G^T m."""
    minus, sixth, zero = filled(-1, m0), filled(1 / 6, m0), filled(0, m0)
    small, small_difference = add(m1, m2), fma(minus, m1, m2)
    large, large_difference = add(m3, m4), fma(minus, m4, m3)
    less = fma(filled(-1 / 6, m0), small, zero)
    return (
        fma(filled(1 / 4, m0), m0, fma(filled(1 / 24, m0), large, less)),
        fma(sixth, small_difference, fma(filled(1 / 12, m0), large_difference, zero)),
        add(fma(sixth, large, less), m5),
    )
