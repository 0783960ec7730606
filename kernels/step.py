"""The training step, from the image to the new weights: every operation is one page of layers/.

`jitnet train NETWORK --kernels simple` runs this file. It is plain Python that calls compiled loops on whole batches,
layer after layer, so that a new network compiles nothing. fast/ computes the same sooner and is tested against it.
"""

import math

import numpy as np

from .arrays import Draw
from .layers.activation import activation_backward, activation_forward
from .layers.convolution import conv2d_backward_input, conv2d_backward_weight, conv2d_forward
from .layers.dropout import dropout
from .layers.linear import linear_backward_input, linear_backward_weight, linear_forward
from .layers.loss import output_loss
from .layers.optimizer import optimizer_step
from .layers.pooling import average_pool2d_backward, average_pool2d_forward, max_pool2d_backward, max_pool2d_forward
from .table import AVERAGE_POOL, CONV, MAX_POOL


def forward(layers, N, draw=None):
    """Compute the outputs of all layers for the N images in layers[0].x; with a `draw`, some of them are dropped."""
    for place, layer in enumerate(layers):
        x, out = layer.x[:N], layer.out[:N]
        if layer.kind == MAX_POOL:
            max_pool2d_forward(x, out, layer.winner[:N])
            continue
        if layer.kind == AVERAGE_POOL:
            average_pool2d_forward(x, out)
            continue
        z = layer.z[:N]
        if layer.kind == CONV:
            conv2d_forward(x, layer.weight, layer.bias, z)
        else:
            linear_forward(x, layer.weight, layer.bias, z)
        activation_forward(layer.activation, z.reshape(-1), out.reshape(-1))
        if draw and layer.dropout:
            dropout(layer.dropout, draw.seed, draw.update, place, draw.images, out)


def backward(layers, N, draw):
    """Add the gradients of all parameters, from the gradient in layers[-1].grad_out; the chain rule, backwards."""
    for place, layer in reversed(list(enumerate(layers))):
        grad_out, grad_x = layer.grad_out[:N], None if layer.grad_x is None else layer.grad_x[:N]
        if layer.kind == MAX_POOL:
            max_pool2d_backward(grad_out, layer.winner[:N], grad_x)
            continue
        if layer.kind == AVERAGE_POOL:
            average_pool2d_backward(grad_out, grad_x)
            continue
        x, z, grad_z = layer.x[:N], layer.z[:N], layer.grad_z[:N]
        if layer.dropout:
            dropout(layer.dropout, draw.seed, draw.update, place, draw.images, grad_out)
        activation_backward(layer.activation, z.reshape(-1), grad_out.reshape(-1), grad_z.reshape(-1))
        if layer.kind == CONV:
            conv2d_backward_weight(x, grad_z, layer.grad_weight, layer.grad_bias)
            if grad_x is not None:
                conv2d_backward_input(grad_z, layer.weight, grad_x)
        else:
            linear_backward_weight(x, grad_z, layer.grad_weight, layer.grad_bias)
            if grad_x is not None:
                linear_backward_input(grad_z, layer.weight, grad_x)


def load(net, images, divisor, order):
    """Write the images (N, H, W, C) that `order` (N,) names into the first layer's x, bytes as numbers from 0 to 1."""
    x = net.layers[0].x[: order.size]
    np.divide(images[order], divisor, out=x.reshape(order.size, *images.shape[1:]))


def predict(net, images, divisor, order, out):
    """Write the outputs (N, K) of the last layer for the images that `order` (N,) names."""
    room = net.losses.size
    for start in range(0, order.size, room):
        part = order[start : start + room]
        load(net, images, divisor, part)
        forward(net.layers, part.size)
        out[start : start + room] = net.layers[-1].out[: part.size]


def add_gradient(net, images, divisor, targets, batch, scale, update):
    """Add scale * the gradient of the sum of a batch's losses to net.grads, and return the sum.

    `update` is the number of updates so far, for the dropout.

    A batch (N,) larger than the room for images is taken in parts. If the sum is not finite, it is incomplete.
    """
    room, last, total = net.losses.size, net.layers[-1], 0.0
    for start in range(0, batch.size, room):
        part = batch[start : start + room]
        N = part.size
        load(net, images, divisor, part)
        draw = Draw(net.seed, update, part)
        forward(net.layers, N, draw)
        output_loss(net.loss, net.smoothing, last.out[:N], targets, part, scale, net.losses[:N], last.grad_out[:N])
        for loss in net.losses[:N]:
            total += loss
        if not math.isfinite(total):
            break
        backward(net.layers, N, draw)
    return total


def train(
    net,
    rule,  # (1,) RULE record
    first,  # (P,) the optimizer's state, updated; empty if it has none
    second,  # (P,) or empty
    taken,  # updates so far
    images,  # (n, H, W, C) uint8 or the dtype of the parameters
    divisor,  # scalar of the dtype of the parameters: 255 for bytes
    targets,  # (n,) uint8, or (n, K) floats
    order,  # (images of all steps,) int64, batch after batch; the last batch may be short
    batch_size,
    lrs,  # (steps,) float64
    losses,  # (steps,) float64, overwritten: the mean loss of each batch before its update
    totals,  # (1,) float64, the epoch's sum of losses so far, added to
):
    """Train on batches; return how many steps were done before a loss was not finite.

    Returns -1 if all losses are finite but a parameter or the optimizer's state is not.
    """
    for step in range(lrs.size):
        batch = order[step * batch_size : (step + 1) * batch_size]
        scale = net.params.dtype.type(1.0 if rule[0].summed else 1.0 / batch.size)
        net.grads[:] = 0
        total = add_gradient(net, images, divisor, targets, batch, scale, taken + step)
        losses[step] = total / batch.size
        if not math.isfinite(total):
            return step
        totals[0] += total
        optimizer_step(rule, net.params, net.grads, first, second, lrs[step], taken + step + 1)
    return lrs.size if all(np.isfinite(part).all() for part in (net.params, first, second)) else -1
