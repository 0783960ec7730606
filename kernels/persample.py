"""The documents' regime: one image, one update. Each image's gradient changes the weights before the next is seen."""

import math

import numpy as np

from .activation import pass_back
from .blocks import by_winners, conv_block_backward, conv_block_forward, load_image, turn_back, turn_weight
from .dense import linear_forward_sample, linear_sgd_sample
from .layers import CONV, RELU
from .loss import output_loss_sample
from .optimizer import all_finite
from .options import body, serial_kernel
from .views import view


@body
def forward(layers, params, work, argmax, rows, counts, scratch):
    """Run the table forward for the image in the first layer's input."""
    for index in range(layers.size):
        layer = layers[index]
        if layer.kind == CONV:
            conv_block_forward(layer, params, work, argmax, np.int64(0), scratch)
        else:
            counts[index] = linear_forward_sample(
                view(work, layer.x, (layer.C,)),
                view(params, layer.weight, (layer.C, layer.OC)),
                view(params, layer.bias, (layer.OC,)),
                layer.activation,
                layer.all_inputs != 0,
                view(rows, layer.rows, (layer.C,)),
                view(work, layer.factors, (layer.C,)),
                view(work, layer.out, (layer.OC,)),
            )


@body
def backward(layers, plan, params, work, argmax, rows, counts, lr):
    """Run the table backward from the last layer's gradient, updating each layer once its input gradient is known."""
    for index in range(layers.size - 1, -1, -1):
        layer = layers[index]
        if layer.kind == CONV:
            image, start = np.int64(0), np.int64(0)  # literals would compile the block a second time
            if not by_winners(layer, work.itemsize):  # by winners both orders of the weights are kept up to date
                turn_weight(layer, index == 0, params, work)
            conv_block_backward(
                layer, index == 0, work, argmax, plan.zeros, image, plan.scratch, -lr, params, start, layer.transposed
            )
            turn_back(layer, layer.transposed, work, params, start)
        else:
            linear_sgd_sample(
                view(work, layer.grad_out, (layer.OC,)),
                view(rows, layer.rows, (layer.C,)),
                view(work, layer.factors, (layer.C,)),
                counts[index],
                lr,
                view(params, layer.weight, (layer.C, layer.OC)),
                view(params, layer.bias, (layer.OC,)),
                view(work, layer.grad_x, (layer.C,)),
            )
            if layer.behind > RELU:
                pass_back(layer.behind, view(work, layer.x, (layer.C,)), view(work, layer.grad_x, (layer.C,)))


@serial_kernel
def train_per_sample(
    layers,  # (L,) LAYER records
    plan,  # (1,) PLAN record, room for one image
    params,  # (P,) float32 or float64, updated
    work,  # (.,) same dtype
    argmax,  # (.,) uint8
    rows,  # (.,) int64
    counts,  # (L,) int64 scratch: non-zero inputs of each dense layer
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

    Parallel : no. At some 100 us a step a barrier between threads would be crossed some twenty times a step.
    Work     : 6*MAC flop a step, less what is skipped behind zeros.
    Errors   : none raised, nothing checked; jitnet/data/checks.py checks images and labels once.
    Matches  : tests.naive.train_per_sample; torch.optim.SGD at batch size 1.
    Source   : the documents' CNN and MLP; Robbins, Monro (1951).
    """
    first, last = layers[0], layers[layers.size - 1]
    border = 1 if first.kind == CONV else 0
    one = params.dtype.type(1)
    for index in range(plan[0].convs):
        turn_weight(layers[index], index == 0, params, work)
    for step in range(order.size):
        load_image(images[order[step]], divisor, border, work, first.x)
        forward(layers, params, work, argmax, rows, counts, plan[0].scratch)
        logits = view(work, last.out, (last.OC,))
        gradient = view(work, last.grad_out, (last.OC,))
        loss = output_loss_sample(plan[0].loss, logits, targets, order[step], one, gradient)
        losses[step] = loss
        if not math.isfinite(loss):
            return step
        totals[0] += loss
        backward(layers, plan[0], params, work, argmax, rows, counts, params.dtype.type(lrs[step]))
    return order.size if all_finite(params) else -1
