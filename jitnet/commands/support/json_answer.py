"""`--json`: the answer of a command as one JSON object on standard output. docs/json.md has the schema."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jitnet.data import Dataset
from jitnet.printing import json_text, say
from jitnet.run.trained import Trained

SCHEMA = 1


def print_json(command: str, **fields: Any) -> None:
    """Print the answer of a command; numbers that are not finite become null."""
    record = {"command": command, "schema": SCHEMA} | fields
    say(*json_text(_plain(record), indent=2).split("\n"))


def model_fields(trained: Trained, epoch: int) -> dict[str, Any]:
    """Return what an answer says of the network that gave it."""
    return {
        "path": str(trained.path),
        "epochs": epoch,
        "data": trained.meta.get("data"),
        "target": trained.settings.target or None,
    }


def data_fields(data: Dataset, size: int, mark: str) -> dict[str, Any]:
    """Return what an answer says of the test data; `mark` is what must be known about them, or ""."""
    return {"name": data.name, "size": size, "note": mark.strip(" ()") or None}


def figures(loss: float, accuracy: float | None) -> dict[str, float | None]:
    """Return the loss, and the accuracy in percent of classes or the RMSE of a regression."""
    return {"loss": loss, "accuracy": accuracy, "rmse": loss**0.5 if accuracy is None else None}


def class_fields(chances: np.ndarray, name_of: Callable[[int], str]) -> dict[str, Any]:
    """Return the class that has the largest of the probabilities (K,), and all of them by the classes' names."""
    best = int(chances.argmax())
    return {
        "class": name_of(best),
        "probability": float(chances[best]),
        "probabilities": {name_of(label): float(chance) for label, chance in enumerate(chances)},
    }


def _plain(value: Any) -> Any:
    """Return a value in JSON's own types."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(each) for each in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
