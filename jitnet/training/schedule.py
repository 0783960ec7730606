"""The learning rate of each epoch and step: pure functions, so that a run can be resumed and drawn ahead."""

import math

import numpy as np

from jitnet.config import Settings

PER_STEP = "one-cycle-per-step"


def learning_rate(settings: Settings, epoch: int) -> float:
    """Return the learning rate of an epoch (0-based), of a schedule per step that of its middle.

    Beyond the plan the last one stays.

    documents: a linear warm-up over a third of the epochs from a hundredth of the peak, then a quarter of a cosine back
    to it; of fewer than nine epochs none is at a hundredth: the curve is that of two more, without its first and last.
    documents-old: the same curve, its ends included for fewer than nine epochs too (version 0.1.0). cosine: half a
    cosine from the peak to a hundredth of it (Loshchilov, Hutter 2017, without restarts). one-cycle: up from a 25th of
    the peak over three tenths of the epochs, then down to a hundredth, half a cosine each (Smith, Topin 2018).
    one-cycle-per-step: the same, its rate changed at every step. step: a tenth of the rate after each third of the
    epochs. constant: the peak.

    >>> [f"{learning_rate(Settings(), epoch):.6f}" for epoch in range(9)]
    ['0.000010', '0.000340', '0.000670', '0.001000', '0.000952', '0.000811', '0.000592', '0.000316', '0.000010']
    >>> [f"{learning_rate(Settings(epochs=3), epoch):.6f}" for epoch in range(3)]
    ['0.001000', '0.000867', '0.000505']
    """
    epochs, peak = settings.epochs, settings.lr
    if settings.schedule == PER_STEP:
        return _one_cycle(peak, (epoch + 0.5) / epochs)
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
    """Return the learning rate (steps,) of some steps of an epoch, from step `first` (0-based) on."""
    if settings.schedule != PER_STEP:
        return np.full(steps, learning_rate(settings, epoch))
    begin, total = epoch * steps_per_epoch + first, settings.epochs * steps_per_epoch
    return np.array([_one_cycle(settings.lr, (begin + step + 0.5) / total) for step in range(steps)])


def _one_cycle(peak: float, share: float) -> float:
    """Return the rate after a share of all steps."""
    top, share = 0.3, min(1.0, share)
    if share < top:
        return _rise(peak, math.pi * share / top)
    return _fall(peak, math.pi * (share - top) / (1 - top))


def _rise(peak: float, angle: float) -> float:
    """Return the rate on half a cosine up from a 25th of the peak; `angle` from 0 to pi."""
    return peak / 25 + (peak - peak / 25) * (1 - math.cos(angle)) / 2


def _fall(peak: float, angle: float) -> float:
    """Return the rate on half a cosine down from the peak to a hundredth of it; `angle` from 0 to pi."""
    low = peak / 100
    return low + (peak - low) * (1 + math.cos(angle)) / 2
