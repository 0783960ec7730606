"""The products with the matrices B, G and A of conv_winograd.py, each on a tuple of vectors."""

from ..compiler.decorators import force_inline
from ..compiler.simd import add, filled, fma


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
