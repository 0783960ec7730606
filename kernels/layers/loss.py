"""The losses: how wrong the last layer's scores are for one image, and the gradient of that with respect to them.

Three of them: softmax with cross-entropy, whose gradient is simply `probability - target`; the squared error of the
softmax; and the squared error of the scores themselves, for numbers to be approximated instead of classes.
"""

import math

import numpy as np
from numba import prange

from ..compiler.decorators import body, kernel
from ..table import MSE


@body
def log_sum_exp(
    logits,  # (K,)
):
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
def softmax_cross_entropy_sample(
    logits,  # (K,)
    target,  # the class
    smoothing,  # float64
    scale,
    grad_logits,  # (K,), overwritten
):
    """Return -sum_k q[k] log p[k] of p = softmax(logits), and write scale * (p[k] - q[k]); q as in `output_loss`."""
    K = logits.size
    norm, mean = log_sum_exp(logits), 0.0
    for k in range(K):
        grad_logits[k] = scale * (math.exp(np.float64(logits[k]) - norm) - smoothing / K)
        mean += np.float64(logits[k]) / K
    grad_logits[target] -= scale * (1 - smoothing)
    return norm - (1 - smoothing) * np.float64(logits[target]) - smoothing * mean


@body
def softmax_squared_error_sample(
    logits,  # (K,)
    target,  # the class
    scale,
    grad_logits,  # (K,), overwritten
):
    """Return the mean over k of e[k]^2, e[k] = p[k] - [k == target], and write its gradient times scale.

    dL/dp[k] = 2/K e[k]; through the softmax, dL/dlogits[j] = p[j] * (dL/dp[j] - sum_k dL/dp[k] * p[k]).
    """
    K = logits.size
    norm = log_sum_exp(logits)
    loss, along = 0.0, 0.0
    for k in range(K):
        p = math.exp(np.float64(logits[k]) - norm)
        error = p - (k == target)
        loss += error * error / K
        along += 2.0 / K * error * p
    for j in range(K):
        p = math.exp(np.float64(logits[j]) - norm)
        grad_logits[j] = scale * p * (2.0 / K * (p - (j == target)) - along)
    return loss


@body
def squared_error_sample(
    outputs,  # (K,)
    targets,  # (K,)
    scale,
    grad_outputs,  # (K,), overwritten
):
    """Return the mean over k of e[k]^2, e[k] = outputs[k] - targets[k], and write scale * 2/K e[k]."""
    K = outputs.size
    loss = 0.0
    for k in range(K):
        error = np.float64(outputs[k]) - np.float64(targets[k])
        loss += error * error / K
        grad_outputs[k] = scale * (2.0 / K) * error
    return loss


@body
def output_loss_sample(
    kind,  # CROSS_ENTROPY or MSE
    smoothing,  # float64
    logits,  # (K,)
    targets,  # (n,) uint8, or (n, K) floats
    n,
    scale,
    grad_logits,  # (K,), overwritten
):
    """Return the loss of image n and write its gradient; see `output_loss`."""
    if targets.ndim == 2:  # known when it is compiled: the other branch is not even translated
        return squared_error_sample(logits, targets[n], scale, grad_logits)
    if kind == MSE:
        return softmax_squared_error_sample(logits, targets[n], scale, grad_logits)
    return softmax_cross_entropy_sample(logits, targets[n], smoothing, scale, grad_logits)


@kernel
def output_loss(
    kind,  # CROSS_ENTROPY or MSE, of the softmax; not looked at where the targets are numbers
    smoothing,  # float64, 0 <= smoothing < 1: the share of a label that all classes get alike; of the cross-entropy
    logits,  # (N, K) float32 or float64
    targets,  # (n,) integers below K, or (n, K) floats
    order,  # (N,) int64, whose targets the rows of logits belong to
    scale,  # of the gradient: 1/N for the mean over a batch
    losses,  # (N,) float64, overwritten
    grad_logits,  # (N, K), overwritten
):
    """Compute the loss of each image, and the gradient with respect to its logits.

    cross-entropy         losses[n] = log sum_k exp(logits[n,k]) - sum_k q[k] * logits[n,k]
                          grad_logits[n,k] = scale * (softmax(logits[n])[k] - q[k])
                          q[k] = (1 - smoothing) * [k == target] + smoothing / K
    mse, of classes       losses[n] = 1/K sum_k (softmax(logits[n])[k] - [k == target])^2
    mse, of numbers       losses[n] = 1/K sum_k (logits[n,k] - target[k])^2

    The exponentials are float64: ten per image cost nothing, and the loss of a sure answer keeps its digits.

    Parallel : over n; one thread owns losses[n] and grad_logits[n].
    Work     : 2*N*K exponentials.
    Errors   : none raised, nothing checked; jitnet/data/checks.py checks the labels once.
    Matches  : tests.support.naive.output_loss; torch.nn.functional.cross_entropy and mse_loss.
    Source   : Bishop (2006), eq. 4.108 and 4.109 (cross-entropy), 5.14 (squared error); Szegedy et al. (2016),
               section 7 (label smoothing).
    """
    for n in prange(logits.shape[0]):
        losses[n] = output_loss_sample(kind, smoothing, logits[n], targets, order[n], scale, grad_logits[n])
