"""The documents' regime: one image, one update. Each image's gradient changes the weights before the next is seen.

A step over L layers is cut into parts, and a part into two halves (halves.py), which two threads share out (team.py):

    0           load the image
    1 .. L      the layers, forward
    L+1         the loss
    L+2 .. 2L+1 the layers, backward, each updated once its input gradient is known
    2L+2        settle: what both halves added to the first filters

What the halves of a part both make a sum of is added up, in their order, by whoever reads it in the next part.
"""

import math

import numpy as np
from numba import prange

from ..compiler.array_views import view
from ..compiler.decorators import body, kernel, pasted
from ..compiler.simd import add, clear, lane_count, load, store
from ..layers.activation import activate, pass_back
from ..layers.linear import linear_forward_sample, linear_sgd_sample
from ..layers.loss import output_loss_sample
from ..layers.optimizer import all_finite
from ..table import BY_ROWS, CONV, DENSE, LINEAR, NOTHING, RELU, SPARSE_BY_FILTER
from .conv_block import (
    bias_gradient,
    conv_block_forward,
    copy,
    input_and_weight_gradient,
    load_image,
    map_gradient,
    turn_back,
    turn_weight,
)
from .spin_barrier import finish, take, wait
from .work_split import middle, share_of


@body
def inputs_of(layer, half, itemsize):
    """Return the first of a dense layer's inputs that are a half's, and how many there are."""
    cut = middle(layer.C, itemsize)
    return (np.int64(0), cut) if half == 0 else (cut, layer.C - cut)


@body
def add_halves(layer, first, count, work):
    """Finish `count` outputs of a dense layer: the sums over both halves of its inputs, and the activation."""
    lanes = lane_count(work)
    out, second = layer.out + first, layer.second + first
    for i in range(0, count, lanes):
        store(work, out + i, count - i, add(load(work, out + i, count - i), load(work, second + i, count - i)))
    activate(layer.activation, view(work, out, (count,)))


@body
def dense_forward(index, half, layers, zeros, params, work, rows, counts):
    """Sum over a half's inputs, which are finished first if a dense layer made them."""
    layer = layers[index]
    first, count = inputs_of(layer, half, work.itemsize)
    if index > 0 and layers[index - 1].kind == DENSE:
        add_halves(layers[index - 1], first, count, work)
    counts[2 * index + half] = linear_forward_sample(
        view(work, layer.x + first, (count,)),
        view(params, layer.weight + first * layer.OC, (count, layer.OC)),
        view(params, layer.bias, (layer.OC,)) if half == 0 else view(work, zeros, (layer.OC,)),
        LINEAR,
        layer.all_inputs != 0,
        view(rows, layer.rows + first, (count,)),
        view(work, layer.factors + first, (count,)),
        view(work, layer.out if half == 0 else layer.second, (layer.OC,)),
    )


@body
def dense_backward(index, half, layers, params, work, rows, counts, lr):
    """Gradient of a half's inputs, and the step of their rows of the weights."""
    layer = layers[index]
    first, count = inputs_of(layer, half, work.itemsize)
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
    if layer.behind > RELU:
        pass_back(layer.behind, view(work, layer.x + first, (count,)), grad_input)


@body
def gather_gradient(layer, share, plan, scratch, work):
    """Write the gradient of a block's output, as far as a share needs it, to its own scratch; return the offset.

    Behind it a dense layer wrote one for both halves, while each half of a conv block left its own.
    """
    top, bottom, first, stop = share
    size = stop - first
    lanes = lane_count(work)
    for y in range(max(top - 1, 0), bottom):
        for x in range(layer.OW):
            place = (y * layer.OW + x) * layer.OC + first
            target = scratch + layer.gathered + place
            if layer.border:
                one = plan.scratch + layer.grad_out + place
                other = one + plan.scratch_size
                for i in range(0, size, lanes):
                    both = add(load(work, one + i, size - i), load(work, other + i, size - i))
                    store(work, target + i, size - i, both)
            else:
                copy(work, layer.grad_out + place, work, target, size)
    return scratch + layer.gathered


@body
def conv_backward(index, half, layers, plan, params, work, argmax, lr):
    """Gradients of a half's share of a conv block, and its step."""
    layer = layers[index]
    image, start = np.int64(0), np.int64(0)  # literals would compile what they are given to a second time
    scratch = plan.scratch + half * plan.scratch_size
    share = share_of(layer, layer.backward_split, half, work.itemsize)
    top, bottom, _, _ = share
    if bottom == top and layer.input_gradient_by != NOTHING:  # the other half does it all
        clear(work, scratch + layer.grad_x, layer.H * layer.W * layer.C)
    settled = layer.backward_split == BY_ROWS  # both halves add to the same weights: in scratch, for `settle`
    grad_map = scratch + layer.grad_map
    shard = plan.shard_grads + half * plan.conv_params
    if settled:
        clear(work, shard + layer.weight, 9 * layer.C * layer.OC)
        if layer.BH == 1:
            clear(work, shard + layer.bias, layer.OC)
    if bottom == top:
        return
    if layer.weight_gradient_by != SPARSE_BY_FILTER:  # there both orders of the weights are kept up to date
        turn_weight(layer, params, work)
    grad_out = gather_gradient(layer, share, plan, scratch, work)
    map_gradient(layer, share, work, argmax, image, grad_out, grad_map)
    buffers = work, plan.zeros, image, image, scratch
    if settled and layer.BH == 1:
        bias_gradient(layer, share, work, grad_map, -lr, work, shard)
    else:
        bias_gradient(layer, share, work, grad_map, -lr, params, start)
    if settled:
        input_and_weight_gradient(layer, share, *buffers, -lr, work, shard, layer.transposed)
    else:
        input_and_weight_gradient(layer, share, *buffers, -lr, params, start, layer.transposed)
        turn_back(layer, share, layer.transposed, work, params, start)


