"""Entry points to functions of the kernels that Python can't call: the primitives and some serial bodies."""

import numpy as np
from numba import prange

from jitnet.kernels.compiler import simd_rows
from jitnet.kernels.compiler.decorators import kernel, serial_kernel
from jitnet.kernels.fast import (
    activation_in_place,
    conv_block,
    conv_few_channels,
    conv_rows,
    conv_sparse,
    conv_sparse_input,
    conv_winograd,
    conv_winograd_weight,
    linear_one_image,
    pool_rows,
    vector_rows,
    work_split,
)
from jitnet.kernels.fast import contraction as contract_file
from jitnet.kernels.fast.spin_barrier import claim, complete, wait

_contract = contract_file.contract
_add_rows, _dots_then_add, _transpose = vector_rows.add_rows, simd_rows.dots_then_add, vector_rows.transpose
_activate, _pass_back = activation_in_place.activate, activation_in_place.pass_back
_flip_weight, _conv2d_row = conv_rows.flip_weight, conv_rows.conv2d_row
_conv2d_backward_weight_sample = conv_rows.conv2d_backward_weight_sample
_conv2d_row_few_channels = conv_few_channels.conv2d_row_few_channels
_max_pool2d_row, _max_pool2d_backward_sample = pool_rows.max_pool2d_row, pool_rows.max_pool2d_backward_sample
_linear_forward_sample = linear_one_image.linear_forward_sample
_linear_sgd_sample = linear_one_image.linear_sgd_sample
_conv_block_forward, _whole = conv_block.conv_block_forward, work_split.whole_share
_to_filter_major, _from_filter_major = conv_sparse.to_filter_major, conv_sparse.from_filter_major
_transform_weight, _conv2d_winograd = conv_winograd.transform_weight, conv_winograd.conv2d_winograd
_winograd_backward_weight = conv_winograd_weight.winograd_backward_weight
_transform_sums = conv_winograd_weight.transform_sums
_sparse_backward = conv_sparse.sparse_backward
_sparse_input_backward_weight = conv_sparse_input.sparse_input_backward_weight


@serial_kernel
def contract(a, b, init, scale, out):
    """See jitnet.kernels.fast.contraction."""
    _contract(a, b, init, scale, out)


@serial_kernel
def add_rows(bias, weight, factors, rows, count, out):
    """See jitnet.kernels.fast.vector_rows."""
    _add_rows(bias, weight, factors, rows, count, out)


@serial_kernel
def dots_then_add(weight, rows, factors, count, vector, scale, dots):
    """See jitnet.kernels.compiler.simd_rows."""
    _dots_then_add(weight, rows, factors, count, vector, scale, dots)


@serial_kernel
def transpose(matrix, out):
    """See jitnet.kernels.fast.vector_rows."""
    _transpose(matrix, out)


@serial_kernel
def activate(kind, x):
    """See jitnet.kernels.fast.activation_in_place."""
    _activate(kind, x)


@serial_kernel
def pass_back(kind, out, grad):
    """See jitnet.kernels.fast.activation_in_place."""
    _pass_back(kind, out, grad)


@serial_kernel
def flip_weight(weight, out):
    """See jitnet.kernels.fast.conv_rows."""
    _flip_weight(weight, out)


@serial_kernel
def linear_forward_sample(x, weight, bias, activation, all_inputs, rows, factors, out):
    """See jitnet.kernels.fast.linear_one_image."""
    return _linear_forward_sample(x, weight, bias, activation, all_inputs, rows, factors, out)


@serial_kernel
def linear_sgd_sample(grad_output, rows, factors, count, lr, weight, bias, grad_input):
    """See jitnet.kernels.fast.linear_one_image."""
    _linear_sgd_sample(grad_output, rows, factors, count, lr, weight, bias, grad_input)


@serial_kernel
def conv_block_forward(layers, index, params, work, argmax, n, scratch):
    """See jitnet.kernels.fast.conv_block."""
    _conv_block_forward(layers[index], _whole(layers[index]), params, work, argmax, n, n, scratch)


@serial_kernel
def to_filter_major(weight, out):
    """See jitnet.kernels.fast.conv_sparse."""
    _to_filter_major(weight, out)


@serial_kernel
def from_filter_major(grad, out):
    """See jitnet.kernels.fast.conv_sparse."""
    _from_filter_major(grad, 0, grad.shape[0], out)


@serial_kernel
def conv2d_row(x, weight, bias, y, first, stop, out):
    """See jitnet.kernels.fast.conv_rows."""
    _conv2d_row(x, weight, bias, y, first, stop, out, 0)


@serial_kernel
def conv2d_row_few_channels(x, weight, bias, y, first, stop, out):
    """See jitnet.kernels.fast.conv_few_channels."""
    _conv2d_row_few_channels(x, weight, bias, y, first, stop, out, 0)


@serial_kernel
def conv2d_backward_weight_sample(x, grad_output, scale, init, out):
    """See jitnet.kernels.fast.conv_rows."""
    _conv2d_backward_weight_sample(x, grad_output, scale, init, out)


@serial_kernel
def transform_weight(weight, out):
    """See jitnet.kernels.fast.conv_winograd."""
    _transform_weight(weight, out)


@serial_kernel
def conv2d_winograd(x, transformed, bias, zeros, scratch, out, place, row, image):
    """See jitnet.kernels.fast.conv_winograd."""
    _conv2d_winograd(x, transformed, bias, zeros, scratch, out, place, row, image)


@serial_kernel
def winograd_backward_weight(x, grad_maps, init, scratch, sums):
    """See jitnet.kernels.fast.conv_winograd_weight."""
    _winograd_backward_weight(x, grad_maps, init, scratch, sums)


@serial_kernel
def transform_sums(sums, scratch, grad_weight):
    """See jitnet.kernels.fast.conv_winograd_weight."""
    _transform_sums(sums, scratch, grad_weight)


@serial_kernel
def max_pool2d_row(top, middle, bottom, relu, first, stop, out, argmax):
    """See jitnet.kernels.fast.pool_rows."""
    _max_pool2d_row(top, middle, bottom, relu, first, stop, out, argmax)


@serial_kernel
def max_pool2d_backward_sample(grad_out, argmax, border, share, grad_input):
    """See jitnet.kernels.fast.pool_rows."""
    _max_pool2d_backward_sample(grad_out, argmax, border, share, grad_input)


@serial_kernel
def _sparse(x, grad_map, map_by_channel, weight, first, stop, by, scale, grad_weight, grad_x):
    _sparse_backward(x, grad_map, map_by_channel, weight, first, stop, by, scale, grad_weight, grad_x)


def sparse_backward(x, grad_map, *rest):
    """See jitnet.kernels.fast.conv_sparse."""
    _sparse(x, grad_map, np.empty(grad_map.size, grad_map.dtype), *rest)


@serial_kernel
def sparse_input_backward_weight(x, grad_map, first_row, stop_row, first, stop, scale, grad_weight):
    """See jitnet.kernels.fast.conv_sparse_input."""
    _sparse_input_backward_weight(x, grad_map, first_row, stop_row, first, stop, scale, grad_weight)


@kernel
def hand_over(barrier, cells, phases):
    """Two members add up what both halves of the phase before wrote, so often that a lost hand-over shows."""
    for member in prange(2):
        for phase in range(1, phases + 1):
            for other in range(2):
                half = member ^ other
                if claim(barrier, half, phase):
                    cells[phase % 2, half] = cells[1 - phase % 2, 0] + cells[1 - phase % 2, 1] + half
                    complete(barrier, half, phase)
            wait(barrier, phase)
