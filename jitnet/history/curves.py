"""One curve a run: a metric over epochs, steps or seconds."""

import math
from dataclasses import dataclass

from jitnet.errors import InputError
from jitnet.history.read import Run

METRICS = {  # name: label of the axis
    "test_accuracy": "test accuracy %",
    "val_accuracy": "validation accuracy %",
    "train_loss": "training loss",
    "test_loss": "test loss",
    "val_loss": "validation loss",
    "test_rmse": "test RMSE",
    "step_loss": "loss of a sample of steps",
    "step_accuracy": "training accuracy % of a sample of steps",
    "lr": "learning rate",
    "images_per_s": "images/s",
    "train_s": "seconds an epoch",
}
ALONG = {"epoch": "epochs", "step": "steps", "time": "seconds of training"}


@dataclass(frozen=True)
class Curve:
    """A run's name and its points (x, y), sorted by x."""

    name: str
    points: tuple[tuple[float, float], ...]


def curves(runs: list[Run], metric: str, along: str) -> list[Curve]:
    """Return the curve of each run; raises `InputError` if none has a point.

    What is damaged in a log is added to the `notices` of its run.
    """
    found = [Curve(run.name, tuple(_points(run, metric, along))) for run in runs]
    if not any(curve.points for curve in found):
        names = ", ".join(run.name for run in runs)
        raise InputError(f"there is no {metric} in {names}: expected a run with a finished epoch that computed it")
    return found


def _points(run: Run, metric: str, along: str) -> list[tuple[float, float]]:
    if metric in _OF_STEPS:
        return _of_steps(run, _OF_STEPS[metric], along)
    points, seconds = [], 0.0
    for row in run.epochs:
        seconds += (row.get("train_s") or 0.0) + (row.get("eval_s") or 0.0)
        places = {"epoch": (row.get("epoch") or 0.0) + 1, "step": row.get("step"), "time": seconds}
        x, y = places[along], row.get(metric)
        if x is not None and y is not None:
            points.append((x, y))
    return points


def smoothed(curve: Curve, memory: float = 0.02) -> Curve:
    """Return a curve's mean that fades out exponentially; `memory` is a share of the whole range of x.

    >>> smoothed(Curve("a", ((0.0, 1.0), (1.0, 1.0)))).points
    ((0.0, 1.0), (1.0, 1.0))
    """
    if not curve.points:
        return curve
    span = memory * (curve.points[-1][0] - curve.points[0][0]) or 1.0
    points: list[tuple[float, float]] = []
    before, mean = curve.points[0]
    for x, y in curve.points:
        kept = math.exp(-(x - before) / span) if points else 0.0
        mean, before = kept * mean + (1 - kept) * y, x
        points.append((x, mean))
    return Curve(curve.name, tuple(points))


_OF_STEPS = {"step_loss": "loss", "step_accuracy": "accuracy"}  # what a line of steps.jsonl holds


def _of_steps(run: Run, name: str, along: str) -> list[tuple[float, float]]:
    first = run.epochs[0].get("step") if run.epochs else None  # the steps of an epoch
    points = []
    for record in run.steps():
        step, value = int(record["step"]), record.get(name)
        places = {"epoch": step / first if first else None, "step": step, "time": record.get("t")}
        x = places[along]
        if x is not None and value is not None:
            points.append((float(x), float(value)))
    return points
