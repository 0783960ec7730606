"""The update: what a gradient does to the parameters."""

from numba import prange

from .options import body, kernel

_CHUNK = 4096  # parameters a thread takes at a time


@body
def sgd_step_sample(param, grad, lr):
    """Take one step of one chunk; see `sgd_step`."""
    for i in range(param.size):
        param[i] -= lr * grad[i]


@body
def all_finite(values):
    """Is every number finite? x - x is 0 unless it is not; a count, so that the compiler may use whole vectors."""
    bad = 0
    for i in range(values.size):
        bad += values[i] - values[i] != 0
    return bad == 0


@kernel
def sgd_step(
    param,  # (N,) float32 or float64, updated
    grad,  # (N,)
    lr,  # scalar of the same dtype
):
    """Step down the gradient: param[i] = param[i] - lr * grad[i].

    Parallel : over chunks; one thread owns a chunk of param.
    Work     : 2*N flop.
    Errors   : none raised, nothing checked; the schedule gives lr.
    Matches  : tests.naive.sgd_step; torch.optim.SGD.
    Source   : Robbins, Monro (1951); Goodfellow, Bengio, Courville (2016), algorithm 8.1.
    """
    for chunk in prange((param.size + _CHUNK - 1) // _CHUNK):
        part = slice(chunk * _CHUNK, (chunk + 1) * _CHUNK)
        sgd_step_sample(param[part], grad[part], lr)
