"""The update: what a gradient does to the parameters.

With g the gradient, lr the learning rate, t = 1, 2, ... the number of the update and `decay` the weight decay:

    sgd        w = w - lr * g
    momentum   v = mu * v + g;  w = w - lr * v
    nesterov   v = mu * v + g;  w = w - lr * (g + mu * v)
    adam       m = b1 * m + (1 - b1) * g;  v = b2 * v + (1 - b2) * g^2
               w = w - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
    adamw      w = w * (1 - lr * decay), then adam

Except in adamw, decay is a part of the gradient: g = g + decay * w, the gradient of decay/2 * |w|^2.
"""

import math

from numba import prange

from ..compiler.decorators import body, kernel
from ..table import ADAM, ADAMW, NESTEROV, SGD

_CHUNK = 4096  # parameters a thread takes at a time


@body
def sgd_step_sample(param, grad, lr):
    """Take one step of one chunk; see `sgd_step`."""
    for i in range(param.size):
        param[i] -= lr * grad[i]


@body
def momentum_chunk(rule, param, grad, velocity, lr):
    """Take one step of one chunk with momentum; see the head of this file."""
    number = param.dtype.type
    mu, decay = number(rule.momentum), number(rule.decay)
    ahead = rule.kind == NESTEROV
    for i in range(param.size):
        g = grad[i] + decay * param[i]
        velocity[i] = mu * velocity[i] + g
        param[i] -= lr * (g + mu * velocity[i] if ahead else velocity[i])


@body
def adam_chunk(rule, param, grad, mean, square, lr, t):
    """Take one step of one chunk with Adam; see the head of this file."""
    number = param.dtype.type
    b1, b2, eps = number(rule.beta1), number(rule.beta2), number(rule.eps)
    one_less_b1, one_less_b2 = number(1 - rule.beta1), number(1 - rule.beta2)  # in float32, 1 - 0.999 is off by 5e-5
    step = number(lr / (1 - rule.beta1**t))
    root = number(math.sqrt(1 - rule.beta2**t))
    apart = rule.kind == ADAMW
    decay = number(0.0 if apart else rule.decay)
    shrink = number(1 - lr * rule.decay if apart else 1.0)
    for i in range(param.size):
        g = grad[i] + decay * param[i]
        mean[i] = b1 * mean[i] + one_less_b1 * g
        square[i] = b2 * square[i] + one_less_b2 * g * g
        param[i] = shrink * param[i] - step * mean[i] / (math.sqrt(square[i]) / root + eps)


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
    Matches  : tests.support.naive.sgd_step; torch.optim.SGD.
    Source   : Robbins, Monro (1951); Goodfellow, Bengio, Courville (2016), algorithm 8.1.
    """
    for chunk in prange((param.size + _CHUNK - 1) // _CHUNK):
        part = slice(chunk * _CHUNK, (chunk + 1) * _CHUNK)
        sgd_step_sample(param[part], grad[part], lr)


@kernel
def optimizer_step(
    rule,  # (1,) RULE record
    param,  # (N,) float32 or float64, updated
    grad,  # (N,)
    first,  # (N,) velocity or Adam's mean, updated; empty for sgd
    second,  # (N,) Adam's mean square, updated; empty for the others
    lr,  # float64
    t,  # int64, the number of this update, from 1
):
    """Take one step of any optimiser, by the equations at the head of this file.

    Parallel : over chunks; one thread owns a chunk of param, first and second.
    Work     : 2*N flop (sgd) to 12*N (adam).
    Errors   : none raised, nothing checked; the schedule gives lr.
    Matches  : tests.support.naive.optimizer_step; torch.optim.SGD, Adam and AdamW.
    Source   : Polyak (1964); Sutskever et al. (2013), Nesterov's form as in torch; Kingma, Ba (2015), algorithm 1;
               Loshchilov, Hutter (2019), algorithm 2.
    """
    for chunk in prange((param.size + _CHUNK - 1) // _CHUNK):
        part = slice(chunk * _CHUNK, (chunk + 1) * _CHUNK)
        if rule[0].kind == SGD:
            if rule[0].decay != 0:
                sgd_step_sample(param[part], param[part], param.dtype.type(lr * rule[0].decay))
            sgd_step_sample(param[part], grad[part], param.dtype.type(lr))
        elif rule[0].kind < ADAM:
            momentum_chunk(rule[0], param[part], grad[part], first[part], param.dtype.type(lr))
        else:
            adam_chunk(rule[0], param[part], grad[part], first[part], second[part], lr, t)
