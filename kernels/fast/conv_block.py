"""One layer of the table applied to one image: the pieces that the per-sample and the mini-batch driver share.

A share says which rows and channels of a block's output to work on: see halves.py.
"""

import numpy as np

from ..compiler.array_views import view
from ..compiler.decorators import body
from ..compiler.simd import choose, filled, fma, greater, lane_count, load, store
from ..layers.activation import activate, pass_back
from ..layers.convolution import conv2d_backward_weight_sample, conv2d_row, flip_weight
from ..layers.pooling import max_pool2d_backward_sample, max_pool2d_row
from ..table import CONTRACTION, FEW_CHANNELS, NOTHING, RELU, SPARSE_BY_FILTER, WINOGRAD
from .conv_few_channels import conv2d_row_few_channels
from .conv_sparse import channels_first, channels_last, narrow_backward_weight, wide_backward


@body
def load_image(
    image,  # (H, W, C) uint8 or float
    divisor,  # 255 for bytes, 1 for floats
    border,  # 1 in front of a conv, 0 in front of a dense layer
    first,  # row, of those to load
    stop,  # the row behind the last
    work,
    x,  # offset of the image's input in work
):
    """Write rows of an image into its input buffer: work = image / divisor, inside the border."""
    _, W, C = image.shape
    pixels = view(image, first * W * C, (stop - first, W * C))
    for h in range(stop - first):
        start = x + ((first + h + border) * (W + 2 * border) + border) * C
        row = view(work, start, (W * C,))
        for i in range(W * C):
            row[i] = work.dtype.type(pixels[h, i]) / divisor


@body
def output_row(layer, oy, n):
    """Return the offset in work of a row of image n's output."""
    border = layer.border
    return layer.out + n * layer.out_size + ((oy + border) * (layer.OW + 2 * border) + border) * layer.OC


@body
def finish_row(layer, share, oy, rows, kept, work, argmax, n):
    """Pool an output row and apply the activation.

    Row y of the map before the pool lies at work[rows + y % kept * W*OC]; without a pool the output row is there.
    """
    H, W, OH, OW, OC = layer.H, layer.W, layer.OH, layer.OW, layer.OC
    _, _, first, stop = share
    row = output_row(layer, oy, n)
    if layer.pool:
        last = 2 * oy + 2 if 2 * oy + 2 < H else 2 * oy
        max_pool2d_row(
            view(work, rows + 2 * oy % kept * W * OC, (W, OC)),
            view(work, rows + (2 * oy + 1) % kept * W * OC, (W, OC)),
            view(work, rows + last % kept * W * OC, (W, OC)),
            np.int64(layer.activation == RELU),
            first,
            stop,
            view(work, row, (OW, OC)),
            view(argmax, layer.winners + (n * OH + oy) * OW * OC, (OW, OC)),
        )
    if layer.activation > RELU or not layer.pool:
        for ox in range(OW):
            activate(layer.activation, view(work, row + ox * OC + first, (stop - first,)))


@body
def convolve_row(by, x, weight, bias, y, first, stop, out, place):
    """Compute row y of a convolution by the chosen code; see `conv2d_row`."""
    if by == FEW_CHANNELS:
        conv2d_row_few_channels(x, weight, bias, y, first, stop, out, place)
    else:
        conv2d_row(x, weight, bias, y, first, stop, out, place)


@body
def conv_block_forward(layer, share, params, work, argmax, n, scratch):
    """Convolution, bias, activation and pool of image n. Of the map before the pool only three rows are kept."""
    H, W, C, OC = layer.H, layer.W, layer.C, layer.OC
    top, bottom, first, stop = share
    x = view(work, layer.x + n * layer.x_size, (H + 2, W + 2, C))
    weight = view(params, layer.weight, (3, 3, C, OC))
    bias = view(params, layer.bias, (layer.BH, layer.BW, OC))
    ring = scratch + layer.ring
    size = W * OC
    for oy in range(top, bottom):
        if layer.pool:
            for y in range(2 * oy + (oy > top), min(2 * oy + 3, H)):  # row 2*oy is there from the window above
                convolve_row(layer.forward_by, x, weight, bias, y, first, stop, work, ring + y % 3 * size)
        else:
            convolve_row(layer.forward_by, x, weight, bias, oy, first, stop, work, output_row(layer, oy, n))
        finish_row(layer, share, oy, ring, 3, work, argmax, n)


