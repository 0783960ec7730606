"""The activations of layers/activation.py in place, and their derivatives from the result f alone.

              f'(z), from f = f(z)
    linear    1
    relu      1 where f > 0, else 0
    sigmoid   f * (1 - f)
    tanh      1 - f * f

All of them rise, so the largest of a window is the same before and after: a pool may come first. Only ReLU makes zeros
that stop a gradient, which is what the shortcuts of the dense layers and conv_sparse.py rest on. An activation of which
this is not true runs through the simple step.
"""

import math

import numpy as np

from ..compiler.decorators import body
from ..table import RELU, SIGMOID, TANH


@body
def activate(
    kind,  # LINEAR, RELU, SIGMOID or TANH
    x,  # (.,), overwritten by the result
):
    """Apply an activation, in place. The exponentials are float64, as in the loss."""
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
def pass_back(
    kind,  # LINEAR, RELU, SIGMOID or TANH
    out,  # (.,) what the activation returned
    grad,  # (.,) gradient of out, overwritten by that of the sum
):
    """Multiply a gradient by the derivative of the activation that gave `out`."""
    if kind == RELU:
        for i in range(out.size):
            grad[i] = grad[i] if out[i] > 0 else 0
    elif kind == SIGMOID:
        for i in range(out.size):
            grad[i] *= out[i] * (1 - out[i])
    elif kind == TANH:
        for i in range(out.size):
            grad[i] *= 1 - out[i] * out[i]
