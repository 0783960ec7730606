"""Where a run stands: the state that views show, folded from events."""

import math
from dataclasses import dataclass, field

from jitnet.events import (
    Compiling,
    Diverged,
    EpochDone,
    Event,
    Interrupted,
    PeakMeasured,
    Progress,
    RunFinished,
    RunStarted,
    StepsDone,
)

_NEWEST = 0.5  # least weight of the newest measurement of the training accuracy, each of a few images
_FADES = 0.1  # share of the run's epochs in which the ones before lose theirs


class Rate:
    """Images per second of the last few `memory` seconds, older calls fading out exponentially."""

    def __init__(self, memory: float) -> None:
        self.memory = memory
        self.images = self.seconds = 0.0

    def add(self, images: float, seconds: float) -> None:
        """Take in one call of that many images and seconds."""
        fade = math.exp(-seconds / self.memory)
        self.images = self.images * fade + images
        self.seconds = self.seconds * fade + seconds

    @property
    def value(self) -> float:
        """Images per second, 0 as long as nothing is measured."""
        return self.images / self.seconds if self.seconds > 0 else 0.0


class Trace:
    """A curve of bounded size: when full, neighbours are averaged and a new point counts twice."""

    def __init__(self, capacity: int = 512) -> None:
        self.capacity = capacity
        self.points: list[tuple[float, float]] = []
        self._stride = 1
        self._pending: list[tuple[float, float]] = []

    def add(self, x: float, y: float) -> None:
        """Append a point; one that is not finite is dropped."""
        if not math.isfinite(y):
            return
        self._pending.append((x, y))
        if len(self._pending) < self._stride:
            return
        self.points.append(_mean(self._pending))
        self._pending.clear()
        if len(self.points) == self.capacity:
            self.points = [_mean(self.points[i : i + 2]) for i in range(0, self.capacity, 2)]
            self._stride *= 2


def _faded(before: tuple[float, ...], now: tuple[float, ...]) -> tuple[float, ...]:
    """Return the mean of what was and what is, so that no single call is taken for a trend."""
    return tuple((a + b) / 2 for a, b in zip(before, now)) if len(before) == len(now) else now


def _mean(points: list[tuple[float, float]]) -> tuple[float, float]:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


