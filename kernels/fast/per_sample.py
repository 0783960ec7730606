"""The documents' regime: one image, one update. Each image's gradient changes the weights before the next is used.

A step over L layers is a sequence of phases. Each phase is cut into two halves (work_split.py), which two threads claim
(spin_barrier.py):

    0           load the image
    1 .. L      the layers, forward
    L+1         the loss
    L+2 .. 2L+1 the layers, backward, each updated once its input gradient is computed
    2L+2        merge_halves: the sums of both halves for the first filters

If both halves contribute to a sum, the next phase adds the two partial sums, in order.
"""

import math

import numpy as np
from numba import prange

from ..compiler.array_views import view
from ..compiler.decorators import body, kernel
from ..compiler.simd import clear
from ..layers.loss import output_loss_sample
from ..layers.optimizer import all_finite
from ..table import CONV
from .conv_block import conv_block_forward, load_image, transpose_weight
from .elementwise import prefetch_range
from .per_sample_layers import (
    conv_backward_half,
    linear_backward_half,
    linear_forward_half,
    merge_halves,
    merge_outputs,
    move_params,
)
from .spin_barrier import claim, complete, wait
from .work_split import half_share, scratch_of


@body
def run_half(
    phase,  # of the step
    half,
    step,  # in order, lrs and losses
    layers,
    plan,
    params,
    work,
    argmax,
    rows,
    counts,  # (2*L,) int64
    images,  # (n, H, W, C) uint8 or float
    divisor,
    targets,  # (n,) uint8, or (n, K) floats
    order,  # (steps,) int64
    lrs,  # (steps,) float64
    losses,  # (steps,) float64: this step's is overwritten
    totals,  # (1,) float64, added to
):
    """Compute one half of one phase of a step: see the head of this file."""
    L = layers.size
    first, last = layers[0], layers[L - 1]
    lr = params.dtype.type(lrs[step])
    if phase == 0:
        border = 1 if first.kind == CONV else 0
        H = images.shape[1]
        top, bottom = (0, H // 2) if half == 0 else (H // 2, H)
        load_image(images[order[step]], divisor, border, top, bottom, work, first.x)
    elif phase <= L:
        layer = layers[phase - 1]
        if layer.kind == CONV:
            scratch = scratch_of(plan, half)
            if phase > 1:  # half of the input comes from the other core's cache: a step takes 0.99 of the time
                prefetch_range(work, layer.x, layer.x_size)
            share = half_share(layer, layer.forward_split, half, work.itemsize)
            conv_block_forward(layer, share, params, work, argmax, np.int64(0), np.int64(0), scratch)
        else:
            linear_forward_half(phase - 1, half, layers, plan.zeros, params, work, rows, counts)
    elif phase == L + 1:
        if half == 0:
            merge_outputs(last, np.int64(0), last.OC, work)
            logits, gradient = view(work, last.out, (last.OC,)), view(work, last.grad_out, (last.OC,))
            number, image = params.dtype.type(1), order[step]
            losses[step] = output_loss_sample(plan.loss, plan.smoothing, logits, targets, image, number, gradient)
            if math.isfinite(losses[step]):
                totals[0] += losses[step]
    elif phase <= 2 * L + 1:
        index = 2 * L + 1 - phase
        if layers[index].kind == CONV:
            conv_backward_half(layers[index], half, plan, params, work, argmax, lr)
        else:
            linear_backward_half(index, half, layers, params, work, rows, counts, lr)
    elif half == 0:
        merge_halves(first, plan, params, work)


@body
def run_steps(
    member,  # 0 or 1: the half that this thread tries to claim first
    barrier,  # (BARRIER_SIZE,) int64
    layers,
    plan,
    params,
    work,
    argmax,
    rows,
    counts,  # as in run_half
    images,  # as in run_half
    divisor,
    targets,  # as in run_half
    order,  # as in run_half
    lrs,  # as in run_half
    losses,  # as in run_half
    totals,  # as in run_half
):
    """Work on all steps, up to one whose loss is not finite: claim one half of each phase, then the other."""
    phases = 2 * layers.size + 3
    for step in range(order.size):
        for phase in range(phases):
            number = step * phases + phase + 1
            for other in range(2):
                half = member ^ other
                if claim(barrier, half, number):
                    run_half(
                        phase, half, step, layers, plan, params, work, argmax, rows, counts, images, divisor, targets,
                        order, lrs, losses, totals,
                    )  # fmt: skip
                    complete(barrier, half, number)
            wait(barrier, number)
            if phase == layers.size + 1 and not math.isfinite(losses[step]):
                return


@body
def prepare_workspace(
    layers,
    plan,
    params,
    work,
    barrier,  # (BARRIER_SIZE,) int64, overwritten
):
    """Before the first step: no half is claimed, the weights are in their layouts, a map is zero outside its share."""
    for i in range(barrier.size):
        barrier[i] = 0
    for index in range(plan.convs):
        layer = layers[index]
        transpose_weight(layer, params, work)
        move_params(layer, np.int64(0), params, work)
        for half in range(2):
            place = scratch_of(plan, half) + layer.grad_map
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
    barrier,  # (BARRIER_SIZE,) int64 scratch: which halves are claimed and complete
    images,  # (n, H, W, C) uint8 or the dtype of params
    divisor,  # scalar of the dtype of params
    targets,  # (n,) uint8, or (n, K) floats
    order,  # (steps,) int64, the images to learn from, one per step
    lrs,  # (steps,) float64, the learning rate of each step
    losses,  # (steps,) float64, overwritten: the loss before each step
    totals,  # (1,) float64, the epoch's sum of losses so far, added to in the order of the steps
):
    """Train on the listed images one by one; return the number of steps before a loss was not finite.

    w = w - lr * dLoss/dw after every image. Returns -1 if all losses are finite but a parameter is not.

    Parallel : over the two halves of each phase of a step; the thread that claims a half owns what it writes.
    Work     : 6*MAC flop a step, less what is skipped where inputs or gradients are zero.
    Errors   : none raised, nothing checked; jitnet/data/checks.py checks images and labels once.
    Matches  : tests.support.naive.train_per_sample; torch.optim.SGD at batch size 1.
    Source   : the documents' CNN and MLP; Robbins, Monro (1951).
    """
    prepare_workspace(layers, plan[0], params, work, barrier)
    for member in prange(2):
        run_steps(
            np.int64(member), barrier, layers, plan[0], params, work, argmax, rows, counts, images, divisor, targets,
            order, lrs, losses, totals,
        )  # fmt: skip
    for index in range(plan[0].convs):
        move_params(layers[index], np.int64(1), params, work)
    for step in range(order.size):
        if not math.isfinite(losses[step]):
            return step
    return order.size if all_finite(params) else -1
