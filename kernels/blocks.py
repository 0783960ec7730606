"""One layer of the table applied to one image: the pieces that the per-sample and the mini-batch driver share."""

import numpy as np

from .activation import activate, pass_back
from .convolution import conv2d_backward_weight_sample, conv2d_forward_sample, conv2d_row, flip_weight
from .lanes import VECTOR_BYTES
from .layers import RELU
from .options import body
from .pooling import max_pool2d_backward_sample, max_pool2d_row
from .sparse import (
    channels_first,
    channels_last,
    is_wide,
    narrow_backward_weight,
    wide_backward_input,
    wide_backward_weight,
)
from .vectors import choose, filled, fma, greater, load, store
from .views import view


@body
def load_image(
    image,  # (H, W, C) uint8 or float
    divisor,  # 255 for bytes, 1 for floats
    border,  # 1 in front of a conv, 0 in front of a dense layer
    work,
    x,  # offset of the image's input in work
):
    """Write an image into its input buffer: work = image / divisor, inside the border."""
    H, W, C = image.shape
    for h in range(H):
        row = x + ((h + border) * (W + 2 * border) + border) * C
        for w in range(W):
            for c in range(C):
                work[row + w * C + c] = work.dtype.type(image[h, w, c]) / divisor


@body
def conv_block_forward(layer, params, work, argmax, n, scratch):
    """Convolution, bias, activation and pool of image n. Of the map before the pool only three rows are kept."""
    H, W, C, OH, OW, OC = layer.H, layer.W, layer.C, layer.OH, layer.OW, layer.OC
    x = view(work, layer.x + n * layer.x_size, (H + 2, W + 2, C))
    weight = view(params, layer.weight, (3, 3, C, OC))
    bias = view(params, layer.bias, (layer.BH, layer.BW, OC))
    border = layer.border
    out = layer.out + n * layer.out_size
    if layer.pool:
        ring = scratch + layer.ring
        size = W * OC
        for oy in range(OH):
            for y in range(2 * oy + (oy > 0), min(2 * oy + 3, H)):  # row 2*oy is there from the window above
                conv2d_row(x, weight, bias, y, work, ring + y % 3 * size)
            last = 2 * oy + 2 if 2 * oy + 2 < H else 2 * oy
            row = out + ((oy + border) * (OW + 2 * border) + border) * OC
            max_pool2d_row(
                view(work, ring + 2 * oy % 3 * size, (W, OC)),
                view(work, ring + (2 * oy + 1) % 3 * size, (W, OC)),
                view(work, ring + last % 3 * size, (W, OC)),
                layer.activation == RELU,
                view(work, row, (OW, OC)),
                view(argmax, layer.winners + (n * OH + oy) * OW * OC, (OW, OC)),
            )
            if layer.activation > RELU:
                activate(layer.activation, view(work, row, (OW * OC,)))
    else:
        conv2d_forward_sample(x, weight, bias, border, view(work, out, (H + 2 * border, W + 2 * border, OC)))
        for y in range(border, H + border):
            row = out + (y * (W + 2 * border) + border) * OC
            activate(layer.activation, view(work, row, (W * OC,)))


