"""The learning rate of each epoch: pure functions, so that a run can be resumed and drawn ahead."""

import math

from jitnet.config import Settings


def learning_rate(settings: Settings, epoch: int) -> float:
    """Return the learning rate of an epoch (0-based); beyond the plan the last one stays.

    documents: a linear warm-up over a third of the epochs from a hundredth of the peak, then a quarter of a cosine back
    to it. cosine: half a cosine from the peak to a hundredth of it (Loshchilov, Hutter 2017, without restarts).
    one-cycle: up from a 25th of the peak over three tenths of the epochs, then down to a hundredth, half a cosine each
    (Smith, Topin 2018). step: a tenth of the rate after each third of the epochs. constant: the peak.

    >>> [f"{learning_rate(Settings(), epoch):.6f}" for epoch in range(9)]
    ['0.000010', '0.000340', '0.000670', '0.001000', '0.000952', '0.000811', '0.000592', '0.000316', '0.000010']
    """
    epochs, peak = settings.epochs, settings.lr
    epoch = min(epoch, epochs - 1)
    low = peak / 100
    if settings.schedule == "constant":
        return peak
    if settings.schedule == "cosine":
        return low + (peak - low) * (1 + math.cos(math.pi * epoch / max(1, epochs - 1))) / 2
    if settings.schedule == "step":
        return peak / 10 ** (3 * epoch // epochs)
    if settings.schedule == "one-cycle":
        top = round(0.3 * (epochs - 1))  # the epoch of the peak
        if epoch < top:
            return peak / 25 + (peak - peak / 25) * (1 - math.cos(math.pi * epoch / top)) / 2
        return low + (peak - low) * (1 + math.cos(math.pi * (epoch - top) / max(1, epochs - 1 - top))) / 2
    warm_up = epochs // 3
    if epoch < warm_up:
        return low + (peak - low) * epoch / warm_up
    angle = math.pi / 2 * (epoch - warm_up) / max(1, epochs - warm_up - 1)
    return low + (peak - low) * max(0.0, math.cos(angle))
