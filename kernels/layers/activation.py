"""What follows a layer's sum: linear, ReLU, sigmoid or tanh, and their derivatives, over flat arrays.

              f(z)                f'(z), from the result f alone
    linear    z                   1
    relu      max(0, z)           1 where f > 0, else 0
    sigmoid   1 / (1 + exp(-z))   f * (1 - f)
    tanh      tanh(z)             1 - f * f

All of them rise, so the largest of a window is the same before and after: a pool may come first. Only ReLU makes zeros
that stop a gradient, which is what the shortcuts in dense.py rest on.
"""

import math

import numpy as np
from numba import prange

from ..compiler.decorators import body, kernel
from ..table import RELU, SIGMOID, TANH

_CHUNK = 4096  # elements a thread takes at a time


@body
def activate(kind, x):
    """Apply an activation, in place; see `activation_forward`. The exponentials are float64, as in the loss."""
    if kind == RELU:
        for i in range(x.size):
            x[i] = max(x[i], 0)
    elif kind == SIGMOID:
        for i in range(x.size):
            z = np.float64(x[i])
            power = math.exp(-abs(z))  # never overflows
            x[i] = (power if z < 0 else 1.0) / (1.0 + power)
    elif kind == TANH:
        for i in range(x.size):
            x[i] = math.tanh(np.float64(x[i]))


@body
def pass_back(kind, out, grad):
    """Multiply a gradient by the derivative of the activation that gave `out`; see `activation_backward`."""
    if kind == RELU:
        for i in range(out.size):
            grad[i] = grad[i] if out[i] > 0 else 0
    elif kind == SIGMOID:
        for i in range(out.size):
            grad[i] *= out[i] * (1 - out[i])
    elif kind == TANH:
        for i in range(out.size):
            grad[i] *= 1 - out[i] * out[i]


@kernel
def activation_forward(
    kind,  # LINEAR, RELU, SIGMOID or TANH
    x,  # (N,) float32 or float64, overwritten by the result
):
    """Apply an activation, in place: x[i] = f(x[i]), by the table at the head of this file.

    Parallel : over chunks of x; one thread owns a chunk.
    Work     : N comparisons or exponentials.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.activation_forward; torch.nn.functional.relu, torch.sigmoid, torch.tanh.
    Source   : Goodfellow, Bengio, Courville (2016), sections 6.3.1 and 6.3.2.
    """
    for chunk in prange((x.size + _CHUNK - 1) // _CHUNK):
        activate(kind, x[chunk * _CHUNK : (chunk + 1) * _CHUNK])


@kernel
def activation_backward(
    kind,  # LINEAR, RELU, SIGMOID or TANH
    out,  # (N,) what the forward pass gave
    grad,  # (N,) gradient of out, overwritten by that of the input
):
    """Multiply by the derivative, in place: grad[i] = grad[i] * f'(z[i]), with f' from out[i] = f(z[i]).

    Parallel : over chunks; one thread owns a chunk of grad.
    Work     : up to 3*N flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.activation_backward; the gradients of torch's functions.
    Source   : Goodfellow, Bengio, Courville (2016), section 6.3 (ReLU's derivative at 0 is taken as 0).
    """
    for chunk in prange((out.size + _CHUNK - 1) // _CHUNK):
        part = slice(chunk * _CHUNK, (chunk + 1) * _CHUNK)
        pass_back(kind, out[part], grad[part])