@body
def conv_block_backward(layer, first, work, argmax, zeros, n, scratch, scale, target, start, by_filter):
    """Gradients of a conv block for image n, added to target[start:] (laid out as params) times `scale`.

    By winners, the weight gradient is added to work[by_filter:] instead, (OC, 3, 3, C), for `turn_back` to bring home.
    With target = params, by_filter = layer.transposed and scale = -lr that is the SGD step itself; with a shard and
    scale = 1 it is the shard's sum. The input's gradient (not of the first layer) is computed before they change.
    """
    H, W, C, OH, OW, OC = layer.H, layer.W, layer.C, layer.OH, layer.OW, layer.OC
    # Between two conv blocks a gradient lives for one image only, in scratch.
    grad_out = scratch + layer.grad_out if layer.border else layer.grad_out + n * OH * OW * OC
    grad_map = view(work, scratch + layer.grad_map, (H + 2, W + 2, OC))
    border = layer.border
    out = layer.out + n * layer.out_size
    if layer.activation > RELU:
        for y in range(OH):
            row = out + ((y + border) * (OW + 2 * border) + border) * OC
            gradient_row = view(work, grad_out + y * OW * OC, (OW * OC,))
            pass_back(layer.activation, view(work, row, (OW * OC,)), gradient_row)
    if layer.pool:
        winners = view(argmax, layer.winners + n * OH * OW * OC, (OH, OW, OC))
        max_pool2d_backward_sample(view(work, grad_out, (OH, OW, OC)), winners, 1, grad_map)
    else:
        for y in range(H):
            inside = scratch + layer.grad_map + ((y + 1) * (W + 2) + 1) * OC
            row = out + ((y + border) * (W + 2 * border) + border) * OC
            if layer.activation == RELU:
                stop_behind_relu(work, row, grad_out + y * W * OC, W * OC, inside)
            else:
                copy(work, grad_out + y * W * OC, work, inside, W * OC)
    add_bias_gradient(grad_map, scale, view(target, start + layer.bias, (layer.BH, layer.BW, OC)))
    x = view(work, layer.x + n * layer.x_size, (H + 2, W + 2, C))
    weight = view(target, start + layer.weight, (3, 3, C, OC))
    grad_x = view(work, scratch + layer.grad_x, (H, W, C))
    if by_winners(layer, work.itemsize):
        if not first:
            padded = view(work, scratch + layer.padded, (H + 2, W + 2, C))
            wide_backward_input(grad_map, view(work, layer.transposed, (OC, 3, 3, C)), padded)
            for y in range(H):
                inside = scratch + layer.padded + ((y + 1) * (W + 2) + 1) * C
                copy(work, inside, work, scratch + layer.grad_x + y * W * C, W * C)
        winners = view(argmax, layer.winners + n * OH * OW * OC, (OH, OW, OC))
        gradient = view(work, grad_out, (OH, OW, OC))
        wide_backward_weight(x, gradient, winners, scale, view(work, by_filter, (OC, 3, 3, C)))
    else:
        if not first:
            flipped = view(work, layer.transposed, (3, 3, OC, C))
            conv2d_forward_sample(grad_map, flipped, view(work, zeros, (1, 1, C)), np.int64(0), grad_x)
        if is_wide(C, work.itemsize):
            conv2d_backward_weight_sample(x, grad_map, scale, weight, weight)
        else:
            narrow_backward_weight(x, grad_map, scale, weight)


@body
def by_winners(layer, itemsize):
    """Is this block's gradient computed from the pool's winners alone? Decided by its shape: see sparse.py."""
    return layer.pool != 0 and is_wide(layer.C, itemsize)


@body
def turn_weight(layer, first, params, work):
    """Lay a conv block's weights out for the backward pass, which must see them as they were in the forward pass."""
    weight = view(params, layer.weight, (3, 3, layer.C, layer.OC))
    if by_winners(layer, work.itemsize):
        channels_first(weight, view(work, layer.transposed, (layer.OC, 3, 3, layer.C)))
    elif not first:
        flip_weight(weight, view(work, layer.transposed, (3, 3, layer.OC, layer.C)))


@body
def clear_by_filter(layer, scratch, work):
    """Begin the sums that `conv_block_backward` makes filter by filter in a shard's scratch."""
    if by_winners(layer, work.itemsize):
        for i in range(scratch + layer.by_filter, scratch + layer.by_filter + 9 * layer.C * layer.OC):
            work[i] = 0


@body
def turn_back(layer, by_filter, work, target, start):
    """Bring what `conv_block_backward` summed filter by filter into the order of params, behind target[start:]."""
    if by_winners(layer, work.itemsize):
        channels_last(
            view(work, by_filter, (layer.OC, 3, 3, layer.C)),
            view(target, start + layer.weight, (3, 3, layer.C, layer.OC)),
        )


@body
def copy(source, place, target, start, size):
    """Copy between flat arrays: target[start : start+size] = source[place : place+size]."""
    lanes = VECTOR_BYTES // target.itemsize
    for i in range(0, size, lanes):
        store(target, start + i, size - i, load(source, place + i, size - i))


@body
def stop_behind_relu(work, out, gradient, size, target):
    """Copy `size` gradients inside work, and zeros where ReLU gave 0: target = gradient * (out > 0)."""
    lanes = VECTOR_BYTES // work.itemsize
    for i in range(0, size, lanes):
        values = load(work, gradient + i, size - i)
        zero = filled(0, values)
        alive = greater(load(work, out + i, size - i), zero)
        store(work, target + i, size - i, choose(alive, values, zero))


@body
def add_bias_gradient(
    grad_map,  # (H+2, W+2, OC)
    scale,
    out,  # (H, W, OC), or (1, 1, OC): then the sum over all positions; added to
):
    """Add scale * grad_map to the bias, or to its gradient: out[y,x,o] += scale * grad_map[y+1,x+1,o]."""
    height, width, OC = grad_map.shape
    BH, BW, _ = out.shape
    lanes = VECTOR_BYTES // out.itemsize
    times = filled(scale, load(out, 0, 0))
    for y in range(height - 2):
        for x in range(width - 2):
            target = ((y if BH > 1 else 0) * BW + (x if BW > 1 else 0)) * OC
            source = ((y + 1) * width + x + 1) * OC
            for c in range(0, OC, lanes):
                gradient = load(grad_map, source + c, OC - c)
                store(out, target + c, OC - c, fma(times, gradient, load(out, target + c, OC - c)))
