"""The conv blocks over images, in shards: each takes its images through one block, then the next.

Where it pays a block is convolved in tiles (winograd.py), and so is its input's gradient; else each image by itself.
"""

from numba import prange

from ..compiler.array_views import view
from ..compiler.decorators import body, kernel
from ..compiler.simd import add, clear, lane_count, load, prefetch, store
from ..table import CONV, GAP, PRODUCTS, SPARSE_BY_FILTER, WINOGRAD, shard_count, shard_range
from .conv_block import (
    bias_gradient,
    conv_block_forward,
    finish_row,
    input_and_weight_gradient,
    load_image,
    map_gradient,
    map_place,
    output_row,
    turn_back,
    turn_weight,
)
from .conv_winograd import conv2d_tiles, transform_weight
from .work_split import whole

shards_of = body(shard_count)
range_of = body(shard_range)
_CHUNK = 4096


@body
def tiles_shape(layer):
    """Return the shape of a block's filters as tiles want them."""
    return PRODUCTS, layer.C * layer.OC + GAP


@body
def convolve(layer, plan, work, scratch, x, bias, place, row, image):
    """Convolve some images in tiles, by a block's filters or those of its way back, into work; see `conv2d_tiles`."""
    zeros = view(work, plan.zeros, (bias.shape[2],))
    room = view(work, scratch + plan.tiles, (work.size - scratch - plan.tiles,))
    conv2d_tiles(x, view(work, layer.filters_of_tiles, tiles_shape(layer)), bias, zeros, room, work, place, row, image)


@body
def conv_blocks_forward(layer, plan, params, work, argmax, first, stop, scratch):
    """Run a conv block for the images from `first` on; see `conv_block_forward`."""
    if layer.forward_by != WINOGRAD:
        for n in range(first, stop):
            conv_block_forward(layer, whole(layer), params, work, argmax, n, scratch)
        return
    H, W, C, OC = layer.H, layer.W, layer.C, layer.OC
    bias = view(params, layer.bias, (layer.BH, layer.BW, OC))
    for start in range(first, stop, layer.together):
        count = min(layer.together, stop - start)
        x = view(work, layer.x + start * layer.x_size, (count, H + 2, W + 2, C))
        if layer.pool:
            place, row, image = scratch + layer.map, W * OC, H * W * OC
        else:
            place, row, image = output_row(layer, 0, start), (W + 2 * layer.border) * OC, layer.out_size
        convolve(layer, plan, work, scratch, x, bias, place, row, image)
        for n in range(start, start + count):
            for oy in range(layer.OH):
                finish_row(layer, whole(layer), oy, place + (n - start) * image, H, work, argmax, n)


@kernel
def trunk_forward(
    layers,  # (L,) LAYER records
    plan,  # (1,) PLAN record
    params,  # (P,)
    work,  # (.,)
    argmax,  # (.,) uint8
    images,  # (n, H, W, C) uint8 or float
    divisor,  # scalar
    order,  # (N,) int64, which images
):
    """Load images and run the conv blocks over them; an MLP has none and only loads.

    Parallel : over shards of the batch; one thread owns the regions of a shard's images.
    Work     : 2*MAC flop of the conv blocks per image.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.trunk_forward.
    Source   : blocks.py applied to every image.
    """
    for index in range(plan[0].convs):
        layer = layers[index]
        if layer.forward_by == WINOGRAD:
            transform_weight(
                view(params, layer.weight, (3, 3, layer.C, layer.OC)),
                view(work, layer.filters_of_tiles, tiles_shape(layer)),
            )
    N = order.size
    border = 1 if layers[0].kind == CONV else 0
    for s in prange(shards_of(N)):
        scratch = plan[0].scratch + s * plan[0].scratch_size
        first, stop = range_of(N, s)
        for n in range(first, stop):
            image = images[order[n]]
            load_image(image, divisor, border, 0, image.shape[0], work, layers[0].x + n * layers[0].x_size)
        for index in range(plan[0].convs):
            conv_blocks_forward(layers[index], plan[0], params, work, argmax, first, stop, scratch)


@body
def fetch(layer, work, argmax, n):
    """Ask for what the backward pass of image n reads of a block, while it still works on the image before."""
    lanes = 64 // work.itemsize
    for i in range(0, layer.x_size, lanes):
        prefetch(work, layer.x + n * layer.x_size + i)
    if layer.pool:
        for i in range(0, layer.OH * layer.OW * layer.OC, 64):
            prefetch(argmax, layer.winners + n * layer.OH * layer.OW * layer.OC + i)
    if not layer.border:
        size = layer.OH * layer.OW * layer.OC
        for i in range(0, size, lanes):
            prefetch(work, layer.grad_out + n * size + i)
        for i in range(0, layer.out_size, lanes):
            prefetch(work, layer.out + n * layer.out_size + i)


