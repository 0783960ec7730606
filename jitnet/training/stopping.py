"""When a run is good enough, no longer gets better, or out of time: pure functions of its settings and results.

So a resumed run stops where the uninterrupted one would have, time apart.
"""

from collections.abc import Sequence

from jitnet.config import Settings
from jitnet.events import EpochDone
from jitnet.training.schedule import learning_rate


def out_of_time(settings: Settings, elapsed_s: float) -> bool:
    """Return whether the run has taken its `max_minutes`, with those before a resume."""
    return 0 < 60 * settings.max_minutes <= elapsed_s


def stop_reason(settings: Settings, rows: Sequence[EpochDone], elapsed_s: float) -> str:
    """Return why the run should end after these epochs, as a clause; "" to continue.

    The target counts on the validation images if there are any, else on the test images.
    """
    if out_of_time(settings, elapsed_s):
        return f"the {settings.max_minutes:g} minutes of --max-minutes are over"
    if not rows:
        return ""
    kind, value = ("test", rows[-1].test_accuracy)
    if settings.val:
        kind, value = ("validation", rows[-1].val_accuracy)
    if settings.target_accuracy and value is not None and value >= settings.target_accuracy:
        return f"the target of {settings.target_accuracy:g} % is reached, {value:.2f} % on the {kind} images"
    waited = _epochs_since_best(rows)
    if 0 < settings.patience <= waited and settings.patience <= _epochs_since_peak(settings, len(rows)):
        what = "accuracy" if rows[-1].val_accuracy is not None else "loss"
        return f"the validation {what} has not improved for {waited} epochs"
    return ""


def _epochs_since_peak(settings: Settings, done: int) -> int:
    """Return how many of the epochs follow that of the highest learning rate; negative if the next has a higher one.

    At the low rates of a warm-up little improves, which says nothing about what follows.
    """
    return done - 1 - max(range(done + 1), key=lambda epoch: learning_rate(settings, epoch))


def _epochs_since_best(rows: Sequence[EpochDone]) -> int:
    """Return how many epochs follow the first one of the best validation result."""
    values = [validation_result(row) for row in rows]
    return len(values) - 1 - values.index(max(values))


def validation_result(row: EpochDone) -> tuple[float, float]:
    """Return what epochs are compared by: the accuracy on the held-out images, then the loss; larger is better.

    A few images have the same accuracy in many epochs. With the loss, early stopping reaches 93 instead of 82 % of
    iris, and 97 instead of 92 % of wine, whose held-out tenth is 10 and 12 rows (docs/decisions.md).
    """
    return row.val_accuracy or 0.0, -(row.val_loss or 0.0)
