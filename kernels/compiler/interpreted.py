"""The intrinsics as plain Python: what kernels call when NUMBA_DISABLE_JIT=1 (coverage, race tests, a debugger).

Same names, same arguments, same order of every sum; only the rounding of a fused multiply-add differs.
"""

import numpy as np

from .tile import PANEL_BYTES, VECTOR_BYTES


def view(arena, offset, shape):
    """See array_views.view."""
    return arena.reshape(-1)[offset : offset + int(np.prod(shape))].reshape(shape)


def strided(array, offset, shape, strides):
    """See array_views.strided."""
    flat = np.lib.stride_tricks.as_strided(array, (offset + 1,), (array.itemsize,))[offset:]
    return np.lib.stride_tricks.as_strided(flat, shape, [step * flat.itemsize for step in strides])


def stack_panel(like):
    """See array_views.stack_panel."""
    return np.empty(PANEL_BYTES // like.itemsize, like.dtype)


def contract(a, b, init, scale, out):
    """See contraction.contract."""
    total = np.zeros_like(out)
    for t in range(a.shape[1]):
        for k in range(a.shape[2]):
            total += a[:, t, k, :, None] * b[:, t, k, None, :]
    out[...] = init + scale * total


def add_rows(bias, weight, factors, rows, count, out):
    """See vector_rows.add_rows."""
    total = np.zeros_like(out)
    for n in range(count):
        total += factors[n] * weight[rows[n]]
    out[...] = bias + total


def dots_then_add(weight, rows, factors, count, vector, scale, dots):
    """See simd_rows.dots_then_add."""
    for n in range(count):
        dots[rows[n]] = np.dot(weight[rows[n]], vector)
        weight[rows[n]] += scale * factors[n] * vector


def outputs_of_one_vector(x, weight, init, out, y, w, first, place, outputs):
    """See simd_conv_row.outputs_of_one_vector."""
    size, OC = lane_count(out), weight.shape[3]
    for n in range(outputs):
        window = np.tensordot(x[y : y + 3, w + n : w + n + 3], weight[..., first : first + size], 3)
        out[place + n * OC :][:size] = init[y, w + n, first : first + size] + window


def outputs_of_two_vectors(x, weight, init, out, y, w, first, place, outputs):
    """See simd_conv_row.outputs_of_two_vectors."""
    lanes = lane_count(out)
    outputs_of_one_vector(x, weight, init, out, y, w, first, place, outputs)
    outputs_of_one_vector(x, weight, init, out, y, w, first + lanes, place + lanes, outputs)


def transpose(matrix, out):
    """See vector_rows.transpose."""
    out[...] = matrix.T


def lane_count(array):
    """See simd.lane_count."""
    return VECTOR_BYTES // array.itemsize


def load(array, index, count):
    """See simd.load. A vector is a short array here."""
    lanes = lane_count(array)
    vector = np.zeros(lanes, array.dtype)
    vector[:count] = array.reshape(-1)[index : index + min(count, lanes)]
    return vector


def store(array, index, count, value):
    """See simd.store."""
    array.reshape(-1)[index : index + min(count, value.size)] = value[:count]


def load_bytes(array, index, count, like):
    """See simd.load_bytes."""
    vector = np.zeros_like(like)
    vector[:count] = array.reshape(-1)[index : index + min(count, like.size)]
    return vector


def store_bytes(array, index, count, value):
    """See simd.store_bytes."""
    store(array, index, count, value.astype(np.uint8))


def filled(number, like):
    """See simd.filled."""
    return np.full_like(like, number)


def filled_from(array, index):
    """See simd.filled_from."""
    return np.full(lane_count(array), array.reshape(-1)[index])


def greater(a, b):
    """See simd.greater."""
    return a > b


def greater_or_nan(a, b):
    """See vectors.greater_or_nan."""
    return ~(a <= b)


def unordered(a, b):
    """See vectors.unordered."""
    return np.isnan(a) | np.isnan(b)


def equal(a, b):
    """See simd.equal."""
    return a == b


def choose(mask, a, b):
    """See simd.choose."""
    return np.where(mask, a, b)


def add(a, b):
    """See simd.add."""
    return a + b


def fma(a, b, c):
    """See simd.fma."""
    return a * b + c


def nonzero(a):
    """See simd.nonzero."""
    return sum(1 << n for n in range(a.size) if a[n] != 0)


def lanes_of(bits, like):
    """See simd.lanes_of."""
    return (bits >> np.arange(like.size)) & 1 == 1


def lowest(bits):
    """See simd.lowest."""
    return (bits & -bits).bit_length() - 1


def prefetch(array, index):
    """See simd.prefetch."""


def acquire(array, index):
    """See atomics.acquire. In plain Python one thread claims all halves."""
    return array[index]


def release(array, index, value):
    """See atomics.release."""
    array[index] = value


def exchange(array, index, old, new):
    """See atomics.exchange."""
    if array[index] != old:
        return False
    array[index] = new
    return True


def pause(offer):
    """See atomics.pause."""
    raise AssertionError("a single thread waits for no other")


def fma_chains(operands, rounds, out):
    """See simd_chains.fma_chains; fewer chains are enough here."""
    a, b = operands
    x = np.arange(4, dtype=out.dtype)
    for _ in range(rounds):
        x = x * a + b
    out[0] = x.sum()
