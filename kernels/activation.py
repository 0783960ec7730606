"""ReLU and its gradient, over flat arrays: max(0, x) has no shape."""

from numba import prange

from .options import body, kernel

_CHUNK = 4096  # elements a thread takes at a time


@body
def relu_forward_sample(x):
    """Replace negative numbers by 0, in place: x = max(0, x)."""
    for i in range(x.size):
        x[i] = max(x[i], 0)


@body
def relu_backward_sample(out, grad):
    """Stop the gradient where ReLU gave 0, in place: grad = grad * (out > 0)."""
    for i in range(out.size):
        grad[i] = grad[i] if out[i] > 0 else 0


@kernel
def relu_forward(
    x,  # (N,) float32 or float64, overwritten by the result
):
    """Rectify, in place: x[i] = max(0, x[i]).

    Parallel : over chunks of x; one thread owns a chunk.
    Work     : N comparisons.
    Errors   : none raised, nothing checked.
    Matches  : tests.naive.relu_forward; torch.nn.functional.relu.
    Source   : Nair, Hinton (2010), "Rectified linear units improve restricted Boltzmann machines".
    """
    for chunk in prange((x.size + _CHUNK - 1) // _CHUNK):
        relu_forward_sample(x[chunk * _CHUNK : (chunk + 1) * _CHUNK])


@kernel
def relu_backward(
    out,  # (N,) what the forward pass gave
    grad,  # (N,) gradient of out, overwritten by that of the input
):
    """Pass the gradient where the unit was active: grad[i] = grad[i] if out[i] > 0 else 0.

    Parallel : over chunks; one thread owns a chunk of grad.
    Work     : N comparisons.
    Errors   : none raised, nothing checked.
    Matches  : tests.naive.relu_backward; the gradient of torch.nn.functional.relu.
    Source   : Goodfellow, Bengio, Courville (2016), section 6.3.1 (the derivative at 0 is taken as 0).
    """
    for chunk in prange((out.size + _CHUNK - 1) // _CHUNK):
        part = slice(chunk * _CHUNK, (chunk + 1) * _CHUNK)
        relu_backward_sample(out[part], grad[part])
