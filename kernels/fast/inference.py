"""Inference of networks without conv blocks, see inference_groups.py; `forward` begins a mini-batch's step too."""

from ..compiler.array_views import view
from ..compiler.decorators import inline_ir, serial_kernel
from .batch_conv_forward import conv_blocks_forward
from .elementwise import copy
from .linear_batch_forward import linear_batch_forward


@inline_ir
def forward(
    layers,
    plan,
    params,
    work,
    argmax,
    images,  # (n, H, W, C) uint8 or float
    divisor,
    order,  # (N,) int64, the images to use
):
    """Run the table forward for some images."""
    N = order.size
    conv_blocks_forward(layers, plan, params, work, argmax, images, divisor, order)
    for index in range(plan[0].convs, layers.size):
        layer = layers[index]
        linear_batch_forward(
            view(work, layer.x, (N, layer.C)),
            view(params, layer.weight, (layer.C, layer.OC)),
            view(params, layer.bias, (layer.OC,)),
            layer.activation,
            view(work, layer.linear_scratch, (layer.linear_scratch_size,)),
            view(work, layer.out, (N, layer.OC)),
        )


@serial_kernel
def predict_logits(
    layers,  # (L,) LAYER records
    plan,  # (1,) PLAN record
    params,  # (P,)
    work,  # (.,)
    argmax,  # (0,) uint8: no winners of max-pooling are kept; or (.,), overwritten
    images,  # (n, H, W, C) uint8 or float
    divisor,  # scalar
    order,  # (N,) int64
    out,  # (N, K), overwritten
):
    """Run the network forward: out[n] = the logits of images[order[n]]. An image's bits do not depend on its batch.

    Parallel : inside each phase.
    Work     : 2*MAC flop per image.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.predict_logits.
    Source   : the forward pass of training, without the loss.
    """
    last = layers[layers.size - 1]
    for start in range(0, order.size, plan[0].images):
        part = order[start : min(start + plan[0].images, order.size)]
        forward(layers, plan, params, work, argmax, images, divisor, part)
        copy(work, last.out, view(out, 0, (out.size,)), start * last.OC, part.size * last.OC)