@body
def conv_block_backward(layer, plan, work, argmax, n, slot, scratch, grads):
    """Add the gradients of a conv block for image n to a shard's; see `input_and_weight_gradient`."""
    share = whole(layer)
    # Between two conv blocks a gradient lives for a shard only, in scratch.
    start, number = (scratch + layer.grad_out, slot) if layer.border else (layer.grad_out, n)
    grad_out = start + number * layer.OH * layer.OW * layer.OC
    grad_map = map_place(layer, slot, scratch)
    one = work.dtype.type(1)
    map_gradient(layer, share, work, argmax, n, grad_out, grad_map)
    bias_gradient(layer, share, work, grad_map, one, work, grads)
    buffers = work, plan.zeros, n, slot, scratch
    input_and_weight_gradient(layer, share, *buffers, one, work, grads, scratch + layer.filters)


@body
def conv_blocks_backward(layer, plan, work, argmax, first, stop, scratch, grads):
    """Run a conv block backward for the images from `first` on."""
    H, W, C, OC = layer.H, layer.W, layer.C, layer.OC
    no_bias = view(work, plan.zeros, (1, 1, C))
    for start in range(first, stop, layer.together):
        count = min(layer.together, stop - start)
        for n in range(start, start + count):
            fetch(layer, work, argmax, n + 1)
            conv_block_backward(layer, plan, work, argmax, n, n - first, scratch, grads)
        if layer.input_gradient_by == WINOGRAD:
            maps = view(work, map_place(layer, start - first, scratch), (count, H + 2, W + 2, OC))
            grad_x = scratch + layer.grad_x + (start - first) * H * W * C
            convolve(layer, plan, work, scratch, maps, no_bias, grad_x, W * C, H * W * C)


@kernel
def trunk_backward(
    layers,  # (L,) LAYER records
    plan,  # (1,) PLAN record
    params,  # (P,)
    work,  # (.,)
    argmax,  # (.,) uint8
    N,  # images
):
    """Run the conv blocks backward; each shard sums its own gradients, image after image.

    Parallel : over shards of the batch; one thread owns a shard's gradients and scratch.
    Work     : 4*MAC flop of the conv blocks per image.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.trunk_backward.
    Source   : blocks.py applied to every image.
    """
    for index in range(plan[0].convs):
        layer = layers[index]
        turn_weight(layer, params, work)
        if layer.input_gradient_by == WINOGRAD:
            flipped = view(work, layer.transposed, (3, 3, layer.OC, layer.C))
            transform_weight(flipped, view(work, layer.filters_of_tiles, tiles_shape(layer)))
    size = plan[0].conv_params
    for s in prange(shards_of(N)):
        scratch = plan[0].scratch + s * plan[0].scratch_size
        grads = plan[0].shard_grads + s * size
        first, stop = range_of(N, s)
        for index in range(plan[0].convs):
            layer = layers[index]
            clear(work, grads + layer.bias, layer.BH * layer.BW * layer.OC)
            sums = scratch + layer.filters if layer.weight_gradient_by == SPARSE_BY_FILTER else grads + layer.weight
            clear(work, sums, 9 * layer.C * layer.OC)
        for index in range(plan[0].convs - 1, -1, -1):
            conv_blocks_backward(layers[index], plan[0], work, argmax, first, stop, scratch, grads)
        for index in range(plan[0].convs):
            turn_back(layers[index], whole(layers[index]), scratch + layers[index].filters, work, work, grads)


@kernel
def sum_shards(
    shards,  # (S, P)
    added,  # bool: to what is there?
    out,  # (P,), overwritten or added to
):
    """Add up the shards' gradients, shard after shard: out[p] = sum_s shards[s,p].

    Parallel : over chunks of p; one thread owns a chunk of out.
    Work     : S*P additions.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.sum_shards.
    Source   : a sum in a fixed order, so that no thread count changes a bit.
    """
    S, P = shards.shape
    lanes = lane_count(out)
    for chunk in prange((P + _CHUNK - 1) // _CHUNK):
        for p in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, P), lanes):
            total = load(out, p, P - p) if added else load(shards, p, P - p)
            for s in range(0 if added else 1, S):
                total = add(total, load(shards, s * P + p, P - p))
            store(out, p, P - p, total)
