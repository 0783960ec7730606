"""What programs that track runs are given: a run's recipe at its start, and its figures as they appear."""

import importlib
from typing import Any

from jitnet.errors import InputError
from jitnet.events import Diverged, EpochDone, Event, Interrupted, RunFinished, RunStarted, StepsDone

_RECIPE = ("title", "architecture", "parameters", "data", "train_images", "val_images", "test_images", "recipe",
           "epochs", "batch_size", "threads")  # fmt: skip
_FIGURES = ("lr", "train_loss", "val_loss", "val_accuracy", "test_loss", "test_accuracy", "test_rmse", "images_per_s")


def recipe(started: RunStarted) -> dict[str, Any]:
    """Return what a run trains, on what and how, as plain values."""
    return {name: getattr(started, name) for name in _RECIPE}


def figures(event: Event) -> dict[str, float]:
    """Return the figures of an event by name: of an epoch, or the mean loss of a compiled call; else none."""
    if isinstance(event, StepsDone):
        return {"step_loss": event.call_loss}
    if not isinstance(event, EpochDone):
        return {}
    values = {name: getattr(event, name) for name in _FIGURES}
    return {name: value for name, value in values.items() if value is not None}


def is_last(event: Event) -> bool:
    """Whether a run ends with an event."""
    return isinstance(event, RunFinished | Interrupted | Diverged)


def package(name: str, needed_for: str, distribution: str = "") -> Any:
    """Import a package that jitnet does not depend on; raises `InputError` with what to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"{needed_for} needs {name}, which cannot be imported ({error}): pip install {distribution or name}"
        ) from None
