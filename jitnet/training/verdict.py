"""Whether a training has come to nothing: what is said at its end, with the likely causes."""

import numpy as np

from jitnet.events import EpochDone

LEARNT_NOTHING = "the network has learnt nothing"  # how the sentence begins, by which a report finds it
_AS_GUESSING = 0.99  # of the loss of guessing: from here on nothing is learnt
_BETTER = 1.5  # times the share of the largest class: an accuracy from here on is something


def guessing(targets: np.ndarray, loss: str) -> float:
    """Return the loss of an answer that is always the classes' shares; targets are (n,) classes."""
    shares = np.bincount(targets) / len(targets)
    if loss == "mse":
        return float((1 - (shares**2).sum()) / max(1, len(shares)))
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def verdict(rows: list[EpochDone], targets: np.ndarray, loss: str, lr: float) -> str:
    """Return a sentence if the newest epoch is not better than guessing, "" if it is; targets (n,) were trained on."""
    if not rows or targets.ndim != 1 or len(np.unique(targets)) < 2:
        return ""
    last, level = rows[-1], guessing(targets, loss)
    taken = [sum(column) for column in zip(*last.confusion)]
    found = []
    if taken and np.count_nonzero(taken) == 1:
        found.append(f"it answers class {int(np.argmax(taken))} for all {sum(taken):,} test images")
    accuracy = last.test_accuracy if last.test_accuracy is not None else last.val_accuracy
    most = 100 * float(np.bincount(targets).max()) / len(targets)
    poor = not last.train_loss < (level if accuracy is None else _AS_GUESSING * level)
    if poor and (accuracy is None or accuracy < _BETTER * most):
        found.append(f"its training loss of {last.train_loss:.4g} is not below that of guessing, {level:.4g}")
    if not found:
        return ""
    high = last.train_loss > 1.05 * level
    first, second = ("smaller", "larger") if high or lr > 0.02 else ("larger", "smaller")
    return (
        f"{LEARNT_NOTHING}: {' and '.join(found)}; likely the learning rate (a peak of {lr:g}) is not right, try one "
        f"ten times {first}, then ten times {second}, more epochs, or init he; or wrong labels"
    )
