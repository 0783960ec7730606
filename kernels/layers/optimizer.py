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
from ..table import ADAMW, MOMENTUM, NESTEROV, SGD


@body
def all_finite(
    values,  # (N,)
):
    """Is every number finite? x - x is 0 unless it is not; a count, so that the compiler may use whole vectors."""
    bad = 0
    for i in range(values.size):
        bad += values[i] - values[i] != 0
    return bad == 0


@kernel
def optimizer_step(
    rule,  # (1,) RULE record
    weight,  # (N,) float32 or float64, updated
    gradient,  # (N,)
    first,  # (N,) velocity or Adam's mean, updated; empty for sgd
    second,  # (N,) Adam's mean square, updated; empty for the others
    lr,  # float64
    t,  # int64, the number of this update, from 1
):
    """Take one step of any optimiser, by the equations at the head of this file.

    Parallel : over i; one thread owns weight[i], first[i] and second[i].
    Work     : 2*N flop (sgd) to 12*N (adam).
    Errors   : none raised, nothing checked; the schedule gives lr.
    Matches  : tests.support.naive.optimizer_step; torch.optim.SGD, Adam and AdamW.
    Source   : Polyak (1964); Sutskever et al. (2013), Nesterov's form as in torch; Kingma, Ba (2015), algorithm 1;
               Loshchilov, Hutter (2019), algorithm 2.
    """
    number, kind = weight.dtype.type, rule[0].kind
    mu, decay, eps = number(rule[0].momentum), number(rule[0].decay), number(rule[0].eps)
    b1, b2 = number(rule[0].beta1), number(rule[0].beta2)
    rest1, rest2 = number(1 - rule[0].beta1), number(1 - rule[0].beta2)  # in float32, 1 - 0.999 is off by 5e-5
    shrink = number(lr * rule[0].decay)
    keep = number(1 - lr * rule[0].decay)
    step = number(lr / (1 - rule[0].beta1 ** t))
    root = number(math.sqrt(1 - rule[0].beta2 ** t))
    lr = number(lr)
    for i in prange(weight.size):
        if kind == SGD:
            if decay != 0:
                weight[i] -= shrink * weight[i]
            weight[i] -= lr * gradient[i]
        elif kind == MOMENTUM:
            first[i] = mu * first[i] + (gradient[i] + decay * weight[i])
            weight[i] -= lr * first[i]
        elif kind == NESTEROV:
            g = gradient[i] + decay * weight[i]
            first[i] = mu * first[i] + g
            weight[i] -= lr * (g + mu * first[i])
        else:
            g = gradient[i] if kind == ADAMW else gradient[i] + decay * weight[i]
            first[i] = b1 * first[i] + rest1 * g
            second[i] = b2 * second[i] + rest2 * g * g
            change = step * first[i] / (math.sqrt(second[i]) / root + eps)
            weight[i] = (keep * weight[i] if kind == ADAMW else weight[i]) - change
