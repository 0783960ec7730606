"""The learning rate of each epoch and step: pure functions, so that a run can be resumed and drawn ahead."""

import math

import numpy as np

from jitnet.config import Settings


def learning_rate(settings: Settings, epoch: int, steps_per_epoch: int = 0) -> float:
    """Return the learning rate of an epoch (0-based), of a schedule per step that of its middle.

    Beyond the plan the last one stays. With `steps_per_epoch` the warm-up of `settings.warm_up` counts, at that middle.

    documents: a linear warm-up over a third of the epochs from a hundredth of the peak, then a quarter of a cosine back
    to it; of fewer than nine epochs none is at a hundredth: the curve is that of two more, without its first and last.
    documents-old: the same curve, its ends included for fewer than nine epochs too, as in older runs. cosine: half a
    cosine from the peak to a hundredth of it (Loshchilov, Hutter 2017, without restarts). one-cycle: up from a 25th of
    the peak over three tenths of the epochs, then down to a hundredth, half a cosine each (Smith, Topin 2018).
    one-cycle-per-step and cosine-per-step: the same curves over all steps, the rate changed at each. step: a tenth of
    the rate after each third of the epochs. constant: the peak.

    >>> [f"{learning_rate(Settings(), epoch):.6f}" for epoch in range(9)]
    ['0.000010', '0.000340', '0.000670', '0.001000', '0.000952', '0.000811', '0.000592', '0.000316', '0.000010']
    >>> [f"{learning_rate(Settings(epochs=3), epoch):.6f}" for epoch in range(3)]
    ['0.001000', '0.000867', '0.000505']
    """
    return _planned(settings, epoch) * _warm_up(settings, (epoch + 0.5) * steps_per_epoch or math.inf)


def _planned(settings: Settings, epoch: int) -> float:
    """Return the learning rate of an epoch without a warm-up by steps."""
    epochs, peak = settings.epochs, settings.lr
    if settings.schedule in PER_STEP:
        return PER_STEP[settings.schedule](peak, (epoch + 0.5) / epochs)
    epoch = min(epoch, epochs - 1)
    if settings.schedule == "constant":
        return peak
    if settings.schedule == "cosine":
        return _fall(peak, math.pi * epoch / max(1, epochs - 1))
    if settings.schedule == "step":
        return peak / 10 ** (3 * epoch // epochs)
    if settings.schedule == "one-cycle":
        top = round(0.3 * (epochs - 1))  # the epoch of the peak
        if epoch < top:
            return _rise(peak, math.pi * epoch / top)
        return _fall(peak, math.pi * (epoch - top) / max(1, epochs - 1 - top))
    if settings.schedule == "documents" and epochs < 9:
        epoch, epochs = epoch + 1, epochs + 2
    low, warm_up = peak / 100, epochs // 3
    if epoch < warm_up:
        return low + (peak - low) * epoch / warm_up
    angle = math.pi / 2 * (epoch - warm_up) / max(1, epochs - warm_up - 1)
    return low + (peak - low) * max(0.0, math.cos(angle))


def learning_rates(settings: Settings, epoch: int, first: int, steps: int, steps_per_epoch: int) -> np.ndarray:
    """Return the learning rate (steps,) of some steps of an epoch, from step `first` (0-based) on.

    Over the first `settings.warm_up` steps of the training they rise in a line from 0 to those of the schedule (Goyal
    et al. 2017): a large step is safe only once the first gradients have led away from the random weights.
    """
    begin, total = epoch * steps_per_epoch + first, settings.epochs * steps_per_epoch
    curve = PER_STEP.get(settings.schedule)
    if curve is None:
        rates = np.full(steps, _planned(settings, epoch))
    else:
        rates = np.array([curve(settings.lr, (begin + step + 0.5) / total) for step in range(steps)])
    if begin < settings.warm_up:
        rates *= [_warm_up(settings, begin + step + 1) for step in range(steps)]
    return rates


def _warm_up(settings: Settings, taken: float) -> float:
    """Return the share of its rate that a step has, after which `taken` steps are done."""
    return min(1.0, taken / settings.warm_up) if settings.warm_up else 1.0


def _one_cycle(peak: float, share: float) -> float:
    """Return the rate after a share of all steps."""
    top, share = 0.3, min(1.0, share)
    if share < top:
        return _rise(peak, math.pi * share / top)
    return _fall(peak, math.pi * (share - top) / (1 - top))


def _cosine(peak: float, share: float) -> float:
    """Return the rate after a share of all steps."""
    return _fall(peak, math.pi * min(1.0, share))


def _rise(peak: float, angle: float) -> float:
    """Return the rate on half a cosine up from a 25th of the peak; `angle` from 0 to pi."""
    return peak / 25 + (peak - peak / 25) * (1 - math.cos(angle)) / 2


def _fall(peak: float, angle: float) -> float:
    """Return the rate on half a cosine down from the peak to a hundredth of it; `angle` from 0 to pi."""
    low = peak / 100
    return low + (peak - low) * (1 + math.cos(angle)) / 2


PER_STEP = {
    "one-cycle-per-step": _one_cycle,
    "cosine-per-step": _cosine,
}  # functions of the peak and a share of all steps
