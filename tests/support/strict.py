"""Arrays for kernels in plain Python that refuse an index outside and -1, which compiled code would not notice.

To be imported with NUMBA_DISABLE_JIT=1, before the other kernels: it checks what the primitives ask for, too.
"""

import math

import numpy as np

from jitnet.kernels.compiler import interpreted


class Strict(np.ndarray):
    """Plain Python takes -1 for the last element; compiled code would write before the array."""

    def __getitem__(self, key):
        _check(key)
        return super().__getitem__(key)

    def __setitem__(self, key, value):
        _check(key)
        super().__setitem__(key, value)


def _check(key):
    for part in key if isinstance(key, tuple) else (key,):
        if isinstance(part, slice) and part.start == part.stop:
            continue  # nothing is read, wherever that is
        ends = (part.start, part.stop) if isinstance(part, slice) else (part,)
        if any(isinstance(end, int | np.integer) and end < 0 for end in ends):
            raise IndexError(f"{key} is before the array")


def _inside(array, first, count):
    if count > 0 and not 0 <= first <= first + count <= array.size:
        raise IndexError(f"elements {first} to {first + count - 1} of {array.size}")


def view(arena, offset, shape):
    _inside(arena, offset, math.prod(map(int, shape)))
    return _view(arena, offset, shape)


def strided(array, offset, shape, strides):
    _inside(array, offset, 1 + sum((n - 1) * step for n, step in zip(shape, strides)))
    return _strided(array, offset, shape, strides)


def load(array, index, count):
    _inside(array, index, min(count, interpreted.lane_count(array)))
    return _load(array, index, count)


def store(array, index, count, value):
    _inside(array, index, min(count, value.size))
    _store(array, index, count, value)


_view, _strided, _load, _store = interpreted.view, interpreted.strided, interpreted.load, interpreted.store
interpreted.view, interpreted.strided, interpreted.load, interpreted.store = view, strided, load, store


def relu_one_too_far(x):
    for i in range(x.size + 1):
        x[i] = max(x[i], 0)


def difference_from_minus_one(x):
    for i in range(x.size):
        x[i] -= x[i - 1]


def a_view_that_is_too_long(x):
    interpreted.view(x, 1, (x.size,))[...] = 0


def rows_with_a_stride_too_wide(x):
    interpreted.strided(x, 0, (4, 4), (5, 1))[...] = 0


def a_vector_over_the_end(x):
    interpreted.store(x, x.size - 2, 3, interpreted.load(x, 0, 3))


PLANTED = (
    relu_one_too_far,
    difference_from_minus_one,
    a_view_that_is_too_long,
    rows_with_a_stride_too_wide,
    a_vector_over_the_end,
)
