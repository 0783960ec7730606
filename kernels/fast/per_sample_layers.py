"""One image's layers, each in two halves: what per_sample.py calls in each phase of a step.

If both halves contribute to a sum, the next phase adds the two partial sums, in order.
"""

import numpy as np

from ..compiler.array_views import view
from ..compiler.decorators import body
from ..compiler.simd import add, clear, lane_count, load, store
from ..table import BY_ROWS, CONV, DENSE, LINEAR, NOTHING, RELU, SPARSE_BY_FILTER
from .activation_in_place import activate, pass_back
from .conv_block import (
    activation_and_pool_backward,
    conv_backward_bias,
    conv_backward_input_and_weight,
    place_of_bias,
    place_of_filters,
    place_of_params,
    restore_layout,
    transpose_weight,
)
from .elementwise import copy
from .linear_one_image import linear_forward_sample, linear_sgd_sample
from .work_split import half_share, scratch_of, split_point


@body
def input_range(layer, half, itemsize):
    """Return the first of a half's inputs of a dense layer, and their number."""
    cut = split_point(layer.C, itemsize)
    return (np.int64(0), cut) if half == 0 else (cut, layer.C - cut)


@body
def merge_outputs(
    layer,
    first,  # output
    count,  # outputs
    work,
):
    """Complete some outputs of a dense layer: add the sums over both halves of its inputs, and activate."""
    lanes = lane_count(work)
    out, partial = layer.out + first, layer.out_partial + first
    for i in range(0, count, lanes):
        store(work, out + i, count - i, add(load(work, out + i, count - i), load(work, partial + i, count - i)))
    activate(layer.activation, view(work, out, (count,)))


@body
def linear_forward_half(
    index,  # of the layer
    half,
    layers,
    zeros,  # offset in work: (K,) zeros
    params,
    work,
    rows,
    counts,  # (2*L,) int64: the half's is overwritten
):
    """Sum over a half's inputs, which are completed first if a dense layer computed them."""
    layer = layers[index]
    first, count = input_range(layer, half, work.itemsize)
    if index > 0 and layers[index - 1].kind == DENSE:
        merge_outputs(layers[index - 1], first, count, work)
    counts[2 * index + half] = linear_forward_sample(
        view(work, layer.x + first, (count,)),
        view(params, layer.weight + first * layer.OC, (count, layer.OC)),
        view(params, layer.bias, (layer.OC,)) if half == 0 else view(work, zeros, (layer.OC,)),
        LINEAR,
        layer.all_inputs != 0,
        view(rows, layer.rows + first, (count,)),
        view(work, layer.factors + first, (count,)),
        view(work, layer.out if half == 0 else layer.out_partial, (layer.OC,)),
    )


@body
def linear_backward_half(
    index,  # of the layer
    half,
    layers,
    params,  # updated: weight -= lr * gradient
    work,
    rows,
    counts,  # (2*L,) int64, from linear_forward_half
    lr,
):
    """Compute the gradient of a half's inputs, and update their rows of the weights."""
    layer = layers[index]
    first, count = input_range(layer, half, work.itemsize)
    grad_input = view(work, layer.grad_x + first, (count,))
    linear_sgd_sample(
        view(work, layer.grad_out, (layer.OC,)),
        view(rows, layer.rows + first, (count,)),
        view(work, layer.factors + first, (count,)),
        counts[2 * index + half],
        lr,
        view(params, layer.weight + first * layer.OC, (count, layer.OC)),
        view(params, layer.bias, (layer.OC if half == 0 else 0,)),
        grad_input,
    )
    if layer.previous_activation > RELU:
        pass_back(layer.previous_activation, view(work, layer.x + first, (count,)), grad_input)


@body
def sum_grad_out(layer, share, plan, scratch, work):
    """Write the part of the gradient of a block's output that a share needs to its scratch; return the offset.

    A dense layer after the block computed one gradient; the two halves of a conv block each computed a summand.
    """
    top, bottom, first, stop = share
    size = stop - first
    lanes = lane_count(work)
    for y in range(max(top - 1, 0), bottom):
        for x in range(layer.OW):
            place = (y * layer.OW + x) * layer.OC + first
            target = scratch + layer.grad_out_sum + place
            if layer.border:
                one = plan.scratch + layer.grad_out + place
                other = one + plan.scratch_size
                for i in range(0, size, lanes):
                    both = add(load(work, one + i, size - i), load(work, other + i, size - i))
                    store(work, target + i, size - i, both)
            else:
                copy(work, layer.grad_out + place, work, target, size)
    return scratch + layer.grad_out_sum


