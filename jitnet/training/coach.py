"""The coach: one sentence about a training, from its curves, by pure functions of the history.

Each private function looks for one thing; `advise` returns the first that is found, the most serious first. `Coach`
calls them while a run trains, and gives the same advice once.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from jitnet.config import Settings
from jitnet.events import Advised, EpochDone, StepsDone
from jitnet.machine.load import OtherPrograms
from jitnet.recipes.named import MODERN
from jitnet.recipes.rules import rate_for
from jitnet.training.pace import Pace

NOTHING, BUSY = "learnt nothing", "machine busy"  # kinds of advice

_AS_GUESSING = 0.98  # of the loss of guessing: from here on nothing is learnt
_ABOVE_GUESSING = 1.05
_BETTER = 1.5  # times the share of the largest class: an accuracy from here on is something
_BELOW_GUESSING = 0.9  # of the loss of guessing: a loss of held-out images up to here is something
_SLOW = 0.5  # of the loss of guessing: more than that is left
_OFF = 8.0  # times too small or too large a rate: less is a matter of taste
_RISEN = 1.15  # times its smallest value: a loss of held-out images from here on has risen
_FALLING = 0.93  # times the loss of the epoch before, or less: it still falls
_LITTLE = 0.02  # of the loss of guessing: there is nothing left to learn
_SOON = 300  # steps at the full rate after which no progress means that it is stuck
_SMALL = ("documents", "normal")  # initial weights so small that the loss may stay at guessing for most of an epoch


@dataclass(frozen=True, slots=True)
class Task:
    """What the coach has to know besides the curves."""

    guessing: float  # loss of an answer that is always the classes' shares, or the targets' mean
    largest: float  # accuracy in percent of an answer that is always the largest class; 0 of a regression
    settings: Settings
    batch_size: int  # of the settings, "all images" as their number

    @property
    def usual_rate(self) -> float:
        """Return a peak learning rate that is usual for the optimizer and the batch."""
        return rate_for(MODERN, "", self.settings.optimizer, self.batch_size, self.settings.reduction)


def task_of(
    settings: Settings, targets: np.ndarray, batch_size: int, unit: float = 1.0, weights: np.ndarray | None = None
) -> Task:
    """Return the task of learning `targets`, (n,) classes or (n, K) numbers in `unit`, of which each has a weight."""
    if targets.ndim == 2:
        mean = np.average(targets, axis=0, weights=weights)
        variance = np.average((targets - mean) ** 2, axis=0, weights=weights)
        return Task(unit * float(variance.mean()), 0.0, settings, batch_size)
    largest = 100 * float(np.bincount(targets).max()) / len(targets)  # accuracies count images, without weights
    shares = np.bincount(targets, weights)
    shares = shares / shares.sum()
    if settings.loss == "mse":
        return Task(float((1 - (shares**2).sum()) / max(1, len(shares))), largest, settings, batch_size)
    shares = shares[shares > 0]
    return Task(float(-(shares * np.log(shares)).sum()), largest, settings, batch_size)


class Coach:
    """The advice of one run, while it trains."""

    def __init__(self, task: Task, pace: Pace) -> None:
        self.task, self._pace = task, pace
        self._others = OtherPrograms()
        self._said: set[str] = set()  # kinds
        self._calls: list[StepsDone] = []  # the newest

    def after_call(self, event: StepsDone) -> Iterator[Advised]:
        """Take in a call; yield advice if the epoch comes to nothing so far."""
        self._calls = [*self._calls[-19:], event]
        losses, rates = [call.call_loss for call in self._calls], [call.lr for call in self._calls]
        yield from self._new(advise_early(losses, rates, event.step, self.task))

    def after_epoch(self, rows: Sequence[EpochDone], *, ended: bool) -> Iterator[Advised]:
        """Yield advice about the epochs so far: each kind once, and at the end in any case."""
        found = advise(rows, self.task, ended=ended)
        if ended and found:
            yield found
            return
        yield from self._new(found)
        yield from self._new(
            advise_of_machine(self._pace.count, self._pace.choices, os.cpu_count() or 1, self._others.cores())
        )

    def _new(self, found: Advised | None) -> Iterator[Advised]:
        if found and found.kind not in self._said:
            self._said.add(found.kind)
            yield found


def advise(rows: Sequence[EpochDone], task: Task, *, ended: bool) -> Advised | None:
    """Return the most serious advice about the epochs so far; `ended`: no more of them are planned."""
    if not rows or task.guessing <= 0:
        return None
    late = ended or len(rows) * 2 >= task.settings.epochs
    found = [
        (NOTHING, _learnt_nothing(rows, task) if ended else ""),
        ("one class", _one_class(rows) if late else ""),
        ("stuck", _stuck(rows[-1].train_loss, task, rows) if late and not _answers(rows[-1], task) else ""),
        ("rate too high", _too_high(rows, task) if late or rows[-1].step >= _SOON else ""),
        ("rate too low", _too_low(rows, task) if late else ""),
        ("overfitting", _overfits(rows, 2 if late else 5)),
        ("still improving", _improving(rows, task) if ended else ""),
    ]
    return next((Advised(kind=kind, message=message) for kind, message in found if message), None)


def advise_early(losses: Sequence[float], rates: Sequence[float], steps: int, task: Task) -> Advised | None:
    """Return advice inside an epoch, from its newest calls: their losses and rates, and the steps that they took."""
    if steps < _SOON or not losses or min(rates) < task.settings.lr / 2 or task.settings.init in _SMALL:
        return None
    message = _stuck(float(np.mean(losses)), task)
    return Advised(kind="stuck", message=message) if message else None


def advise_of_machine(used: int, choices: tuple[int, ...], cores: int, others: float) -> Advised | None:
    """Return advice if other programs use so much of `cores` cores that threads wait for each other.

    `used` of the last of `choices` threads are in use.
    """
    most = choices[-1]
    if most < 2 or others < 0.5 or most + others < cores + 0.5 or (used == most and len(choices) > 1):
        return None
    busy = f"the machine is busy: other programs use {others:.1f} of its {cores} cores"
    if used < most:
        return Advised(kind=BUSY, message=f"{busy}; training uses {used} of {most} threads, which is faster now")
    return Advised(kind=BUSY, message=f"{busy}, and {most} threads wait for each other; one thread may be faster")


def _learnt_nothing(rows: Sequence[EpochDone], task: Task) -> str:
    last, found = rows[-1], []
    if one := _only_class(last):
        found.append(f"it answers class {one[0]} for all {one[1]:,} {one[2]} images")
    bound = task.guessing * (1.0 if _accuracy(last) is None else _AS_GUESSING)
    if not last.train_loss < bound and not _answers(last, task):
        loss = f"{last.train_loss:.4g}"
        found.append(f"its training loss of {loss} is not clearly below that of guessing, {task.guessing:.4g}")
    remedy = _remedy(last.train_loss, task, rows)
    return f"the network has learnt nothing: {' and '.join(found)}; {remedy}" if found else ""


def _accuracy(row: EpochDone) -> float | None:
    return row.test_accuracy if row.test_accuracy is not None else row.val_accuracy


def _answers(row: EpochDone, task: Task) -> bool:
    """Whether the held-out images show that something is learnt, even if the epoch's mean loss does not."""
    accuracy = _accuracy(row)
    if accuracy is not None:
        return accuracy >= _BETTER * task.largest
    loss = row.test_loss if row.test_loss is not None else row.val_loss
    return loss is not None and loss <= _BELOW_GUESSING * task.guessing


