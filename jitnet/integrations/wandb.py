"""Figures of a run for Weights & Biases, where its environment says: WANDB_PROJECT, WANDB_MODE=offline."""

import os
from typing import Any

from jitnet.events import EpochDone, Event, RunFinished, RunStarted, StepsDone
from jitnet.integrations.figures import figures, is_last, package, recipe


class Log:
    """A consumer of events, for `on_event` of an estimator: a run of Weights & Biases."""

    def __init__(self) -> None:
        self._wandb: Any = package("wandb", "a log for Weights & Biases")
        self._run: Any = None

    def __call__(self, event: Event) -> None:
        """Take the next event of the run."""
        if isinstance(event, RunStarted):
            project = os.environ.get("WANDB_PROJECT", "jitnet")
            self._run = self._wandb.init(project=project, name=event.run or event.title, config=recipe(event))
        elif isinstance(event, StepsDone | EpochDone):
            self._run.log(figures(event), step=event.step)
        if is_last(event) and self._run is not None:
            self._run.finish(exit_code=0 if isinstance(event, RunFinished) else 1)
            self._run = None