@body
def map_place(layer, slot, scratch):
    """Return the offset in work of the gradient of an image's map; `slot` tells those worked on at once apart."""
    return scratch + layer.grad_map + slot % layer.together * (layer.H + 2) * (layer.W + 2) * layer.OC


@body
def map_gradient(layer, share, work, argmax, n, grad_out, grad_map):
    """Bring the gradient of a conv block's output, work[grad_out:], back to its map before activation and pool.

    It is multiplied by the activation's derivative in place, and the map's is written to work[grad_map:].
    """
    H, W, OH, OW, OC = layer.H, layer.W, layer.OH, layer.OW, layer.OC
    top, bottom, first, stop = share
    border = layer.border
    out = layer.out + n * layer.out_size
    if layer.activation > RELU:
        for y in range(max(top - 1, 0), bottom):  # a row of windows reaches into the share from above
            for x in range(OW):
                inside = out + ((y + border) * (OW + 2 * border) + x + border) * OC + first
                gradient = view(work, grad_out + (y * OW + x) * OC + first, (stop - first,))
                pass_back(layer.activation, view(work, inside, (stop - first,)), gradient)
    if layer.pool:
        winners = view(argmax, layer.winners + n * OH * OW * OC, (OH, OW, OC))
        inside = view(work, grad_map, (H + 2, W + 2, OC))
        max_pool2d_backward_sample(view(work, grad_out, (OH, OW, OC)), winners, 1, share, inside)
    else:
        for y in range(top, bottom):
            for x in range(W):
                gradient = grad_out + (y * W + x) * OC + first
                inside = grad_map + ((y + 1) * (W + 2) + x + 1) * OC + first
                if layer.activation == RELU:
                    row = out + ((y + border) * (W + 2 * border) + x + border) * OC + first
                    stop_behind_relu(work, row, gradient, stop - first, inside)
                else:
                    copy(work, gradient, work, inside, stop - first)


@body
def before_pool(layer, share):
    """Return the share of the map before the pool that belongs to a share of the output."""
    top, bottom, first, stop = share
    if layer.pool:
        return 2 * top, layer.H if bottom == layer.OH else 2 * bottom, first, stop
    return share


@body
def bias_gradient(layer, share, work, grad_map, scale, target, start):
    """Add scale times the gradient of a conv block's bias to target[start:], laid out as params."""
    gradient = view(work, grad_map, (layer.H + 2, layer.W + 2, layer.OC))
    bias = view(target, start + layer.bias, (layer.BH, layer.BW, layer.OC))
    add_bias_gradient(gradient, before_pool(layer, share), scale, bias)