def _one_class(rows: Sequence[EpochDone]) -> str:
    one = _only_class(rows[-1])
    return f"the network answers class {one[0]} for all {one[1]:,} {one[2]} images so far" if one else ""


def _only_class(row: EpochDone) -> tuple[int, int, str] | None:
    """Return the only class that is answered, for how many images, and which; None if there are several."""
    answered = [sum(column) for column in zip(*row.confusion)]
    if sum(value > 0 for value in answered) != 1 or sum(sum(each) > 0 for each in row.confusion) < 2:
        return None
    which = "test" if row.test_accuracy is not None else "validation"
    return max(range(len(answered)), key=answered.__getitem__), sum(answered), which


def _stuck(loss: float, task: Task, rows: Sequence[EpochDone] = ()) -> str:
    if not _AS_GUESSING * task.guessing <= loss <= _ABOVE_GUESSING * task.guessing:
        return ""
    return f"the loss is stuck at {loss:.4g}, that of guessing ({task.guessing:.4g}); {_remedy(loss, task, rows)}"


def _remedy(loss: float, task: Task, rows: Sequence[EpochDone]) -> str:
    """Return what to try against a loss like that of guessing, or above it, after these epochs."""
    rate, usual = task.settings.lr, task.usual_rate
    falls = len(rows) > 1 and rows[-1].train_loss < min(row.train_loss for row in rows[:-1])
    if usual / _OFF < rate <= usual * _OFF and falls and loss < _AS_GUESSING * rows[0].train_loss:
        stopped = task.settings.patience and len(rows) < task.settings.epochs
        return "it still falls: try " + ("a larger patience" if stopped else "more epochs")
    if rows and rate <= usual * _OFF and max(row.lr for row in rows) < rate / 2:
        return f"it ended in the warm-up, before the learning rate was lr {rate:g}: try more epochs"
    if rate > usual * _OFF or (rate > usual / _OFF and loss > _ABOVE_GUESSING * task.guessing):
        return f"likely the learning rate, lr {rate:g}, is too high: try lr {min(usual, rate / 10):.2g}"
    if task.settings.init in _SMALL:
        return f"the initial weights ({task.settings.init}) are small: try init he, or recipe modern"
    if rate < usual / _OFF:
        return f"likely the learning rate, lr {rate:g}, is too low: try lr {usual:.2g}, or more epochs"
    return "look at the labels, or try a smaller learning rate and more epochs"