@body
def settle(layer, plan, params, work):
    """Add to the first block's parameters what each half has summed up."""
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


@pasted
def run_half(
    part,
    half,
    step,
    layers,
    plan,
    params,
    work,
    argmax,
    rows,
    counts,
    images,
    divisor,
    targets,
    order,
    lrs,
    losses,
    totals,
):
    """Do one half of one part of a step: see the head of this file."""
    L = layers.size
    first, last = layers[0], layers[L - 1]
    lr = params.dtype.type(lrs[step])
    if part == 0:
        border = 1 if first.kind == CONV else 0
        H = images.shape[1]
        top, bottom = (0, H // 2) if half == 0 else (H // 2, H)
        load_image(images[order[step]], divisor, border, top, bottom, work, first.x)
    elif part <= L:
        if layers[part - 1].kind == CONV:
            scratch = plan.scratch + half * plan.scratch_size
            share = share_of(layers[part - 1], layers[part - 1].forward_split, half, work.itemsize)
            conv_block_forward(layers[part - 1], share, params, work, argmax, np.int64(0), scratch)
        else:
            dense_forward(part - 1, half, layers, plan.zeros, params, work, rows, counts)
    elif part == L + 1:
        if half == 0:
            add_halves(last, 0, last.OC, work)
            logits, gradient = view(work, last.out, (last.OC,)), view(work, last.grad_out, (last.OC,))
            one = params.dtype.type(1)
            losses[step] = output_loss_sample(plan.loss, logits, targets, order[step], one, gradient)
            if math.isfinite(losses[step]):
                totals[0] += losses[step]
    elif part <= 2 * L + 1:
        index = 2 * L + 1 - part
        if layers[index].kind == CONV:
            conv_backward(index, half, layers, plan, params, work, argmax, lr)
        else:
            dense_backward(index, half, layers, params, work, rows, counts, lr)
    elif half == 0:
        settle(first, plan, params, work)


@pasted
def run_steps(
    me, team, layers, plan, params, work, argmax, rows, counts, images, divisor, targets, order, lrs, losses, totals
):
    """Take part in all steps, up to one whose loss is not finite: my half of each part first, then the other's."""
    parts = 2 * layers.size + 3
    for step in range(order.size):
        for part in range(parts):
            number = step * parts + part + 1
            for turn in range(2):
                half = me ^ turn
                if take(team, half, number):
                    run_half(
                        part, half, step, layers, plan, params, work, argmax, rows, counts, images, divisor, targets,
                        order, lrs, losses, totals,
                    )  # fmt: skip
                    finish(team, half, number)
            wait(team, number)
            if part == layers.size + 1 and not math.isfinite(losses[step]):
                return


@body
def begin(layers, plan, params, work, team):
    """Before the first step: nothing is taken, filters lie in both orders, a half's map is zero beyond its share."""
    for i in range(team.size):
        team[i] = 0
    for index in range(plan.convs):
        layer = layers[index]
        turn_weight(layer, params, work)
        for half in range(2):
            place = plan.scratch + half * plan.scratch_size + layer.grad_map
            clear(work, place, (layer.H + 2) * (layer.W + 2) * layer.OC)


@kernel
def train_per_sample(
    layers,  # (L,) LAYER records
    plan,  # (1,) PLAN record, room for one image
    params,  # (P,) float32 or float64, updated
    work,  # (.,) same dtype
    argmax,  # (.,) uint8
    rows,  # (.,) int64
    counts,  # (2*L,) int64 scratch: non-zero inputs of each dense layer, by halves
    team,  # (TEAM_SIZE,) int64 scratch: which halves are taken and done
    images,  # (n, H, W, C) uint8 or the dtype of params
    divisor,  # scalar of the dtype of params
    targets,  # (n,) uint8, or (n, K) floats
    order,  # (steps,) int64, the images to learn from, one a step
    lrs,  # (steps,) float64, the learning rate of each step
    losses,  # (steps,) float64, overwritten: the loss before each step
    totals,  # (1,) float64, the epoch's sum of losses so far, added to in the order of the steps
):
    """Train on the listed images one by one; return how many steps were done before a loss was not finite.

    w = w - lr * dLoss/dw after every image. Returns -1 if all losses are finite but a parameter is not.

    Parallel : over the two halves of each part of a step; whoever takes a half owns what it writes.
    Work     : 6*MAC flop a step, less what is skipped behind zeros.
    Errors   : none raised, nothing checked; jitnet/data/checks.py checks images and labels once.
    Matches  : tests.support.naive.train_per_sample; torch.optim.SGD at batch size 1.
    Source   : the documents' CNN and MLP; Robbins, Monro (1951).
    """
    begin(layers, plan[0], params, work, team)
    for me in prange(2):
        run_steps(
            me, team, layers, plan[0], params, work, argmax, rows, counts, images, divisor, targets, order, lrs, losses,
            totals,
        )  # fmt: skip
    for step in range(order.size):
        if not math.isfinite(losses[step]):
            return step
    return order.size if all_finite(params) else -1