@body
def conv_backward_half(layer, half, plan, params, work, argmax, lr):
    """Compute the gradients of a half's share of a conv block, and update its weights: weight -= lr * gradient."""
    image, start = np.int64(0), np.int64(0)  # literals would compile the functions that receive them a second time
    scratch = scratch_of(plan, half)
    share = half_share(layer, layer.backward_split, half, work.itemsize)
    top, bottom, _, _ = share
    if bottom == top and layer.input_gradient_by != NOTHING:  # the other half computes everything
        clear(work, scratch + layer.grad_x, layer.H * layer.W * layer.C)
    shared = layer.backward_split == BY_ROWS  # both halves add to the same weights: in scratch, for `merge_halves`
    grad_map = scratch + layer.grad_map
    shard = plan.shard_grads + half * plan.conv_params
    if shared:
        clear(work, shard + layer.weight, 9 * layer.C * layer.OC)
        if layer.BH == 1:
            clear(work, shard + layer.bias, layer.OC)
    if bottom == top:
        return
    if layer.weight_gradient_by != SPARSE_BY_FILTER:  # which updates the weights in both layouts
        transpose_weight(layer, params, work)
    grad_out = sum_grad_out(layer, share, plan, scratch, work)
    activation_and_pool_backward(layer, share, work, argmax, image, grad_out, grad_map)
    buffers = share, work, plan.zeros, image, image, scratch
    by = layer.weight_gradient_by
    own = work if layer.own_weight > 0 else params
    if shared and layer.BH == 1:
        conv_backward_bias(layer, share, work, grad_map, -lr, work, shard + layer.bias, layer.OC)
    else:
        conv_backward_bias(layer, share, work, grad_map, -lr, own, *place_of_bias(layer, share))
    if shared:
        conv_backward_input_and_weight(layer, by, *buffers, -lr, work, shard, layer.backward_weight)
    else:
        conv_backward_input_and_weight(layer, by, *buffers, -lr, params, start, layer.backward_weight)
        restore_layout(layer, share, layer.backward_weight, work, own, *place_of_filters(layer, share))


@body
def move_params(
    layer,
    back,  # int64: 0 from params to each half's own memory, 1 from there to params
    params,
    work,
):
    """Move a conv block's parameters that each half keeps for itself during a call.

    In params they lie between those of the other half, whose core writes them: the processor fetches them ahead, and
    both cores wait. Apart, a step of the CNN on two threads takes 0.89 of the time.
    """
    if layer.own_weight == 0:
        return
    for part in range(4):  # filters and bias of a half, then of the other; LLVM would copy separate loops for each
        share = half_share(layer, layer.forward_split, part // 2, work.itemsize)
        rows, shared, own = 9 * layer.C, layer.weight, layer.own_weight
        if part % 2 == 1:
            rows, shared, own = layer.BH * layer.BW, layer.bias, layer.own_bias
        start, step = place_of_params(layer, share, rows, shared, own)
        for n in range(rows):
            for o in range(share[2], share[3]):
                if back == 0:
                    work[start + n * step + o] = params[shared + n * layer.OC + o]
                else:
                    params[shared + n * layer.OC + o] = work[start + n * step + o]


@body
def merge_halves(layer, plan, params, work):
    """Add the sums of both halves to the first block's parameters."""
    if layer.kind != CONV or layer.backward_split != BY_ROWS:
        return
    shards = plan.shard_grads
    for i in range(9 * layer.C * layer.OC):
        at = layer.weight + i
        params[at] += work[shards + at] + work[shards + plan.conv_params + at]
    if layer.BH == 1:
        for o in range(layer.OC):
            at = layer.bias + o
            params[at] += work[shards + at] + work[shards + plan.conv_params + at]
