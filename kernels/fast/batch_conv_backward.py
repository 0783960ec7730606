"""The conv blocks of a batch backward, in the shards of batch_conv_forward.py: each sums its own gradients."""

import numpy as np
from numba import prange

from ..compiler.array_views import strided, view
from ..compiler.decorators import body, kernel
from ..compiler.simd import add, clear, lane_count, load, store
from ..table import CONTRACTION, GAP, SPARSE_BY_FILTER, TILE_PRODUCTS, WINOGRAD
from .batch_conv_forward import (
    convolve_in_tiles,
    piece_range,
    shard_count,
    shard_range,
    winograd_weight_shape,
    worker_count,
)
from .conv_block import (
    activation_and_pool_backward,
    conv_backward_bias,
    conv_backward_input_and_weight,
    grad_map_offset,
    restore_layout,
    transpose_weight,
)
from .conv_rows import flip_weight
from .conv_winograd import transform_weight
from .conv_winograd_weight import transform_sums, winograd_backward_weight
from .elementwise import prefetch_range
from .work_split import scratch_of, whole_share

_CHUNK = 4096


@body
def prefetch_image(layer, work, argmax, n):
    """Prefetch what the backward pass of a block reads of image n, during that of the image before."""
    size = layer.OH * layer.OW * layer.OC
    prefetch_range(work, layer.x + n * layer.x_size, layer.x_size)
    if layer.pool:
        prefetch_range(argmax, layer.winners + n * size, size)
    if not layer.border:
        prefetch_range(work, layer.grad_out + n * size, size)
        prefetch_range(work, layer.out + n * layer.out_size, layer.out_size)


@body
def conv_block_backward(
    layer,
    weight_gradient_by,  # the layer's, but for a single image in tiles
    plan,
    work,
    argmax,
    n,
    slot,
    scratch,
    grads,  # in work: the shard's gradients, laid out as params
):
    """Add the gradients of a conv block for image n to a shard's; see `conv_backward_input_and_weight`."""
    share = whole_share(layer)
    # Between two conv blocks a gradient lives for a shard only, in scratch.
    start, number = (scratch + layer.grad_out, slot) if layer.border else (layer.grad_out, n)
    grad_out = start + number * layer.OH * layer.OW * layer.OC
    grad_map = grad_map_offset(layer, slot, scratch)
    one = work.dtype.type(1)
    activation_and_pool_backward(layer, share, work, argmax, n, grad_out, grad_map)
    conv_backward_bias(layer, share, work, grad_map, one, work, grads + layer.bias, layer.OC)
    buffers = work, plan.zeros, n, slot, scratch
    conv_backward_input_and_weight(
        layer, weight_gradient_by, share, *buffers, one, work, grads, scratch + layer.weight_sums
    )


@body
def images_backward(
    layer,
    plan,
    work,
    argmax,
    first,
    stop,
    scratch,
    grads,  # in work: the shard's gradients, laid out as params
):
    """Run a conv block backward for a shard's images; the shard's gradients of the block are their sum."""
    H, W, C, OC = layer.H, layer.W, layer.C, layer.OC
    by = layer.weight_gradient_by
    if by == WINOGRAD and stop - first == 1:
        by = CONTRACTION  # transform_sums takes 5 us for the CNN's conv3: as much as tiles save for an image
    clear(work, grads + layer.bias, layer.BH * layer.BW * OC)
    if by != WINOGRAD:
        clear(work, scratch + layer.weight_sums if by == SPARSE_BY_FILTER else grads + layer.weight, 9 * C * OC)
    room = view(work, scratch + plan.tile_scratch, (work.size - scratch - plan.tile_scratch,))
    sums = strided(work, scratch + layer.weight_sums, (TILE_PRODUCTS, C, OC), (C * OC + GAP, OC, 1))
    no_sums = strided(work, plan.zeros, (TILE_PRODUCTS, C, OC), (0, 0, 1))
    no_bias = view(work, plan.zeros, (1, 1, C))
    for start in range(first, stop, layer.images_per_tile_batch):
        count = min(layer.images_per_tile_batch, stop - start)
        for n in range(start, start + count):
            prefetch_image(layer, work, argmax, n + 1)
            conv_block_backward(layer, by, plan, work, argmax, n, n - first, scratch, grads)
        maps = view(work, grad_map_offset(layer, start - first, scratch), (count, H + 2, W + 2, OC))
        if by == WINOGRAD:
            x = view(work, layer.x + start * layer.x_size, (count, H + 2, W + 2, C))
            winograd_backward_weight(x, maps, no_sums if start == first else sums, room, sums)
        if layer.input_gradient_by == WINOGRAD:
            grad_x = scratch + layer.grad_x + (start - first) * H * W * C
            convolve_in_tiles(layer, plan, work, scratch, maps, no_bias, grad_x, W * C, H * W * C)
    if by == WINOGRAD:
        transform_sums(sums, room, view(work, grads + layer.weight, (3, 3, C, OC)))
    else:
        by_filter = scratch + layer.weight_sums
        restore_layout(layer, whole_share(layer), by_filter, work, work, grads + layer.weight, OC)


@body
def transform_flipped_filters(layers, plan, params, work, scratch):
    """Transform the filters for input gradients in tiles; see `transform_filters`."""
    for index in range(plan.convs):
        layer = layers[index]
        if layer.input_gradient_by == WINOGRAD:
            weight = view(params, layer.weight, (3, 3, layer.C, layer.OC))
            flipped = view(work, scratch + plan.tile_scratch, (3, 3, layer.OC, layer.C))
            flip_weight(weight, flipped)
            transform_weight(flipped, view(work, scratch + layer.winograd_weight, winograd_weight_shape(layer)))


@kernel
def conv_blocks_backward(
    layers,  # (L,) LAYER records
    plan,  # (1,) PLAN record
    params,  # (P,)
    work,  # (.,)
    argmax,  # (.,) uint8
    N,  # images
):
    """Run the conv blocks backward; each shard sums its own gradients, image after image.

    Parallel : over workers, each with some shards of the batch; one worker owns a shard's gradients.
    Work     : 4*MAC flop of the conv blocks per image.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.conv_blocks_backward.
    Source   : conv_block.py applied to every image.
    """
    for index in range(plan[0].convs):
        if layers[index].input_gradient_by != WINOGRAD:
            transpose_weight(layers[index], params, work)
    size = plan[0].conv_params
    shards = shard_count(N)
    workers = worker_count(plan[0], shards)
    for w in prange(workers):
        worker = np.int64(w)
        scratch = scratch_of(plan[0], worker)
        transform_flipped_filters(layers, plan[0], params, work, scratch)
        first_shard, end = piece_range(shards, workers, worker, 1)
        for shard in range(first_shard, end):
            first, stop = shard_range(N, shard)
            grads = plan[0].shard_grads + shard * size
            for index in range(plan[0].convs - 1, -1, -1):
                images_backward(layers[index], plan[0], work, argmax, first, stop, scratch, grads)


@kernel
def sum_shards(
    shards,  # (S, P)
    added,  # bool: add to out instead of overwriting it
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
