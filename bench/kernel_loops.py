"""Kernels repeated inside one compiled call, so that the time of Python is not measured.

The bodies of one image run once per piece, each piece with its own arrays: on one thread there is one piece, on two
threads two. The kernels of a batch bring their own `prange` and are repeated as they are.
"""

from numba import prange

from jitnet.kernels.compiler.array_views import view
from jitnet.kernels.compiler.decorators import kernel, serial_kernel
from jitnet.kernels.fast import (
    conv_few_channels,
    conv_rows,
    conv_winograd,
    conv_winograd_weight,
    linear_batch_backward,
    linear_batch_forward,
    linear_one_image,
    pool_rows,
)
from jitnet.kernels.table import RELU
from jitnet.model.kernel_choice import FEW

_conv2d_row, _conv2d_backward_weight = conv_rows.conv2d_row, conv_rows.conv2d_backward_weight_sample
_conv2d_row_few_channels = conv_few_channels.conv2d_row_few_channels
_flip_weight = conv_rows.flip_weight
_transform_weight, _conv2d_winograd = conv_winograd.transform_weight, conv_winograd.conv2d_winograd
_winograd_backward_weight = conv_winograd_weight.winograd_backward_weight
_max_pool2d_row, _max_pool2d_backward = pool_rows.max_pool2d_row, pool_rows.max_pool2d_backward_sample
_linear_forward_sample = linear_one_image.linear_forward_sample
_linear_sgd_sample = linear_one_image.linear_sgd_sample
_linear_forward = linear_batch_forward.linear_batch_forward
_linear_backward_input = linear_batch_backward.linear_batch_backward_input
_linear_backward_weight = linear_batch_backward.linear_batch_backward_weight


@kernel
def conv2d_forward(repeats, x, weight, bias, out):
    """x (P, H+2, W+2, C), out (P, H, W, OC); rows as the conv blocks compute them, by the number of channels."""
    _, H, W, OC = out.shape
    few = x.shape[3] <= FEW
    for p in prange(x.shape[0]):
        image, flat = x[p], view(out, p * H * W * OC, (H * W * OC,))
        for _ in range(repeats):
            for y in range(H):
                if few:
                    _conv2d_row_few_channels(image, weight, bias, y, 0, OC, flat, y * W * OC)
                else:
                    _conv2d_row(image, weight, bias, y, 0, OC, flat, y * W * OC)


@kernel
def conv2d_backward_weight(repeats, x, grad_output, scale, out):
    """x (P, H+2, W+2, C), grad_output (P, H+2, W+2, OC), out (P, 3, 3, C, OC)."""
    for p in prange(x.shape[0]):
        for _ in range(repeats):
            _conv2d_backward_weight(x[p], grad_output[p], scale, out[p], out[p])


@kernel
def flip_weight(repeats, weight, out):
    """weight (P, 3, 3, C, OC), out (P, 3, 3, OC, C)."""
    for p in prange(weight.shape[0]):
        for _ in range(repeats):
            _flip_weight(weight[p], out[p])


@kernel
def transform_weight(repeats, weight, out):
    """weight (P, 3, 3, C, OC), out (P, 36, C*OC + GAP)."""
    for p in prange(weight.shape[0]):
        for _ in range(repeats):
            _transform_weight(weight[p], out[p])


@kernel
def conv2d_winograd(repeats, x, transformed, bias, zeros, scratch, out):
    """x (P, N, H+2, W+2, C), transformed (P, 36, C*OC + GAP), scratch (P, .), out (P, N*H*W*OC)."""
    H, W, OC = x.shape[2] - 2, x.shape[3] - 2, bias.shape[2]
    for p in prange(x.shape[0]):
        for _ in range(repeats):
            _conv2d_winograd(x[p], transformed[p], bias, zeros, scratch[p], out[p], 0, W * OC, H * W * OC)


@kernel
def winograd_backward_weight(repeats, x, grad_maps, scratch, sums):
    """x (P, N, H+2, W+2, C), grad_maps (P, N, H+2, W+2, OC), scratch (P, .), sums (P, 36, C, OC)."""
    for p in prange(x.shape[0]):
        for _ in range(repeats):
            _winograd_backward_weight(x[p], grad_maps[p], sums[p], scratch[p], sums[p])


@kernel
def max_pool2d_forward(repeats, x, out, argmax):
    """x (P, H, W, C), out and argmax (P, H//2, W//2, C)."""
    _, H, W, C = x.shape
    for p in prange(x.shape[0]):
        image, pooled, winners = x[p], out[p], argmax[p]
        for _ in range(repeats):
            for oy in range(H // 2):
                top = view(image, 2 * oy * W * C, (W, C))
                middle = view(image, (2 * oy + 1) * W * C, (W, C))
                bottom = view(image, (2 * oy + 2 if 2 * oy + 2 < H else 2 * oy) * W * C, (W, C))
                _max_pool2d_row(top, middle, bottom, 1, 0, C, pooled[oy], winners[oy])


@kernel
def max_pool2d_backward(repeats, grad_output, argmax, grad_input):
    """grad_output and argmax (P, H//2, W//2, C), grad_input (P, H+2, W+2, C)."""
    _, OH, _, C = grad_output.shape
    for p in prange(grad_output.shape[0]):
        for _ in range(repeats):
            _max_pool2d_backward(grad_output[p], argmax[p], 1, (0, OH, 0, C), grad_input[p])


@kernel
def linear_forward_sample(repeats, x, weight, bias, rows, factors, out):
    """x (P, D), weight (P, D, K), bias (P, K), rows and factors (P, D), out (P, K)."""
    for p in prange(x.shape[0]):
        for _ in range(repeats):
            _linear_forward_sample(x[p], weight[p], bias[p], True, False, rows[p], factors[p], out[p])


@kernel
def linear_sgd_sample(repeats, grad_output, rows, factors, count, lr, weight, bias, grad_input):
    """grad_output (P, K), rows and factors (P, D), weight (P, D, K), bias (P, K), grad_input (P, D)."""
    for p in prange(grad_output.shape[0]):
        for _ in range(repeats):
            _linear_sgd_sample(grad_output[p], rows[p], factors[p], count, lr, weight[p], bias[p], grad_input[p])


@serial_kernel
def linear_forward(repeats, x, weight, bias, scratch, out):
    """x (N, D), out (N, K); parallel inside."""
    for _ in range(repeats):
        _linear_forward(x, weight, bias, RELU, scratch, out)


@serial_kernel
def linear_backward_input(repeats, grad_output, weight, x, previous_activation, scratch, grad_input):
    """grad_output (N, K), x and grad_input (N, D); parallel inside."""
    for _ in range(repeats):
        _linear_backward_input(grad_output, weight, x, previous_activation, scratch, grad_input)


@serial_kernel
def linear_sgd(repeats, x, grad_output, scale, weight, bias):
    """x (N, D), grad_output (N, K), weight (D, K) and bias (K,) added to; parallel inside."""
    for _ in range(repeats):
        _linear_backward_weight(x, grad_output, scale, True, weight, bias)
