"""The driver for mini-batches: forward, backward and update of many images, each phase one parallel region.

The conv blocks run in shards of the batch (batch_conv_forward.py, batch_conv_backward.py). The dense layers run as
matrix products over the whole batch, so that their weights are read once per block of images.
"""

import math

from ..compiler.array_views import view
from ..compiler.decorators import inline_ir, serial_kernel
from ..layers.loss import output_loss
from ..layers.optimizer import all_finite, optimizer_step
from ..table import NOTHING, SGD
from .batch_conv_backward import conv_blocks_backward, sum_shards
from .batch_conv_forward import shard_count
from .inference import forward
from .linear_batch_backward import linear_batch_backward_input, linear_batch_backward_weight


@inline_ir
def backward(
    layers,
    plan,
    params,  # the dense layers' part is updated if `direct`
    work,
    argmax,
    N,  # images
    added,  # bool: add to the gradients in work instead of overwriting them
    direct,  # bool: dense layers take their SGD step at once; their gradient is neither written nor read again
    lr,
):
    """Run the table backward for some images: all gradients into work[plan.grads:]."""
    grads = plan[0].grads
    for index in range(layers.size - 1, plan[0].convs - 1, -1):
        layer = layers[index]
        weight = view(params, layer.weight, (layer.C, layer.OC))
        if layer.input_gradient_by != NOTHING:
            linear_batch_backward_input(
                view(work, layer.grad_out, (N, layer.OC)),
                weight,
                view(work, layer.x, (N, layer.C)),
                layer.previous_activation,
                view(work, layer.linear_scratch, (layer.linear_scratch_size,)),
                view(work, layer.grad_x, (N, layer.C)),
            )
        for n in range(0, N, plan[0].microbatch):
            count = min(plan[0].microbatch, N - n)
            linear_batch_backward_weight(
                view(work, layer.x + n * layer.C, (count, layer.C)),
                view(work, layer.grad_out + n * layer.OC, (count, layer.OC)),
                params.dtype.type(-lr if direct else 1.0),
                direct or added or n > 0,
                weight if direct else view(work, grads + layer.weight, (layer.C, layer.OC)),
                view(params, layer.bias, (layer.OC,)) if direct else view(work, grads + layer.bias, (layer.OC,)),
            )
    if plan[0].convs > 0:
        conv_blocks_backward(layers, plan, params, work, argmax, N)
        shards = view(work, plan[0].shard_grads, (shard_count(N), plan[0].conv_params))
        sum_shards(shards, added, view(work, grads, (plan[0].conv_params,)))


@inline_ir
def batch_gradient(
    layers,
    plan,
    params,
    work,
    argmax,
    images,  # (n, H, W, C) uint8 or float
    divisor,
    targets,  # (n,) uint8, or (n, K) floats
    batch,  # (N,) int64, the images to use
    scale,
    batch_losses,  # (N,) float64, overwritten
    direct,  # bool, for one microbatch: see `backward`
    lr,
):
    """Compute the gradient of scale * the sum of a batch's losses into work[plan.grads:], and return the sum.

    A batch larger than the room in `work` is taken in parts; no bit depends on how many. If the sum is not finite, the
    gradient is incomplete.
    """
    last = layers[layers.size - 1]
    total = 0.0
    for start in range(0, batch.size, plan[0].images):
        part = batch[start : min(start + plan[0].images, batch.size)]
        N = part.size
        losses = batch_losses[start : start + N]
        forward(layers, plan, params, work, argmax, images, divisor, part)
        logits = view(work, last.out, (N, last.OC))
        grad_logits = view(work, last.grad_out, (N, last.OC))
        number = params.dtype.type(scale)
        output_loss(plan[0].loss, plan[0].smoothing, logits, targets, part, number, losses, grad_logits)
        for n in range(N):
            total += losses[n]
        if not math.isfinite(total):
            break
        backward(layers, plan, params, work, argmax, N, start > 0, direct, lr)
    return total


