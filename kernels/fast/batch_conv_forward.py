"""The conv blocks of a batch forward, in shards: each shard's thread runs its images through one block, then the next.

Several images at a time where a block is convolved in tiles (conv_winograd.py), else one after the other.
"""

import numpy as np
from numba import prange

from .. import table
from ..compiler.array_views import view
from ..compiler.decorators import body, kernel
from ..compiler.thread_pool import thread_count
from ..table import CONV, GAP, TILE_PRODUCTS, WINOGRAD
from . import dense_pieces
from .conv_block import conv_block_forward, load_image, output_row_offset, pool_and_activate_row
from .conv_winograd import conv2d_winograd, transform_weight
from .work_split import scratch_of, whole_share

shard_count = body(table.shard_count)
shard_range = body(table.shard_range)
piece_range = body(dense_pieces.piece_range)


@body
def winograd_weight_shape(layer):
    """Return the shape of a block's transformed filters."""
    return TILE_PRODUCTS, layer.C * layer.OC + GAP


@body
def worker_count(
    plan,
    shards,  # their number
):
    """Return how many workers share some shards: one for each thread, if there is a scratch for each.

    A worker takes its shards one after the other through its own scratch and filters, so that what the shard before
    wrote is in the core's cache. No bit depends on it, since nothing there outlives a phase.
    """
    return min(shards, plan.scratches, thread_count())


@body
def convolve_in_tiles(
    layer,
    plan,
    work,
    scratch,
    x,  # (N, H+2, W+2, C), zero border
    bias,  # (H, W, OC) or (1, 1, OC)
    place,  # in work: the first map
    row,  # elements from one row of a map to the next
    image,  # elements from one map to the next
):
    """Convolve some images with a block's transformed filters, or those of its input gradient, into work."""
    zeros = view(work, plan.zeros, (bias.shape[2],))
    room = view(work, scratch + plan.tile_scratch, (work.size - scratch - plan.tile_scratch,))
    transformed = view(work, scratch + layer.winograd_weight, winograd_weight_shape(layer))
    conv2d_winograd(x, transformed, bias, zeros, room, work, place, row, image)


@body
def images_forward(
    layer,
    plan,
    params,
    work,
    argmax,
    first,
    stop,
    shift,  # from the number of an image to that of its output's place: 0, but see inference_groups.py
    scratch,
):
    """Run a conv block forward for some images; see `conv_block_forward`."""
    if layer.forward_by != WINOGRAD:
        for n in range(first, stop):
            conv_block_forward(layer, whole_share(layer), params, work, argmax, n, n + shift, scratch)
        return
    H, W, C, OC = layer.H, layer.W, layer.C, layer.OC
    bias = view(params, layer.bias, (layer.BH, layer.BW, OC))
    for start in range(first, stop, layer.images_per_tile_batch):
        count = min(layer.images_per_tile_batch, stop - start)
        x = view(work, layer.x + start * layer.x_size, (count, H + 2, W + 2, C))
        if layer.pool:
            place, row, image = scratch + layer.map_before_pool, W * OC, H * W * OC
        else:
            place, row = output_row_offset(layer, 0, start + shift), (W + 2 * layer.border) * OC
            image = layer.out_size
        convolve_in_tiles(layer, plan, work, scratch, x, bias, place, row, image)
        for n in range(start, start + count):
            before = place + (n - start) * image
            for oy in range(layer.OH):
                pool_and_activate_row(layer, whole_share(layer), oy, before, H, work, argmax, n + shift)


@body
def transform_filters(layers, plan, params, work, scratch):
    """Transform the filters of the blocks that are convolved in tiles, into a worker's scratch.

    Each worker for itself: of one transform for all, the others read 370 KB of the CNN's from another core's cache.
    """
    for index in range(plan.convs):
        layer = layers[index]
        if layer.forward_by == WINOGRAD:
            weight = view(params, layer.weight, (3, 3, layer.C, layer.OC))
            transform_weight(weight, view(work, scratch + layer.winograd_weight, winograd_weight_shape(layer)))


@kernel
def conv_blocks_forward(
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

    Parallel : over workers, each with some shards of the batch; one worker owns the regions of a shard's images.
    Work     : 2*MAC flop of the conv blocks per image.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.conv_blocks_forward.
    Source   : conv_block.py applied to every image.
    """
    N = order.size
    border = 1 if layers[0].kind == CONV else 0
    shards = shard_count(N)
    workers = worker_count(plan[0], shards)
    for w in prange(workers):
        worker = np.int64(w)  # numba's index has no sign: functions would be compiled for it again
        scratch = scratch_of(plan[0], worker)
        transform_filters(layers, plan[0], params, work, scratch)
        first_shard, end = piece_range(shards, workers, worker, 1)
        for shard in range(first_shard, end):
            first, stop = shard_range(N, shard)
            for n in range(first, stop):
                image = images[order[n]]
                load_image(image, divisor, border, 0, image.shape[0], work, layers[0].x + n * layers[0].x_size)
            for index in range(plan[0].convs):
                images_forward(layers[index], plan[0], params, work, argmax, first, stop, 0, scratch)
