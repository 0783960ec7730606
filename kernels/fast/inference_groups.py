"""Inference of networks with conv blocks: each thread takes groups of images through the whole network, one by one.

No image waits for another, so threads meet only at the end of a call: where one core is slower, or another process
needs it, the others take more of the groups. Networks of dense layers alone are faster in one product over many images:
inference.py.
"""

import numpy as np
from numba import prange

from .. import table
from ..compiler.array_views import view
from ..compiler.atomics import acquire, exchange
from ..compiler.decorators import body, kernel
from ..table import TOGETHER
from .batch_conv_forward import images_forward, transform_filters
from .conv_block import load_image
from .dense_pieces import COLUMN_BLOCK
from .elementwise import copy
from .linear_batch_forward import linear_forward_block
from .work_split import scratch_of

group_size = body(table.group_size)


@body
def conv_blocks_of_group(
    layers,
    plan,
    params,
    work,
    argmax,
    images,  # (n, H, W, C) uint8 or float
    divisor,
    order,  # (N,) int64, the group's images
    worker,  # whose maps and scratch are used
    first,  # the group's first slot: the place of an image for the dense layers
):
    """Run the conv blocks over a group, TOGETHER images at a time, whose maps the next few overwrite in the cache."""
    scratch = scratch_of(plan, worker)
    place = worker * TOGETHER  # of the first of these images' maps
    last = plan.convs - 1
    for start in range(0, order.size, TOGETHER):
        count = min(TOGETHER, order.size - start)
        for n in range(count):
            image = images[order[start + n]]
            load_image(image, divisor, 1, 0, image.shape[0], work, layers[0].x + (place + n) * layers[0].x_size)
        for index in range(plan.convs):
            shift = first + start - place if index == last else 0
            images_forward(layers[index], plan, params, work, argmax, place, place + count, shift, scratch)


@body
def dense_layers_of_group(
    layers,
    plan,
    params,
    work,
    first,  # the group's first slot
    stop,
):
    """Run the dense layers over the images in some slots."""
    N = stop - first
    for index in range(plan.convs, layers.size):
        layer = layers[index]
        D, K = layer.C, layer.OC
        x, out = view(work, layer.x + first * D, (N, D)), view(work, layer.out + first * K, (N, K))
        weight, bias = view(params, layer.weight, (D, K)), view(params, layer.bias, (K,))
        for j in range(0, K, COLUMN_BLOCK):
            linear_forward_block(x, weight, bias, layer.activation, 0, N, j, min(COLUMN_BLOCK, K - j), out)


@body
def predict_group(
    group,  # its number: images from group * size on
    size,  # images of a group, at most
    worker,  # whose slots in work are used
    layers,
    plan,
    params,
    work,
    argmax,
    images,  # (n, H, W, C) uint8 or float
    divisor,
    order,  # (N,) int64, which images
    out,  # (N, K), the group's rows overwritten
):
    """Compute the logits of a group of images."""
    first = group * size
    count = min(size, order.size - first)
    slot = worker * (plan.images // plan.workers)
    part = order[first : first + count]
    conv_blocks_of_group(layers, plan, params, work, argmax, images, divisor, part, worker, slot)
    dense_layers_of_group(layers, plan, params, work, slot, slot + count)
    last = layers[layers.size - 1]
    copy(work, last.out + slot * last.OC, view(out, 0, (out.size,)), first * last.OC, count * last.OC)


@kernel
def predict_in_groups(
    layers,  # (L,) LAYER records, a conv block first
    plan,  # (1,) PLAN record of a workspace for inference
    params,  # (P,)
    work,  # (.,)
    argmax,  # (0,) uint8: no winners of max-pooling are kept
    images,  # (n, H, W, C) uint8 or float
    divisor,  # scalar
    order,  # (N,) int64
    taken,  # (1,) int64, 0: how many groups threads have taken
    out,  # (N, K), overwritten
):
    """Run the network forward: out[n] = the logits of images[order[n]]. An image's bits do not depend on its group.

    Parallel : over workers, each with separate slots in work, which take groups until none is left. No bit depends on
               who takes a group.
    Work     : 2*MAC flop per image.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.predict_in_groups.
    Source   : the forward pass of training, without the loss.
    """
    size = group_size(order.size, plan[0].images // plan[0].workers)
    for w in prange(plan[0].workers):
        worker = np.int64(w)  # numba's index has no sign: functions would be compiled for it again
        group = acquire(taken, 0)
        if group * size < order.size:
            transform_filters(layers, plan[0], params, work, scratch_of(plan[0], worker))
        while group * size < order.size:
            if exchange(taken, 0, group, group + 1):
                predict_group(group, size, worker, layers, plan[0], params, work, argmax, images, divisor, order, out)
            group = acquire(taken, 0)