@body
def input_and_weight_gradient(layer, share, work, zeros, n, slot, scratch, scale, target, start, filters):
    """Gradients of a conv block's input, into scratch, and of its weights, times `scale` added to target[start:].

    By filter, the weight gradient is added to work[filters:] instead, (OC, 3, 3, C), for `turn_back` to bring home.
    With target = params, filters = layer.transposed and scale = -lr that is the SGD step itself; with a shard and
    scale = 1 it is the shard's sum. The input's gradient is computed before they change, and is the contribution of the
    share's channels. The caller computes it if it is by WINOGRAD.
    """
    H, W, C, OC = layer.H, layer.W, layer.C, layer.OC
    grad_map = view(work, map_place(layer, slot, scratch), (H + 2, W + 2, OC))
    x = view(work, layer.x + n * layer.x_size, (H + 2, W + 2, C))
    weight = view(target, start + layer.weight, (3, 3, C, OC))
    grad_x = scratch + layer.grad_x + slot * H * W * C
    wanted = layer.input_gradient_by != NOTHING and layer.input_gradient_by != WINOGRAD
    if layer.weight_gradient_by == SPARSE_BY_FILTER:
        turned = view(work, scratch + layer.turned, (OC * (H + 2) * (W + 2),))
        before, after = view(work, layer.transposed, (OC, 3, 3, C)), view(work, filters, (OC, 3, 3, C))
        padded = view(work, scratch + layer.padded, (H + 2, W + 2, C))
        by = layer.input_gradient_by if wanted else NOTHING
        wide_backward(x, grad_map, turned, before, share[2], share[3], by, scale, after, padded)
        if wanted:
            for y in range(H):
                copy(work, scratch + layer.padded + ((y + 1) * (W + 2) + 1) * C, work, grad_x + y * W * C, W * C)
        return
    if wanted:
        flipped, nothing = view(work, layer.transposed, (3, 3, OC, C)), view(work, zeros, (1, 1, C))
        for y in range(H):
            place = grad_x + y * W * C
            convolve_row(layer.input_gradient_by, grad_map, flipped, nothing, y, np.int64(0), C, work, place)
    if layer.weight_gradient_by == CONTRACTION:
        conv2d_backward_weight_sample(x, grad_map, scale, weight, weight)
    else:
        top, bottom, o, stop = before_pool(layer, share)
        narrow_backward_weight(x, grad_map, top, bottom, o, stop, scale, weight)


@body
def turn_weight(layer, params, work):
    """Lay a conv block's weights out for the backward pass, which must see them as they were in the forward pass."""
    weight = view(params, layer.weight, (3, 3, layer.C, layer.OC))
    if layer.weight_gradient_by == SPARSE_BY_FILTER and layer.input_gradient_by != WINOGRAD:
        channels_first(weight, view(work, layer.transposed, (layer.OC, 3, 3, layer.C)))
    elif layer.input_gradient_by != NOTHING:
        flip_weight(weight, view(work, layer.transposed, (3, 3, layer.OC, layer.C)))


@body
def turn_back(layer, share, filters, work, target, start):
    """Bring what was summed filter by filter into the order of params, behind target[start:]."""
    if layer.weight_gradient_by == SPARSE_BY_FILTER:
        channels_last(
            view(work, filters, (layer.OC, 3, 3, layer.C)),
            share[2],
            share[3],
            view(target, start + layer.weight, (3, 3, layer.C, layer.OC)),
        )


@body
def copy(source, place, target, start, size):
    """Copy between flat arrays: target[start : start+size] = source[place : place+size]."""
    lanes = lane_count(target)
    for i in range(0, size, lanes):
        store(target, start + i, size - i, load(source, place + i, size - i))


@body
def stop_behind_relu(work, out, gradient, size, target):
    """Copy `size` gradients inside work, and zeros where ReLU gave 0: target = gradient * (out > 0)."""
    lanes = lane_count(work)
    for i in range(0, size, lanes):
        values = load(work, gradient + i, size - i)
        zero = filled(0, values)
        alive = greater(load(work, out + i, size - i), zero)
        store(work, target + i, size - i, choose(alive, values, zero))


@body
def add_bias_gradient(
    grad_map,  # (H+2, W+2, OC)
    share,  # of it without its border
    scale,
    out,  # (H, W, OC), or (1, 1, OC): then the sum over all positions; added to
):
    """Add scale * grad_map to the bias, or to its gradient: out[y,x,o] += scale * grad_map[y+1,x+1,o]."""
    _, width, OC = grad_map.shape
    BH, BW, _ = out.shape
    top, bottom, first, stop = share
    lanes = lane_count(out)
    times = filled(scale, load(out, 0, 0))
    together = width - 2 if BW > 1 and stop - first == OC else 1  # pixels whose numbers lie side by side in both
    size = (together - 1) * OC + stop - first
    for y in range(top, bottom):
        for x in range(0, width - 2, together):
            target = ((y if BH > 1 else 0) * BW + (x if BW > 1 else 0)) * OC + first
            source = ((y + 1) * width + x + 1) * OC + first
            for c in range(0, size, lanes):
                gradient = load(grad_map, source + c, size - c)
                store(out, target + c, size - c, fma(times, gradient, load(out, target + c, size - c)))
