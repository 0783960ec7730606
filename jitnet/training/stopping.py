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
    """Return how many epochs follow the first one of the best validation result, of a regression the lowest loss."""
    results = [row.val_accuracy if row.val_accuracy is not None else row.val_loss and -row.val_loss for row in rows]
    values = [value for value in results if value is not None]
    return len(values) - 1 - values.index(max(values)) if values else 0
