"""Element by element over flat arrays and the rows of a map: copies, fetches, ReLU backward, the bias gradient."""

from ..compiler.decorators import body
from ..compiler.simd import choose, filled, fma, greater, lane_count, load, prefetch, store


@body
def copy(
    source,  # (.,)
    place,
    target,  # (.,), overwritten from `start` on
    start,
    size,
):
    """Copy between flat arrays: target[start : start+size] = source[place : place+size]."""
    lanes = lane_count(target)
    for i in range(0, size, lanes):
        store(target, start + i, size - i, load(source, place + i, size - i))


@body
def prefetch_range(
    array,  # (.,) or more axes, contiguous
    start,
    size,
):
    """Prefetch the cache lines of array[start : start+size]."""
    for i in range(start, start + size, 64 // array.itemsize):
        prefetch(array, i)


@body
def relu_backward(
    work,
    out,  # offset in work: what ReLU returned
    gradient,  # offset in work: of out
    size,
    target,  # offset in work: of ReLU's input, overwritten
):
    """Copy `size` gradients, and zeros where ReLU returned 0: target = gradient * (out > 0)."""
    lanes = lane_count(work)
    for i in range(0, size, lanes):
        values = load(work, gradient + i, size - i)
        zero = filled(0, values)
        alive = greater(load(work, out + i, size - i), zero)
        store(work, target + i, size - i, choose(alive, values, zero))


@body
def conv2d_backward_bias(
    grad_map,  # (H+2, W+2, OC)
    share,  # of it without its border
    scale,
    out,  # (H, W, OC), or (1, 1, OC): then the sum over all positions; added to; last stride 1
):
    """Add scale * grad_map to the bias, or to its gradient: out[y,x,o] += scale * grad_map[y+1,x+1,o]."""
    _, width, OC = grad_map.shape
    BH, BW, _ = out.shape
    top, bottom, first, stop = share
    lanes = lane_count(out)
    times = filled(scale, load(out, 0, 0))
    down = out.strides[0] // out.itemsize if BH > 1 else 0
    across = out.strides[1] // out.itemsize if BW > 1 else 0
    together = width - 2 if across == stop - first == OC else 1  # pixels that are adjacent in both arrays
    size = (together - 1) * OC + stop - first
    for y in range(top, bottom):
        for x in range(0, width - 2, together):
            target = y * down + x * across + first
            source = ((y + 1) * width + x + 1) * OC + first
            for c in range(0, size, lanes):
                gradient = load(grad_map, source + c, size - c)
                store(out, target + c, size - c, fma(times, gradient, load(out, target + c, size - c)))
