"""Figures of a run for MLflow, where its environment says: MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME."""

from typing import Any

from jitnet.events import EpochDone, Event, RunFinished, RunStarted, StepsDone
from jitnet.integrations.figures import figures, is_last, package, recipe


class Log:
    """A consumer of events, for `on_event` of an estimator: a run of MLflow with parameters and metrics."""

    def __init__(self) -> None:
        self._mlflow: Any = package("mlflow", "a log for MLflow")

    def __call__(self, event: Event) -> None:
        """Take the next event of the run."""
        if isinstance(event, RunStarted):
            self._mlflow.start_run(run_name=event.run or event.title)
            self._mlflow.log_params(recipe(event))
        elif isinstance(event, StepsDone | EpochDone):
            self._mlflow.log_metrics(figures(event), step=event.step)
        if is_last(event) and self._mlflow.active_run() is not None:
            self._mlflow.end_run("FINISHED" if isinstance(event, RunFinished) else "KILLED")
