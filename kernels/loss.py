"""Softmax with cross-entropy: the loss of one image, and a gradient that is simply `probability - target`."""

import math

import numpy as np
from numba import prange

from .options import body, kernel


@body
def log_sum_exp(logits):
    """Return log(sum(exp(logits))) in float64, the largest logit taken out first so that nothing overflows.

    `np.float64`, because numba's `float` leaves a float32 as it is: the losses then have seven digits, not sixteen.
    """
    top = logits[0]
    for k in range(1, logits.size):
        top = max(top, logits[k])
    total = 0.0
    for k in range(logits.size):
        total += math.exp(np.float64(logits[k]) - top)
    return top + math.log(total)


@body
def softmax_cross_entropy_sample(logits, target, scale, grad_logits):
    """Return the loss of one image and write its gradient; see `softmax_cross_entropy`."""
    norm = log_sum_exp(logits)
    for k in range(logits.size):
        grad_logits[k] = scale * math.exp(np.float64(logits[k]) - norm)
    grad_logits[target] -= scale
    return norm - np.float64(logits[target])


@kernel
def softmax_cross_entropy(
    logits,  # (N, K) float32 or float64
    targets,  # (N,) integers below K
    scale,  # of the gradient: 1/N for the mean over a batch
    losses,  # (N,) float64, overwritten
    grad_logits,  # (N, K), overwritten
):
    """Compute the loss of each image, and the gradient with respect to its logits.

    losses[n] = log sum_k exp(logits[n,k]) - logits[n, targets[n]]
    grad_logits[n,k] = scale * (softmax(logits[n])[k] - [k == targets[n]])

    The exponentials are float64: ten per image cost nothing, and the loss of a sure answer keeps its digits.

    Parallel : over n; one thread owns losses[n] and grad_logits[n].
    Work     : 2*N*K exponentials.
    Errors   : none raised, nothing checked; training.py checks the labels once.
    Matches  : tests.naive.softmax_cross_entropy; torch.nn.functional.cross_entropy.
    Source   : Bishop (2006), eq. 4.108 and 4.109.
    """
    for n in prange(logits.shape[0]):
        losses[n] = softmax_cross_entropy_sample(logits[n], targets[n], scale, grad_logits[n])
