"""The documents' regime: one image, one update. Each image's gradient changes the weights before the next is used.

A step is a sequence of phases. Each is cut into two halves (work_split.py), which two threads claim (spin_barrier.py).
Of the L layers M are cut: all, or all but a last one that is small.

    0 .. M-1    these layers, forward; before the first, load the image
    M .. 2M-1   the same layers, backward, each updated once its input gradient is computed

Before phase M each half computes the loss, and a last layer that is not cut, for itself: the threads would take longer
to meet, 0.4 us on Emerald Rapids. If both halves contribute to a sum, the next phase adds the two partial sums, in
order.
"""

import math

import numpy as np
from numba import prange

from ..compiler.decorators import body, kernel
from ..compiler.simd import clear
from ..layers.optimizer import all_finite
from ..table import CONV
from .conv_block import conv_block_forward, transpose_weight
from .elementwise import prefetch_range
from .per_sample_layers import (
    conv_backward_half,
    copy_of_input,
    linear_backward_half,
    linear_forward_half,
    load_half,
    merge_halves,
    move_params,
    output_and_loss,
)
from .spin_barrier import PATIENCE, claim, complete, is_complete, wait
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
    counts,  # (L, 2, LINE) int64
    images,  # (n, H, W, C) uint8 or float
    divisor,
    targets,  # (n,) uint8, or (n, K) floats
    order,  # (steps,) int64
    lrs,  # (steps,) float64
    losses,  # (steps,) float64: this step's is overwritten
    totals,  # (1,) float64, added to
):
    """Compute one half of one phase of a step: see the head of this file."""
    M, scratch = plan.halved, scratch_of(plan, half)
    lr, image = params.dtype.type(lrs[step]), order[step]
    if phase < M:
        layer = layers[phase]
        if phase == 0:
            load_half(images[image], divisor, half, layer, work)
            if step > 0:
                merge_halves(layer, plan, half, work)
        if layer.kind == CONV:
            if phase > 0:  # half of the input comes from the other core's cache: a step takes 0.99 of the time
                prefetch_range(work, layer.x, layer.x_size)
            share = half_share(layer, layer.forward_split, half)
            conv_block_forward(
                layer, share, params, work, argmax, copy_of_input(phase, half), np.int64(0), scratch
            )  # fmt: skip
        else:
            linear_forward_half(phase, half, layers, plan.zeros, params, work, rows, counts)
        return
    loss = 0.0
    if phase == M:
        loss = output_and_loss(half, layers, plan, work, rows, targets, image, lr)
        if half == 0:
            losses[step] = loss
            if math.isfinite(loss):
                totals[0] += loss
    if math.isfinite(loss):
        index = 2 * M - 1 - phase
        if layers[index].kind == CONV:
            conv_backward_half(layers[index], half, copy_of_input(index, half), plan, params, work, argmax, lr)
        else:
            linear_backward_half(index, half, layers, plan, params, work, rows, counts, lr)


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
    """Work on all steps, up to one whose loss is not finite: claim a half of each phase, then the other if it is free.

    The other half is left to the other thread for as many reads as `patience`, unless this thread got it last time.
    """
    phases = 2 * plan.halved
    patience = 0  # no other thread has been seen yet
    for step in range(order.size):
        for phase in range(phases):
            number = step * phases + phase + 1
            for turn in range(2):
                half = member ^ turn
                if turn == 1 and is_complete(barrier, half, number, patience):
                    continue
                claimed = claim(barrier, half, number)
                if turn == 1:
                    patience = 0 if claimed else PATIENCE
                if claimed:
                    run_half(
                        phase, half, step, layers, plan, params, work, argmax, rows, counts, images, divisor, targets,
                        order, lrs, losses, totals,
                    )  # fmt: skip
                    complete(barrier, half, number)
            wait(barrier, number)
            if phase == plan.halved and not math.isfinite(losses[step]):
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
    for index in range(layers.size):
        move_params(layers[index], np.int64(0), plan, params, work)
    for index in range(plan.convs):
        layer = layers[index]
        transpose_weight(layer, params, work)
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
    counts,  # (L, 2, LINE) int64 scratch: the first of each line, the non-zero inputs of a dense layer's half
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
    done = 0
    while done < order.size and math.isfinite(losses[done]):
        done += 1
    if done == order.size > 0:  # else the step that stopped has added them
        merge_halves(layers[0], plan[0], np.int64(0), work)
        merge_halves(layers[0], plan[0], np.int64(1), work)
    for index in range(layers.size):
        move_params(layers[index], np.int64(1), plan[0], params, work)
    return done if done < order.size or all_finite(params) else -1
