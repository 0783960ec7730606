"""The activation that follows a layer's sums: linear, ReLU, sigmoid or tanh, element by element.

              f(z)                f'(z)
    linear    z                   1
    relu      max(0, z)           1 where z > 0, else 0
    sigmoid   1 / (1 + exp(-z))   f(z) * (1 - f(z))
    tanh      tanh(z)             1 - f(z)^2

The exponentials are float64, as in the loss.
"""

import math

import numpy as np
from numba import prange

from ..compiler.decorators import body, kernel
from ..table import RELU, SIGMOID, TANH


@body
def f(
    kind,  # LINEAR, RELU, SIGMOID or TANH
    z,  # scalar
):
    """Return f(z)."""
    if kind == RELU:
        return max(z, 0)
    if kind == SIGMOID:
        power = math.exp(-abs(np.float64(z)))  # never overflows
        return (power if z < 0 else 1.0) / (1.0 + power)
    if kind == TANH:
        return math.tanh(np.float64(z))
    return z


@body
def slope(
    kind,  # LINEAR, RELU, SIGMOID or TANH
    z,  # scalar
):
    """Return the derivative f'(z)."""
    if kind == RELU:
        return 1.0 if z > 0 else 0.0
    if kind == SIGMOID:
        return f(SIGMOID, z) * (1.0 - f(SIGMOID, z))
    if kind == TANH:
        return 1.0 - f(TANH, z) ** 2
    return 1.0


@kernel
def activation_forward(
    kind,  # LINEAR, RELU, SIGMOID or TANH
    z,  # (N,) float32 or float64, a layer's sums
    out,  # (N,), overwritten
):
    """Apply an activation: out[i] = f(z[i]), by the table at the head of this file.

    Parallel : over i; one thread owns out[i].
    Work     : N comparisons or exponentials.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.activation_forward; torch.nn.functional.relu, torch.sigmoid, torch.tanh.
    Source   : Goodfellow, Bengio, Courville (2016), sections 6.3.1 and 6.3.2.
    """
    for i in prange(z.size):
        out[i] = f(kind, z[i])


@kernel
def activation_backward(
    kind,  # LINEAR, RELU, SIGMOID or TANH
    z,  # (N,) the sums that the forward pass saw
    grad_output,  # (N,)
    grad_input,  # (N,), overwritten
):
    """Multiply by the derivative: grad_input[i] = grad_output[i] * f'(z[i]).

    Parallel : over i; one thread owns grad_input[i].
    Work     : up to 3*N flop, or an exponential each.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.activation_backward; the gradients of torch's functions.
    Source   : Goodfellow, Bengio, Courville (2016), section 6.3 (ReLU's derivative at 0 is taken as 0).
    """
    for i in prange(z.size):
        grad_input[i] = grad_output[i] * slope(kind, z[i])
