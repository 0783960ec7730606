"""The activation that follows a layer's sums, element by element.

                f(z)                           f'(z)
    linear      z                              1
    relu        max(0, z)                      1 where z > 0, else 0
    leaky-relu  z where z > 0, else z / 100    1 where z > 0, else 1 / 100
    sigmoid     1 / (1 + exp(-z))              f(z) * (1 - f(z))
    tanh        tanh(z)                        1 - f(z)^2
    gelu        z * P(z)                       P(z) + z * p(z)

P(z) = (1 + erf(z / sqrt(2))) / 2 is the normal distribution and p(z) = exp(-z^2 / 2) / sqrt(2 pi) its density: the
exact form of GELU, not the one with tanh (Hendrycks, Gimpel 2016).
The exponentials are float64, as in the loss.
"""

import math

import numpy as np
from numba import prange

from ..compiler.decorators import body, kernel
from ..table import GELU, LEAKY_RELU, RELU, SIGMOID, TANH

LEAK = 0.01  # slope of leaky ReLU where z <= 0


@body
def f(
    kind,  # LINEAR, RELU, SIGMOID, TANH, LEAKY_RELU or GELU
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
    if kind == LEAKY_RELU:
        return z if z > 0 else LEAK * z
    if kind == GELU:
        return z * 0.5 * (1.0 + math.erf(np.float64(z) / math.sqrt(2.0)))
    return z


@body
def slope(
    kind,  # LINEAR, RELU, SIGMOID, TANH, LEAKY_RELU or GELU
    z,  # scalar
):
    """Return the derivative f'(z)."""
    if kind == RELU:
        return 1.0 if z > 0 else 0.0
    if kind == SIGMOID:
        return f(SIGMOID, z) * (1.0 - f(SIGMOID, z))
    if kind == TANH:
        return 1.0 - f(TANH, z) ** 2
    if kind == LEAKY_RELU:
        return 1.0 if z > 0 else LEAK
    if kind == GELU:
        x = np.float64(z)
        density = math.exp(-x * x / 2.0) / math.sqrt(2.0 * math.pi)
        return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0))) + x * density
    return 1.0


@kernel
def activation_forward(
    kind,  # LINEAR, RELU, SIGMOID, TANH, LEAKY_RELU or GELU
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
    kind,  # LINEAR, RELU, SIGMOID, TANH, LEAKY_RELU or GELU
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
