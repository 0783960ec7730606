"""Kernels repeated inside one compiled call, so that the time of Python is not measured.

The bodies of one image run once per piece, each piece with its own arrays: on one thread there is one piece, on two
threads two. The kernels of a batch bring their own `prange` and are repeated as they are.
"""

from numba import prange

from jitnet.kernels.compiler.decorators import kernel, serial_kernel
from jitnet.kernels.fast import conv_winograd
from jitnet.kernels.layers import convolution, linear, pooling

_conv2d_forward, _conv2d_backward_weight = convolution.conv2d_forward_sample, convolution.conv2d_backward_weight_sample
_flip_weight = convolution.flip_weight
_transform_weight, _conv2d_tiles = conv_winograd.transform_weight, conv_winograd.conv2d_tiles
_max_pool2d_forward, _max_pool2d_backward = pooling.max_pool2d_forward_sample, pooling.max_pool2d_backward_sample
_linear_forward_sample, _linear_sgd_sample = linear.linear_forward_sample, linear.linear_sgd_sample
_linear_forward = linear.linear_forward
_linear_backward_input, _linear_backward_weight = linear.linear_backward_input, linear.linear_backward_weight


@kernel
def conv2d_forward(repeats, x, weight, bias, out):
    """x (P, H+2, W+2, C), out (P, H, W, OC)."""
    for p in prange(x.shape[0]):
        for _ in range(repeats):
            _conv2d_forward(x[p], weight, bias, out[p])


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
def conv2d_tiles(repeats, x, transformed, bias, zeros, scratch, out):
    """x (P, N, H+2, W+2, C), transformed (P, 36, C*OC + GAP), scratch (P, .), out (P, N*H*W*OC)."""
    H, W, OC = x.shape[2] - 2, x.shape[3] - 2, bias.shape[2]
    for p in prange(x.shape[0]):
        for _ in range(repeats):
            _conv2d_tiles(x[p], transformed[p], bias, zeros, scratch[p], out[p], 0, W * OC, H * W * OC)


@kernel
def max_pool2d_forward(repeats, x, out, argmax):
    """x (P, H, W, C), out and argmax (P, H//2, W//2, C)."""
    for p in prange(x.shape[0]):
        for _ in range(repeats):
            _max_pool2d_forward(x[p], True, out[p], argmax[p])


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
def linear_forward(repeats, x, weight, bias, out):
    """x (N, D), out (N, K); parallel inside."""
    for _ in range(repeats):
        _linear_forward(x, weight, bias, True, out)


@serial_kernel
def linear_backward_input(repeats, grad_output, weight, x, scratch, grad_input):
    """grad_output (N, K), x and grad_input (N, D); parallel inside."""
    for _ in range(repeats):
        _linear_backward_input(grad_output, weight, x, True, scratch, grad_input)


@serial_kernel
def linear_backward_weight(repeats, x, grad_output, grad_weight, grad_bias):
    """x (N, D), grad_output (N, K); parallel inside."""
    for _ in range(repeats):
        _linear_backward_weight(x, grad_output, x.dtype.type(1), False, grad_weight, grad_bias)