@inline_ir
def update(
    layers,
    plan,
    rule,  # (1,) RULE record
    params,
    first,  # (P,) or empty, as in train_minibatch
    second,  # (P,) or empty, the same
    work,
    direct,  # bool: dense layers have taken their step
    lr,
    t,  # int64, the number of this update, from 1
):
    """Update the conv blocks, then each dense layer.

    Layer by layer, so that a thread updates the weights that it reads in the next step, if threads have equal shares.
    """
    for index in range(max(plan[0].convs - 1, 0), plan[0].convs if direct else layers.size):
        start = 0 if index < plan[0].convs else layers[index].weight
        stop = layers[index + 1].weight if index + 1 < layers.size else params.size
        gradient = view(work, plan[0].grads + start, (stop - start,))
        optimizer_step(
            rule, view(params, start, (stop - start,)), gradient, first[start:stop], second[start:stop], lr, t
        )


@serial_kernel
def train_minibatch(
    layers,  # (L,) LAYER records
    plan,  # (1,) PLAN record, room for a batch
    rule,  # (1,) RULE record
    params,  # (P,) float32 or float64, updated
    first,  # (P,) the optimizer's state, updated; empty if it has none
    second,  # (P,) or empty
    taken,  # updates so far
    work,  # (.,) same dtype
    argmax,  # (.,) uint8
    images,  # (n, H, W, C) uint8 or the dtype of params
    divisor,  # scalar of the dtype of params
    targets,  # (n,) uint8, or (n, K) floats
    order,  # (images of all steps,) int64, batch after batch; the last batch may be short
    batch_size,  # images of a batch
    lrs,  # (steps,) float64
    losses,  # (steps,) float64, overwritten: the mean loss of each batch before its update
    batch_losses,  # (batch_size,) float64 scratch
    totals,  # (1,) float64, the epoch's sum of losses so far, added to image after image
):
    """Train on batches; return how many steps were done before a loss was not finite.

    w = w - lr * mean over the batch of dLoss/dw, or as the rule says. Returns -1 if all losses are finite but a
    parameter or the optimizer's state is not.

    Parallel : inside each phase; this function only calls them in turn.
    Work     : 6*MAC flop per image.
    Errors   : none raised, nothing checked; jitnet/data/checks.py checks images and labels once.
    Matches  : tests.support.naive.train_minibatch; torch.optim.SGD.
    Source   : Goodfellow, Bengio, Courville (2016), algorithm 8.1.
    """
    for step in range(lrs.size):
        batch = order[step * batch_size : min((step + 1) * batch_size, order.size)]
        direct = rule[0].kind == SGD and rule[0].decay == 0 and batch.size <= plan[0].microbatch
        scale = 1.0 if rule[0].summed else 1.0 / batch.size
        total = batch_gradient(
            layers, plan, params, work, argmax, images, divisor, targets, batch, scale, batch_losses, direct, lrs[step]
        )
        losses[step] = total / batch.size
        if not math.isfinite(total):
            return step
        totals[0] += total
        update(layers, plan, rule, params, first, second, work, direct, lrs[step], taken + step + 1)
    return lrs.size if all_finite(params) and all_finite(first) and all_finite(second) else -1


@serial_kernel
def accumulate_gradient(
    layers,  # (L,) LAYER records
    plan,  # (1,) PLAN record, room for a part of the batch
    params,  # (P,) float32 or float64
    work,  # (.,) same dtype
    argmax,  # (.,) uint8
    images,  # (n, H, W, C) uint8 or the dtype of params
    divisor,  # scalar of the dtype of params
    targets,  # (n,) uint8, or (n, K) floats
    part,  # (N,) int64, some images of a batch that is too large for one call
    scale,  # float64: 1 / the images of the whole batch, or 1 for their sum
    batch_losses,  # (N,) float64 scratch
    grad,  # (P,) the batch's gradient so far, added to
):
    """Add the gradient of a part of a batch, and return the sum of the part's losses.

    grad += scale * sum over the part of dLoss/dw

    Parallel : inside each phase.
    Work     : 6*MAC flop per image.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.accumulate_gradient.
    Source   : Goodfellow, Bengio, Courville (2016), algorithm 8.1, a sum taken in parts.
    """
    total = batch_gradient(
        layers, plan, params, work, argmax, images, divisor, targets, part, scale, batch_losses, False, 0.0
    )
    sum_shards(view(work, plan[0].grads, (1, params.size)), True, grad)
    return total
