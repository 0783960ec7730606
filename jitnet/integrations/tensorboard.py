"""Figures of a run for TensorBoard."""

from pathlib import Path
from typing import Any

from jitnet.events import EpochDone, Event, RunStarted, StepsDone
from jitnet.integrations.figures import figures, is_last, package


class Log:
    """A consumer of events, for `on_event` of an estimator: writes to `folder`, or into the run's own folder."""

    def __init__(self, folder: str | Path | None = None):
        self._folder = folder
        self._summary = package("tensorboard.summary", "a log for TensorBoard", "tensorboard")
        self._writer: Any = None

    def __call__(self, event: Event) -> None:
        """Take the next event of the run."""
        if isinstance(event, RunStarted):
            self._writer = self._summary.Writer(str(self._folder or Path(event.run, "tensorboard")))
        elif isinstance(event, StepsDone | EpochDone):
            for name, value in figures(event).items():
                self._writer.add_scalar(name, value, event.step)
        if is_last(event) and self._writer is not None:
            self._writer.close()
            self._writer = None
