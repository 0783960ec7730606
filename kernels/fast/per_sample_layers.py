"""One image's layers, each in two halves: what per_sample.py calls in each phase of a step.

If both halves contribute to a sum, the next phase adds the two partial sums, in order.
"""

import math

import numpy as np

from ..compiler.array_views import view
from ..compiler.decorators import body
from ..compiler.simd import add, clear, lane_count, load, store
from ..layers.loss import output_loss_sample
from ..table import BY_ROWS, CONV, DENSE, LINE, LINEAR, NOTHING, RELU, SPARSE_BY_FILTER
from .activation_in_place import activate, pass_back
from .conv_block import (
    activation_and_pool_backward,
    conv_backward_bias,
    conv_backward_input_and_weight,
    load_image,
    restore_layout,
    share_before_pool,
    transpose_weight,
)
from .elementwise import copy
from .linear_one_image import linear_forward_sample, linear_sgd_sample
from .work_split import (
    half_share,
    place_of_bias,
    place_of_filters,
    place_of_params,
    scratch_of,
    split_point,
)


@body
def input_range(layer, half):
    """Return the first of a half's inputs of a dense layer, and their number."""
    cut = split_point(layer.C)
    return (np.int64(0), cut) if half == 0 else (cut, layer.C - cut)


@body
def copy_of_input(
    index,  # of the layer
    half,
):
    """Return which copy of its input a half of a conv block reads: there are two of the image, one of each map."""
    return half if index == 0 else np.int64(0)


@body
def load_half(
    image,  # (H, W, C) uint8 or float
    divisor,
    half,
    layer,  # the first
    work,
):
    """Write what a half reads of the image, divided: its inputs of a dense layer, or its rows in its copy."""
    if layer.kind == DENSE:
        first, count = input_range(layer, half)
        load_image(view(image, first, (1, count, 1)), divisor, 0, 0, 1, work, layer.x + first)  # as an image of one row
        return
    top, bottom = np.int64(0), layer.H
    if layer.backward_split == BY_ROWS:
        first, stop, _, _ = share_before_pool(layer, half_share(layer, layer.forward_split, half))
        top, bottom = max(first - 1, 0), min(stop + 2, layer.H)  # windows of a pool end a row lower, filters one more
    load_image(image, divisor, 1, top, bottom, work, layer.x + copy_of_input(0, half) * layer.x_size)


@body
def merge_outputs(
    layer,
    first,  # output
    count,  # outputs
    to,  # offset in work: (count,), may be the outputs' own
    work,
):
    """Complete some outputs of a dense layer: add the sums over both halves of its inputs, and activate."""
    lanes = lane_count(work)
    out, partial = layer.out + first, layer.out_partial + first
    for i in range(0, count, lanes):
        store(work, to + i, count - i, add(load(work, out + i, count - i), load(work, partial + i, count - i)))
    activate(layer.activation, view(work, to, (count,)))


@body
def linear_forward_half(
    index,  # of the layer
    half,
    layers,
    zeros,  # offset in work: (K,) zeros
    params,
    work,
    rows,
    counts,  # (L, 2, LINE) int64: the half's is overwritten
):
    """Sum over a half's inputs, which are completed first if a dense layer computed them."""
    layer = layers[index]
    first, count = input_range(layer, half)
    if index > 0 and layers[index - 1].kind == DENSE:
        merge_outputs(layers[index - 1], first, count, layer.x + first, work)
    counts[index, half, 0] = linear_forward_sample(
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
    plan,
    params,  # updated: weight -= lr * gradient
    work,
    rows,
    counts,  # (L, 2, LINE) int64, from linear_forward_half
    lr,
):
    """Compute the gradient of a half's inputs, and update their rows of the weights."""
    layer = layers[index]
    first, count = input_range(layer, half)
    grad_out = layer.grad_out + (scratch_of(plan, half) if index == plan.halved - 1 else 0)
    grad_input = view(work, layer.grad_x + first, (count,))
    linear_sgd_sample(
        view(work, grad_out, (layer.OC,)),
        view(rows, layer.rows + first, (count,)),
        view(work, layer.factors + first, (count,)),
        counts[index, half, 0],
        lr,
        view(params, layer.weight + first * layer.OC, (count, layer.OC)),
        view(params, layer.bias, (layer.OC if half == 0 else 0,)),
        grad_input,
    )
    if layer.previous_activation > RELU:
        pass_back(layer.previous_activation, view(work, layer.x + first, (count,)), grad_input)