@dataclass
class DashboardState:
    """Everything a view shows, and nothing that depends on the moment it is drawn.

    Feed it the events of a run in order, live or read back from a run folder, and draw it at any time.
    """

    run: RunStarted | None = None
    compiling: Compiling | None = None  # None when the kernels are ready
    steps: StepsDone | None = None  # the latest call of the epoch in work
    epochs: list[EpochDone] = field(default_factory=list)
    end: Interrupted | Diverged | RunFinished | None = None
    peak_gflops: float = 0.0  # of the machine; 0 = not measured
    moved: tuple[float, ...] = ()  # by layer, over the latest calls: the change of its weights
    evaluated: float = 0.0  # share of the evaluation in work
    keys: bool = False  # are keys heard?
    paused: bool = False
    help: bool = False
    epoch: int = 0  # in work
    fraction: float = 0.0  # of that epoch
    elapsed_s: float = 0.0
    losses: Trace = field(default_factory=Trace)  # loss over epochs, per call
    seen: Trace = field(default_factory=Trace)  # accuracy on training images before their update, over epochs, smoothed
    speed: Rate = field(default_factory=lambda: Rate(5.0))  # what is shown: follows the machine
    pace: Rate = field(default_factory=lambda: Rate(60.0))  # what time left is computed from: calm

    def apply(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case RunStarted():
                self.run, self.end, self.steps, self.epochs = event, None, None, []
                for row in event.history:
                    self._finish_epoch(row)
                self.epoch = event.epoch
                self.fraction = event.step_in_epoch / max(1, event.steps_per_epoch)
            case Compiling():
                self.compiling = event if event.index < event.total else None
            case PeakMeasured():
                self.peak_gflops = event.gflops
            case StepsDone():
                self.compiling, self.steps = None, event
                self.epoch, self.elapsed_s = event.epoch, event.elapsed_s
                self.fraction = event.step_in_epoch / max(1, event.steps_per_epoch)
                self.losses.add(self.epoch + self.fraction, event.call_loss)
                if event.accuracy is not None:
                    self._measured(self.epoch + self.fraction, event.accuracy)
                self.moved = _faded(self.moved, event.moved)
                self.evaluated = 0.0
                self.speed.add(event.images, event.seconds)
                self.pace.add(event.images, event.seconds)
            case Progress() if self.evaluating:
                self.evaluated = event.images / max(1, event.total)
            case EpochDone():
                self._finish_epoch(event)
            case Interrupted() | Diverged():
                self.end = event
            case RunFinished():
                self.end, self.elapsed_s = event, event.elapsed_s

    def _measured(self, x: float, accuracy: float) -> None:
        """Take in the accuracy in percent on a few training images after x epochs."""
        before_x, before = self.seen.points[-1] if self.seen.points else (x, accuracy)
        span = _FADES * (self.run.epochs if self.run else 1)
        weight = max(_NEWEST, 1 - math.exp(-(x - before_x) / span))
        self.seen.add(x, before + weight * (accuracy - before))

    def _finish_epoch(self, row: EpochDone) -> None:
        if not self.losses.points or self.losses.points[-1][0] <= row.epoch:  # its calls were not seen
            self.losses.add(row.epoch + 1, row.train_loss)
        self.epochs.append(row)
        self.epoch, self.fraction, self.steps = row.epoch + 1, 0.0, None
        self.elapsed_s = row.elapsed_s

    @property
    def evaluating(self) -> bool:
        """Is the epoch in work trained, but not evaluated yet?"""
        return self.steps is not None and self.steps.step_in_epoch >= self.steps.steps_per_epoch

    @property
    def moving(self) -> list[float]:
        """For the image and each layer: the change of its weights, as a share of the largest; without weights 0."""
        places, most = len(self.run.extents) if self.run else 0, max(self.moved, default=0.0)
        known = most > 0 and len(self.moved) == places - 1
        return [0.0, *(share / most for share in self.moved)] if known else [0.0] * places

    @property
    def gflops(self) -> float:
        """Useful floating-point operations per second, in 10^9: a multiply-add is two, zeros counted."""
        return 2e-9 * self.run.step_macs * self.speed.value if self.run else 0.0

    @property
    def peak_share(self) -> float | None:
        """Share of the machine's measured peak, from 0 to 1; None where it is not known, or cannot be true."""
        share = self.gflops / self.peak_gflops if self.peak_gflops and self.speed.value else None
        return share if share is not None and share <= 1 else None

    @property
    def run_fraction(self) -> float:
        """Trained share of the whole run."""
        if self.run is None:
            return 0.0
        return min(1.0, (self.epoch + self.fraction) / max(1, self.run.epochs))

    @property
    def eval_s(self) -> float:
        """Seconds of one evaluation: the latest one, before the first a guess from its share of the work."""
        if self.epochs:
            return self.epochs[-1].eval_s
        if self.run is None or not self.pace.value:
            return 0.0
        images = self.run.test_images + self.run.val_images
        return images * self.run.macs / max(1, self.run.step_macs) / self.pace.value

    @property
    def epoch_left_s(self) -> float | None:
        """Seconds until the epoch in work is trained and evaluated; None as long as nothing is measured."""
        if self.run is None or not self.pace.value:
            return None
        return (1.0 - self.fraction) * self.run.images_per_epoch / self.pace.value + self.eval_s

    @property
    def run_left_s(self) -> float | None:
        """Seconds until the run is over, evaluations included; None as long as nothing is measured."""
        left = self.epoch_left_s
        if left is None or self.run is None:
            return None
        more = self.run.epochs - self.epoch - 1
        if more < 0:
            return 0.0
        return left + more * (self.run.images_per_epoch / self.pace.value + self.eval_s)

    @property
    def best(self) -> EpochDone | None:
        """The first epoch of the highest validation accuracy, without validation of the test accuracy."""
        for name in ("val_accuracy", "test_accuracy"):
            rows = [row for row in self.epochs if getattr(row, name) is not None]
            if rows:
                return max(rows, key=lambda row: getattr(row, name))
        return None
