"""The conv blocks over a batch, image by image inside shards: an image's maps stay in a core's cache between layers."""

from numba import prange

from .blocks import (
    bias_gradient,
    clear,
    conv_block_forward,
    input_and_weight_gradient,
    load_image,
    map_gradient,
    turn_back,
    turn_weight,
)
from .halves import whole
from .lanes import VECTOR_BYTES
from .layers import CONV, shard_count
from .options import body, kernel
from .sparse import by_filter
from .vectors import add, load, prefetch, store

shards_of = body(shard_count)
_CHUNK = 4096


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
    """Load a batch and run its conv blocks; an MLP has none and is only loaded.

    Parallel : over shards of the batch; one thread owns the regions of a shard's images.
    Work     : 2*MAC flop of the conv blocks per image.
    Errors   : none raised, nothing checked.
    Matches  : tests.naive.trunk_forward.
    Source   : blocks.py applied to every image.
    """
    N = order.size
    S = shards_of(N)
    border = 1 if layers[0].kind == CONV else 0
    for s in prange(S):
        scratch = plan[0].scratch + s * plan[0].scratch_size
        for n in range(N * s // S, N * (s + 1) // S):
            image = images[order[n]]
            load_image(image, divisor, border, 0, image.shape[0], work, layers[0].x + n * layers[0].x_size)
            for index in range(plan[0].convs):
                conv_block_forward(layers[index], whole(layers[index]), params, work, argmax, n, scratch)


@body
def fetch(layer, work, n):
    """Ask for what the backward pass of image n reads of a block, while it still works on the image before."""
    lanes = 64 // work.itemsize
    for i in range(0, layer.x_size, lanes):
        prefetch(work, layer.x + n * layer.x_size + i)
    if not layer.border:
        size = layer.OH * layer.OW * layer.OC
        for i in range(0, size, lanes):
            prefetch(work, layer.grad_out + n * size + i)
        for i in range(0, layer.out_size, lanes):
            prefetch(work, layer.out + n * layer.out_size + i)


@body
def conv_block_backward(index, layers, plan, work, argmax, n, scratch, grads):
    """Add the gradients of a conv block for image n to a shard's."""
    layer = layers[index]
    share = whole(layer)
    # Between two conv blocks a gradient lives for one image only, in scratch.
    grad_out = scratch + layer.grad_out if layer.border else layer.grad_out + n * layer.OH * layer.OW * layer.OC
    one = work.dtype.type(1)
    map_gradient(layer, share, work, argmax, n, grad_out, scratch)
    bias_gradient(layer, share, work, scratch, one, work, grads)
    buffers = work, plan.zeros, n, scratch
    input_and_weight_gradient(layer, index == 0, share, *buffers, one, work, grads, scratch + layer.filters)


@kernel
def trunk_backward(
    layers,  # (L,) LAYER records
    plan,  # (1,) PLAN record
    params,  # (P,)
    work,  # (.,)
    argmax,  # (.,) uint8
    N,  # images in the batch
):
    """Run the conv blocks backward; each shard sums its own gradients, image after image.

    Parallel : over shards of the batch; one thread owns a shard's gradients and scratch.
    Work     : 4*MAC flop of the conv blocks per image.
    Errors   : none raised, nothing checked.
    Matches  : tests.naive.trunk_backward.
    Source   : blocks.py applied to every image.
    """
    for index in range(plan[0].convs):
        turn_weight(layers[index], index == 0, params, work)
    S = shards_of(N)
    size = plan[0].conv_params
    for s in prange(S):
        scratch = plan[0].scratch + s * plan[0].scratch_size
        grads = plan[0].shard_grads + s * size
        clear(work, grads, size)
        for index in range(plan[0].convs):
            if by_filter(layers[index], work.itemsize):
                clear(work, scratch + layers[index].filters, 9 * layers[index].C * layers[index].OC)
        for n in range(N * s // S, N * (s + 1) // S):
            for index in range(plan[0].convs - 1, -1, -1):
                fetch(layers[index], work, n + 1)
                conv_block_backward(index, layers, plan[0], work, argmax, n, scratch, grads)
        for index in range(plan[0].convs):
            turn_back(layers[index], whole(layers[index]), scratch + layers[index].filters, work, work, grads)


@kernel
def sum_shards(
    shards,  # (S, P)
    out,  # (P,), overwritten
):
    """Add up the shards' gradients, shard after shard: out[p] = sum_s shards[s,p].

    Parallel : over chunks of p; one thread owns a chunk of out.
    Work     : S*P additions.
    Errors   : none raised, nothing checked.
    Matches  : tests.naive.sum_shards.
    Source   : a sum in a fixed order, so that no thread count changes a bit.
    """
    S, P = shards.shape
    lanes = VECTOR_BYTES // out.itemsize
    for chunk in prange((P + _CHUNK - 1) // _CHUNK):
        for p in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, P), lanes):
            total = load(shards, p, P - p)
            for s in range(1, S):
                total = add(total, load(shards, s * P + p, P - p))
            store(out, p, P - p, total)