@body
def output_and_loss(
    half,
    layers,
    plan,
    work,
    rows,
    targets,  # (n,) uint8, or (n, K) floats
    image,  # to learn from
    lr,
):
    """Return the loss, and write the gradient of what the last layer that is cut returns to this half's scratch.

    Each half computes that for itself, and a last layer that is not cut, in both directions, with separate weights.
    """
    scratch, last = scratch_of(plan, half), layers[layers.size - 1]
    D, K, number = last.C, last.OC, work.dtype.type(1)
    logits, gradient = view(work, scratch + plan.logits, (K,)), view(work, scratch + last.grad_out, (K,))
    if plan.halved == layers.size:
        merge_outputs(last, np.int64(0), K, scratch + plan.logits, work)
        return output_loss_sample(plan.loss, plan.smoothing, logits, targets, image, number, gradient)
    merge_outputs(layers[plan.halved - 1], np.int64(0), D, scratch + last.x, work)
    x, factors = view(work, scratch + last.x, (D,)), view(work, scratch + last.factors, (D,))
    active = view(rows, last.rows + half * (D + LINE), (D,))
    weight, bias = view(work, scratch + last.own_weight, (D, K)), view(work, scratch + last.own_bias, (K,))
    count = linear_forward_sample(x, weight, bias, last.activation, last.all_inputs != 0, active, factors, logits)
    loss = output_loss_sample(plan.loss, plan.smoothing, logits, targets, image, number, gradient)
    if math.isfinite(loss):
        grad_x = view(work, scratch + last.grad_x, (D,))
        linear_sgd_sample(gradient, active, factors, count, lr, weight, bias, grad_x)
        if last.previous_activation > RELU:
            pass_back(last.previous_activation, x, grad_x)
    return loss


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
def conv_backward_half(layer, half, n, plan, params, work, argmax, lr):
    """Compute the gradients of a half's share of a conv block, and update its weights: weight -= lr * gradient.

    The input is copy n of it.
    """
    image, start = np.int64(0), np.int64(0)  # literals would compile the functions that receive them a second time
    scratch = scratch_of(plan, half)
    share = half_share(layer, layer.backward_split, half)
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
    buffers = share, work, plan.zeros, n, image, scratch
    by = layer.weight_gradient_by
    if shared and layer.BH == 1:
        conv_backward_bias(layer, share, work, grad_map, -lr, work, shard + layer.bias, layer.OC)
    else:
        own = work if layer.own_bias > 0 else params
        conv_backward_bias(layer, share, work, grad_map, -lr, own, *place_of_bias(layer, share, scratch))
    if shared:
        conv_backward_input_and_weight(layer, by, *buffers, -lr, work, shard, layer.backward_weight)
    else:
        conv_backward_input_and_weight(layer, by, *buffers, -lr, params, start, layer.backward_weight)
        own = work if layer.own_weight > 0 else params
        restore_layout(layer, share, layer.backward_weight, work, own, *place_of_filters(layer, share, scratch))


@body
def move_params(
    layer,
    back,  # int64: 0 from params to each half's own memory, 1 from there to params
    plan,
    params,
    work,
):
    """Move the parameters that each half keeps for itself during a call: its own, or a copy that both keep equal.

    In params they lie between those of the other half, whose core writes them: the processor fetches them ahead, and
    both cores wait. Apart, a step of the CNN on two threads takes 0.89 of the time.
    """
    for part in range(4):  # filters and bias of a half, then of the other; LLVM would copy separate loops for each
        share = half_share(layer, layer.forward_split, part // 2)  # of a dense layer, all outputs
        rows, shared, own = layer.C * (9 if layer.kind == CONV else 1), layer.weight, layer.own_weight
        if part % 2 == 1:
            rows, shared, own = layer.BH * layer.BW, layer.bias, layer.own_bias
        if own > 0:
            start, step = place_of_params(layer, share, shared, own, scratch_of(plan, part // 2))
            for n in range(rows):
                for o in range(share[2], share[3]):
                    if back == 0:
                        work[start + n * step + o] = params[shared + n * layer.OC + o]
                    else:
                        params[shared + n * layer.OC + o] = work[start + n * step + o]


@body
def merge_halves(layer, plan, half, work):
    """Add what both halves summed for the first block's filters, and for a bias per channel, to a half's copies."""
    if layer.kind != CONV or layer.backward_split != BY_ROWS:
        return
    own, one = scratch_of(plan, half), plan.shard_grads
    other = one + plan.conv_params
    for i in range(9 * layer.C * layer.OC):
        work[own + layer.own_weight + i] += work[one + layer.weight + i] + work[other + layer.weight + i]
    if layer.BH == 1:
        for o in range(layer.OC):
            work[own + layer.own_bias + o] += work[one + layer.bias + o] + work[other + layer.bias + o]
