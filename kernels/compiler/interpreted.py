"""The primitives as plain Python: what kernels are made of when NUMBA_DISABLE_JIT=1 (coverage, race tests, a debugger).

Same names, same arguments, same order of every sum; only the rounding of a fused multiply-add differs.
"""

import numpy as np

from .simd_ir import VECTOR_BYTES


def view(arena, offset, shape):
    """See views.view."""
    return arena.reshape(-1)[offset : offset + int(np.prod(shape))].reshape(shape)


def strided(array, offset, shape, strides):
    """See views.strided."""
    flat = array.reshape(-1)[offset:]
    return np.lib.stride_tricks.as_strided(flat, shape, [step * flat.itemsize for step in strides])


def contract(a, b, init, scale, out):
    """See contract.contract."""
    total = np.zeros_like(out)
    for t in range(a.shape[1]):
        for k in range(a.shape[2]):
            total += a[:, t, k, :, None] * b[:, t, k, None, :]
    out[...] = init + scale * total


def add_rows(bias, weight, factors, rows, count, out):
    """See rows.add_rows."""
    total = np.zeros_like(out)
    for n in range(count):
        total += factors[n] * weight[rows[n]]
    out[...] = bias + total


def dot_then_add(row, vector, step):
    """See rows.dot_then_add."""
    result = np.dot(row, vector)
    row += step * vector
    return result


def transpose(matrix, out):
    """See rows.transpose."""
    out[...] = matrix.T


def lane_count(array):
    """See vectors.lane_count."""
    return VECTOR_BYTES // array.itemsize


def load(array, index, count):
    """See vectors.load. A vector is a short array here."""
    lanes = lane_count(array)
    vector = np.zeros(lanes, array.dtype)
    vector[:count] = array.reshape(-1)[index : index + min(count, lanes)]
    return vector


def store(array, index, count, value):
    """See vectors.store."""
    array.reshape(-1)[index : index + min(count, value.size)] = value[:count]


def load_bytes(array, index, count, like):
    """See vectors.load_bytes."""
    vector = np.zeros_like(like)
    vector[:count] = array.reshape(-1)[index : index + min(count, like.size)]
    return vector


def store_bytes(array, index, count, value):
    """See vectors.store_bytes."""
    store(array, index, count, value.astype(np.uint8))


def filled(number, like):
    """See vectors.filled."""
    return np.full_like(like, number)


def greater(a, b):
    """See vectors.greater."""
    return a > b


def greater_or_nan(a, b):
    """See vectors.greater_or_nan."""
    return ~(a <= b)


def unordered(a, b):
    """See vectors.unordered."""
    return np.isnan(a) | np.isnan(b)


def equal(a, b):
    """See vectors.equal."""
    return a == b


def choose(mask, a, b):
    """See vectors.choose."""
    return np.where(mask, a, b)


def add(a, b):
    """See vectors.add."""
    return a + b


def fma(a, b, c):
    """See vectors.fma."""
    return a * b + c


def nonzero(a):
    """See vectors.nonzero."""
    return sum(1 << n for n in range(a.size) if a[n] != 0)


def lowest(bits):
    """See vectors.lowest."""
    return (bits & -bits).bit_length() - 1


def prefetch(array, index):
    """See vectors.prefetch."""


def acquire(array, index):
    """See team.acquire. In plain Python one thread takes all halves."""
    return array[index]


def release(array, index, value):
    """See team.release."""
    array[index] = value


def exchange(array, index, old, new):
    """See team.exchange."""
    if array[index] != old:
        return False
    array[index] = new
    return True


def pause(offer):
    """See team.pause."""
    raise AssertionError("a thread that is alone has nobody to wait for")


def fma_chains(operands, rounds, out):
    """See fma_peak.fma_chains; as many chains of as many numbers, and as little rest, are no use here."""
    a, b = operands
    x = np.arange(4, dtype=out.dtype)
    for _ in range(rounds):
        x = x * a + b
    out[0] = x.sum()