def _too_high(rows: Sequence[EpochDone], task: Task) -> str:
    last = rows[-1].train_loss
    best = min(row.train_loss for row in rows)
    rising = len(rows) > 2 and last > 1.3 * best and last > _LITTLE * task.guessing and last > rows[-2].train_loss
    poor = last > _SLOW * task.guessing and task.settings.lr > _OFF * task.usual_rate
    above = len(rows) > 1 and last > _ABOVE_GUESSING * task.guessing and last > rows[-2].train_loss
    if not (rising or poor or above):
        return ""
    better = min(task.usual_rate, task.settings.lr / 3)
    why = f"the training loss rises, to {last:.4g}" if rising else f"the training loss stays at {last:.4g}"
    return f"{why}: lr {task.settings.lr:g} is high for {_batches(task)}, try lr {better:.2g}"


def _too_low(rows: Sequence[EpochDone], task: Task) -> str:
    last, usual = rows[-1].train_loss, task.usual_rate
    if last < _SLOW * task.guessing or task.settings.lr > usual / _OFF:
        return ""
    return (
        f"the training loss falls slowly, to {last:.4g} (guessing: {task.guessing:.4g}): lr {task.settings.lr:g} is "
        f"low for {_batches(task)}, try lr {usual:.2g}"
    )


def _batches(task: Task) -> str:
    return "one image at a time" if task.batch_size == 1 else f"batches of {task.batch_size}"


def _overfits(rows: Sequence[EpochDone], since: int) -> str:
    """Return advice if the best loss of held-out images is at least `since` epochs ago: one peak is noise."""
    which = "val_loss" if rows[-1].val_loss is not None else "test_loss"
    losses = [value for row in rows if (value := getattr(row, which)) is not None]
    if len(losses) < 4 or len(losses) < len(rows):
        return ""
    best = int(np.argmin(losses))
    kind = which.removesuffix("_loss").replace("val", "validation")
    fitted = rows[-1].train_loss < 0.7 * losses[-1] and rows[-1].train_loss < rows[best].train_loss
    if min(losses[-since:]) < _RISEN * losses[best] or not fitted:
        return ""
    return (
        f"the network overfits: since epoch {best + 1} the {kind} loss has risen from {losses[best]:.4g} to "
        f"{losses[-1]:.4g} while the training loss falls; fewer epochs, early stopping or weight decay may help"
    )


def _improving(rows: Sequence[EpochDone], task: Task) -> str:
    held = rows[-1].val_loss is not None or rows[-1].test_loss is not None
    which = "val_loss" if rows[-1].val_loss is not None else "test_loss" if held else "train_loss"
    losses = [getattr(row, which) for row in rows]
    if len(losses) < 2 or None in losses or losses[-1] < _LITTLE * task.guessing:
        return ""
    if losses[-1] > min(losses) or losses[-1] > _FALLING * losses[-2]:
        return ""
    kind = {"val_loss": "validation", "test_loss": "test", "train_loss": "training"}[which]
    change = f"from {losses[-2]:.4g} to {losses[-1]:.4g}"
    return f"still improving: the {kind} loss fell {change} in the last epoch, so more epochs will help"
