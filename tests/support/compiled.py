"""Entry points to functions of the kernels that Python can't call: the primitives and some serial bodies."""

import numpy as np
from numba import prange

from jitnet.kernels.compiler.decorators import kernel, serial_kernel
from jitnet.kernels.fast import conv_block, conv_sparse, conv_winograd, vector_rows, work_split
from jitnet.kernels.fast.spin_barrier import finish, take, wait
from jitnet.kernels.layers import contraction as contract_file
from jitnet.kernels.layers import convolution, linear, pooling

_contract = contract_file.contract
_add_rows, _dot_then_add, _transpose = vector_rows.add_rows, vector_rows.dot_then_add, vector_rows.transpose
_flip_weight, _conv2d_row = convolution.flip_weight, convolution.conv2d_row
_max_pool2d_row, _max_pool2d_backward_sample = pooling.max_pool2d_row, pooling.max_pool2d_backward_sample
_linear_forward_sample, _linear_sgd_sample = linear.linear_forward_sample, linear.linear_sgd_sample
_conv_block_forward, _whole = conv_block.conv_block_forward, work_split.whole
_channels_first, _channels_last = conv_sparse.channels_first, conv_sparse.channels_last
_transform_weight, _conv2d_tiles = conv_winograd.transform_weight, conv_winograd.conv2d_tiles
_wide_backward, _narrow_backward_weight = conv_sparse.wide_backward, conv_sparse.narrow_backward_weight


@serial_kernel
def contract(a, b, init, scale, out):
    """See jitnet.kernels.layers.contraction."""
    _contract(a, b, init, scale, out)


@serial_kernel
def add_rows(bias, weight, factors, rows, count, out):
    """See jitnet.kernels.fast.vector_rows."""
    _add_rows(bias, weight, factors, rows, count, out)


@serial_kernel
def dot_then_add(row, vector, step):
    """See jitnet.kernels.fast.vector_rows."""
    return _dot_then_add(row, vector, step)


@serial_kernel
def transpose(matrix, out):
    """See jitnet.kernels.fast.vector_rows."""
    _transpose(matrix, out)


@serial_kernel
def flip_weight(weight, out):
    """See jitnet.kernels.layers.convolution."""
    _flip_weight(weight, out)


@serial_kernel
def linear_forward_sample(x, weight, bias, activation, all_inputs, rows, factors, out):
    """See jitnet.kernels.layers.linear."""
    return _linear_forward_sample(x, weight, bias, activation, all_inputs, rows, factors, out)


@serial_kernel
def linear_sgd_sample(grad_output, rows, factors, count, lr, weight, bias, grad_input):
    """See jitnet.kernels.layers.linear."""
    _linear_sgd_sample(grad_output, rows, factors, count, lr, weight, bias, grad_input)


@serial_kernel
def conv_block_forward(layers, index, params, work, argmax, n, scratch):
    """See jitnet.kernels.fast.conv_block."""
    _conv_block_forward(layers[index], _whole(layers[index]), params, work, argmax, n, scratch)


@serial_kernel
def channels_first(weight, out):
    """See jitnet.kernels.fast.conv_sparse."""
    _channels_first(weight, out)


@serial_kernel
def channels_last(grad, out):
    """See jitnet.kernels.fast.conv_sparse."""
    _channels_last(grad, 0, grad.shape[0], out)


@serial_kernel
def conv2d_row(x, weight, bias, y, first, stop, out):
    """See jitnet.kernels.layers.convolution."""
    _conv2d_row(x, weight, bias, y, first, stop, out, 0)


@serial_kernel
def transform_weight(weight, out):
    """See jitnet.kernels.fast.conv_winograd."""
    _transform_weight(weight, out)


@serial_kernel
def conv2d_tiles(x, transformed, bias, zeros, scratch, out, place, row, image):
    """See jitnet.kernels.fast.conv_winograd."""
    _conv2d_tiles(x, transformed, bias, zeros, scratch, out, place, row, image)


@serial_kernel
def max_pool2d_row(top, middle, bottom, relu, first, stop, out, argmax):
    """See jitnet.kernels.layers.pooling."""
    _max_pool2d_row(top, middle, bottom, relu, first, stop, out, argmax)


@serial_kernel
def max_pool2d_backward_sample(grad_out, argmax, border, share, grad_input):
    """See jitnet.kernels.layers.pooling."""
    _max_pool2d_backward_sample(grad_out, argmax, border, share, grad_input)


@serial_kernel
def _wide(x, grad_map, turned, weight, first, stop, way, scale, grad_weight, grad_x):
    _wide_backward(x, grad_map, turned, weight, first, stop, way, scale, grad_weight, grad_x)


def wide_backward(x, grad_map, *rest):
    """See jitnet.kernels.fast.conv_sparse."""
    _wide(x, grad_map, np.empty(grad_map.size, grad_map.dtype), *rest)


@serial_kernel
def narrow_backward_weight(x, grad_map, first_row, stop_row, first, stop, scale, grad_weight):
    """See jitnet.kernels.fast.conv_sparse."""
    _narrow_backward_weight(x, grad_map, first_row, stop_row, first, stop, scale, grad_weight)


@kernel
def hand_over(team, cells, parts):
    """Two members add up what both halves of the part before left, so often that a lost hand-over shows."""
    for me in prange(2):
        for part in range(1, parts + 1):
            for turn in range(2):
                half = me ^ turn
                if take(team, half, part):
                    cells[part % 2, half] = cells[1 - part % 2, 0] + cells[1 - part % 2, 1] + half
                    finish(team, half, part)
            wait(team, part)
