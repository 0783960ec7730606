"""One conv block of the table applied to one image: the functions that both drivers, per_sample and batch, call.

Convolution, pool and activation are one pass over the rows. Each function reads from the layer's record which code it
is computed by. A share says which rows and channels of a block's output to compute: see work_split.py.
"""

import numpy as np

from ..compiler.array_views import strided, view
from ..compiler.decorators import body
from ..table import CONTRACTION, FEW_CHANNELS, NOTHING, RELU, SPARSE_BY_FILTER, SPARSE_INPUT, WINOGRAD
from .activation_in_place import activate, pass_back
from .conv_few_channels import conv2d_row_few_channels
from .conv_rows import conv2d_backward_weight_sample, conv2d_row, flip_weight
from .conv_sparse import from_filter_major, sparse_backward, to_filter_major
from .conv_sparse_input import sparse_input_backward_weight
from .elementwise import conv2d_backward_bias, copy, relu_backward
from .pool_rows import max_pool2d_backward_sample, max_pool2d_row
from .work_split import place_of_bias, place_of_filters


@body
def load_image(
    image,  # (H, W, C) uint8 or float
    divisor,  # 255 for bytes, 1 for floats
    border,  # 1 before a conv, 0 before a dense layer
    first,  # row to load
    stop,  # end of the rows, exclusive
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
def output_row_offset(
    layer,
    oy,  # row of the output
    n,
):
    """Return the offset in work of a row of image n's output."""
    place = (oy + layer.border) * (layer.OW + 2 * layer.border) + layer.border
    return layer.out + n * layer.out_size + place * layer.OC


@body
def winners_offset(layer, share, n):
    """Return the offset in argmax of the winners of image n's channels in a share."""
    return layer.winners + n * layer.OH * layer.OW * layer.OC + (share[2] > 0) * layer.winners_apart


@body
def pool_and_activate_row(
    layer,
    share,
    oy,  # row of the output
    maps,  # offset in work of the map before the pool, (kept, W, OC): row y is at y % kept
    kept,  # rows of it that are there
    work,
    argmax,
    n,
):
    """Pool an output row and apply the activation; without a pool the output row is computed already."""
    H, W, OW, OC = layer.H, layer.W, layer.OW, layer.OC
    first, stop, row = share[2], share[3], output_row_offset(layer, oy, n)
    if layer.pool:
        last = 2 * oy + 2 if 2 * oy + 2 < H else 2 * oy
        max_pool2d_row(
            view(work, maps + 2 * oy % kept * W * OC, (W, OC)),
            view(work, maps + (2 * oy + 1) % kept * W * OC, (W, OC)),
            view(work, maps + last % kept * W * OC, (W, OC)),
            np.int64(layer.activation == RELU),
            first,
            stop,
            view(work, row, (OW, OC)),
            view(argmax, winners_offset(layer, share, n) + oy * OW * OC, (OW if argmax.size > 0 else 0, OC)),
        )
    if layer.activation > RELU or not layer.pool:
        for ox in range(OW):
            activate(layer.activation, view(work, row + ox * OC + first, (stop - first,)))


@body
def convolve_row(
    by,  # FEW_CHANNELS or CONTRACTION
    x,  # (H+2, W+2, C), zero border
    weight,  # (3, 3, C, OC)
    bias,  # (H, W, OC) or (1, 1, OC)
    y,  # row of the output
    first,  # filter
    stop,
    out,  # (.,), holds (W, OC) from `place` on
    place,
):
    """Compute a row of a convolution by the chosen code; see `conv2d_row`."""
    if by == FEW_CHANNELS:
        conv2d_row_few_channels(x, weight, bias, y, first, stop, out, place)
    else:
        conv2d_row(x, weight, bias, y, first, stop, out, place)


@body
def conv_block_forward(
    layer,
    share,
    params,
    work,
    argmax,
    n,
    to,  # the place of its output: n, but see inference_groups.py
    scratch,
):
    """Compute convolution, bias, activation and pool of image n; three rows of the map before the pool are kept."""
    H, W, C, OC = layer.H, layer.W, layer.C, layer.OC
    top, bottom, first, stop = share
    x = view(work, layer.x + n * layer.x_size, (H + 2, W + 2, C))
    start, step = place_of_filters(layer, share, scratch)
    weight = strided(work if layer.own_weight > 0 else params, start, (3, 3, C, OC), (3 * C * step, C * step, step, 1))
    start, step = place_of_bias(layer, share, scratch)
    bias = strided(work if layer.own_bias > 0 else params, start, (layer.BH, layer.BW, OC), (layer.BW * step, step, 1))
    ring, size = scratch + layer.ring, W * OC
    for oy in range(top, bottom):
        if layer.pool:
            for y in range(2 * oy + (oy > top), min(2 * oy + 3, H)):  # row 2*oy is there from the window above
                convolve_row(layer.forward_by, x, weight, bias, y, first, stop, work, ring + y % 3 * size)
        else:
            convolve_row(layer.forward_by, x, weight, bias, oy, first, stop, work, output_row_offset(layer, oy, to))
        pool_and_activate_row(layer, share, oy, ring, 3, work, argmax, to)


@body
def grad_map_offset(layer, slot, scratch):
    """Return the offset in work of the gradient of an image's map, (H+2, W+2, OC); tiles take several at once."""
    return scratch + layer.grad_map + slot % layer.images_per_tile_batch * (layer.H + 2) * (layer.W + 2) * layer.OC


@body
def activation_and_pool_backward(
    layer,
    share,
    work,
    argmax,
    n,
    grad_out,  # offset in work: (OH, OW, OC), multiplied by the activation's derivative in place
    grad_map,  # offset in work: (H+2, W+2, OC), overwritten inside its border
):
    """Compute the gradient of a conv block's map before activation and pool from its output's."""
    H, W, OH, OW, OC = layer.H, layer.W, layer.OH, layer.OW, layer.OC
    top, bottom, first, stop = share
    border, out = layer.border, layer.out + n * layer.out_size
    if layer.activation > RELU:
        for y in range(max(top - 1, 0), bottom):  # a row of windows reaches into the share from above
            for x in range(OW):
                inside = out + ((y + border) * (OW + 2 * border) + x + border) * OC + first
                gradient = view(work, grad_out + (y * OW + x) * OC + first, (stop - first,))
                pass_back(layer.activation, view(work, inside, (stop - first,)), gradient)
    if layer.pool:
        winners = view(argmax, winners_offset(layer, share, n), (OH, OW, OC))
        inside = view(work, grad_map, (H + 2, W + 2, OC))
        max_pool2d_backward_sample(view(work, grad_out, (OH, OW, OC)), winners, 1, share, inside)
    else:
        for y in range(top, bottom):
            for x in range(W):
                gradient = grad_out + (y * W + x) * OC + first
                inside = grad_map + ((y + 1) * (W + 2) + x + 1) * OC + first
                if layer.activation == RELU:
                    row = out + ((y + border) * (W + 2 * border) + x + border) * OC + first
                    relu_backward(work, row, gradient, stop - first, inside)
                else:
                    copy(work, gradient, work, inside, stop - first)


@body
def share_before_pool(layer, share):
    """Return the share of the map before the pool that belongs to a share of the output."""
    top, bottom, first, stop = share
    if layer.pool:
        return 2 * top, layer.H if bottom == layer.OH else 2 * bottom, first, stop
    return share


@body
def conv_backward_bias(
    layer,
    share,
    work,
    grad_map,  # offset in work: (H+2, W+2, OC)
    scale,
    target,  # (.,), the bias is added to: channel o at position p is at start + p*step + o
    start,
    step,  # elements from one position to the next
):
    """Add scale times the gradient of a conv block's bias to a target."""
    gradient = view(work, grad_map, (layer.H + 2, layer.W + 2, layer.OC))
    bias = strided(target, start, (layer.BH, layer.BW, layer.OC), (layer.BW * step, step, 1))
    conv2d_backward_bias(gradient, share_before_pool(layer, share), scale, bias)


@body
def conv_backward_input_and_weight(
    layer,
    weight_gradient_by,  # the layer's, but for a single image in tiles
    share,
    work,
    zeros,  # offset in work: (C,) zeros
    n,
    slot,
    scratch,
    scale,
    target,  # (.,), laid out as params from `start` on: the weight is added to
    start,
    by_filter,  # offset in work: (OC, 3, 3, C), added to instead of target if weight_gradient_by is SPARSE_BY_FILTER
):
    """Compute a conv block's input gradient, into scratch, and add scale times its weight gradient to a target.

    With target = params, by_filter = layer.backward_weight and scale = -lr that is the SGD step itself; with a shard
    and scale = 1 it is the shard's sum. `restore_layout` then adds what is by filter to the target. The input gradient
    is computed before the weights change, and is the contribution of the share's channels; what is by WINOGRAD, the
    caller computes.
    """
    H, W, C, OC = layer.H, layer.W, layer.C, layer.OC
    grad_map = view(work, grad_map_offset(layer, slot, scratch), (H + 2, W + 2, OC))
    x = view(work, layer.x + n * layer.x_size, (H + 2, W + 2, C))
    weight = view(target, start + layer.weight, (3, 3, C, OC))
    grad_x = scratch + layer.grad_x + slot * H * W * C
    wanted = layer.input_gradient_by != NOTHING and layer.input_gradient_by != WINOGRAD
    if weight_gradient_by == SPARSE_BY_FILTER:
        map_by_channel = view(work, scratch + layer.map_by_channel, (OC * (H + 2) * (W + 2),))
        before, after = view(work, layer.backward_weight, (OC, 3, 3, C)), view(work, by_filter, (OC, 3, 3, C))
        padded = view(work, scratch + layer.grad_x_padded, (H + 2, W + 2, C))
        by = layer.input_gradient_by if wanted else NOTHING
        sparse_backward(x, grad_map, map_by_channel, before, share[2], share[3], by, scale, after, padded)
        if wanted:
            for y in range(H):
                copy(work, scratch + layer.grad_x_padded + ((y + 1) * (W + 2) + 1) * C, work, grad_x + y * W * C, W * C)
        return
    if wanted:
        flipped, nothing = view(work, layer.backward_weight, (3, 3, OC, C)), view(work, zeros, (1, 1, C))
        for y in range(H):
            place = grad_x + y * W * C
            convolve_row(layer.input_gradient_by, grad_map, flipped, nothing, y, np.int64(0), C, work, place)
    if weight_gradient_by == CONTRACTION:
        conv2d_backward_weight_sample(x, grad_map, scale, weight, weight)
    elif weight_gradient_by == SPARSE_INPUT:
        top, bottom, o, stop = share_before_pool(layer, share)
        sparse_input_backward_weight(x, grad_map, top, bottom, o, stop, scale, weight)


@body
def transpose_weight(layer, params, work):
    """Lay a conv block's weights out for the backward pass, which reads those of the forward pass; not for tiles."""
    weight = view(params, layer.weight, (3, 3, layer.C, layer.OC))
    if layer.weight_gradient_by == SPARSE_BY_FILTER:
        to_filter_major(weight, view(work, layer.backward_weight, (layer.OC, 3, 3, layer.C)))
    elif layer.input_gradient_by != NOTHING:
        flip_weight(weight, view(work, layer.backward_weight, (3, 3, layer.OC, layer.C)))


@body
def restore_layout(
    layer,
    share,
    by_filter,  # offset in work: (OC, 3, 3, C)
    work,
    target,  # (.,), overwritten: filter o has weight k of 9*C at start + k*step + o
    start,
    step,  # elements from one weight to the next
):
    """Copy what was summed filter by filter to a target in the order of params."""
    if layer.weight_gradient_by == SPARSE_BY_FILTER:
        weight = strided(target, start, (3, 3, layer.C, layer.OC), (3 * layer.C * step, layer.C * step, step, 1))
        from_filter_major(view(work, by_filter, (layer.OC, 3, 3, layer.C)), share[2], share[3], weight)
