"""The state of the trials that run now, as plain data: jitnet/trials/ keeps it, views draw it."""

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jitnet.events import Compiling

# The status of a trial. The first three are not over; the same command continues "stopped", "lost" and "failed" ones.
WAITING, RUNNING, PAUSED = "waiting", "running", "paused"  # paused: between two rungs of a halving
DONE, CUT, DIVERGED, STOPPED, FAILED, LOST = "done", "cut", "diverged", "stopped", "failed", "lost"
OVER = (DONE, CUT, DIVERGED, STOPPED, FAILED, LOST)


@dataclass
class Row:
    """One trial."""

    name: str
    path: str  # of its run folder
    varied: dict[str, Any]  # the settings in which it differs from the others
    epochs: int  # it should train, at most
    status: str = WAITING
    epoch: int = 0  # that are done
    fraction: float = 0.0  # of the epoch in work
    message: str = ""  # what happened, as a clause
    seconds: float = 0.0  # of training, evaluation and compiling, without pauses
    train_loss: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    test_loss: float | None = None
    test_accuracy: float | None = None
    test_rmse: float | None = None  # of a regression
    weights: str = ""  # SHA-256 of names, shapes and bytes of its parameters
    host: str = ""
    attempts: int = 0

    @property
    def trained(self) -> float:
        """Epochs trained so far, the one in work by its share."""
        return self.epoch + self.fraction

    @property
    def figure(self) -> float:
        """What trials are ranked by: accuracy on validation images, or else on test images, or the negative loss."""
        for value in (self.val_accuracy, self.test_accuracy):
            if value is not None:
                return value
        loss = self.val_loss if self.val_loss is not None else self.test_loss
        return -math.inf if loss is None else -loss


@dataclass
class Board:
    """All trials of a plan."""

    title: str  # "repeat cnn"
    path: Path  # of the sweep's folder
    rows: list[Row]
    planned: float  # epochs to train in all; fewer if some end early
    engine: str = ""  # "2 processes of 1 thread"
    preparing: bool = True  # data and kernels
    compiling: Compiling | None = None  # the progress of that, where the cache has not all kernels
    notices: list[str] = field(default_factory=list)  # sentences for the user, not shown yet
    began: float = field(default_factory=time.monotonic)
    before: float | None = None  # epochs that earlier commands had trained

    @property
    def trained(self) -> float:
        """Epochs trained so far, by all commands."""
        return sum(row.trained for row in self.rows)

    @property
    def best(self) -> Row | None:
        """The trial that is ahead."""
        rows = [row for row in self.rows if row.figure > -math.inf]
        return max(rows, key=lambda row: row.figure, default=None)

    def ranked(self) -> list[Row]:
        """Return the rows, the best first; equal ones in their order."""
        return sorted(self.rows, key=lambda row: -row.figure)

    def count(self, *statuses: str) -> int:
        """Return how many trials have one of these statuses."""
        return sum(row.status in statuses for row in self.rows)

    def start_clock(self) -> None:
        """Measure the pace from now on: data and kernels are ready."""
        self.preparing, self.began, self.before = False, time.monotonic(), self.trained

    def left_s(self) -> float | None:
        """Return about how many seconds are left, None as long as nothing is measured."""
        done = self.trained - (self.before or 0.0)
        lost = sum(row.epochs - row.trained for row in self.rows if row.status in (DONE, DIVERGED, FAILED, LOST))
        left = self.planned - self.trained - max(0.0, lost)
        if self.before is None or done <= 0.05 * max(1, self.count(RUNNING)):
            return None
        return max(0.0, left) * (time.monotonic() - self.began) / done
