"""An invented run as events of training, for the tests of the displays."""

import math
from collections.abc import Iterator
from typing import Any

from jitnet.events import Compiling, EpochDone, Event, RunFinished, RunStarted, StepsDone

IMAGES = 60_000
CALL = 6_000  # images of a compiled call
RATE = 10_000.0  # images per second


def started(**changes: Any) -> RunStarted:
    values: dict[str, Any] = {
        "title": "cnn",
        "run": "runs/20261120-220155-cnn-7f3a",
        "architecture": "conv16 pool conv32 pool conv64 dense100 dense10",
        "parameters": 359_846,
        "macs": 2_233_832,
        "step_macs": 6_500_000,
        "data": "mnist",
        "source": "a cache",
        "train_images": IMAGES,
        "val_images": 0,
        "test_images": 10_000,
        "recipe": "per-sample SGD, lr 0.001 (documents), file order, seed 0",
        "epochs": 9,
        "batch_size": 1,
        "steps_per_epoch": IMAGES,
        "threads": 2,
        "layer": "omp",
    }
    return RunStarted(**values | changes)


def steps(epoch: int, done: int, **changes: Any) -> StepsDone:
    seconds = CALL / RATE
    values: dict[str, Any] = {
        "epoch": epoch,
        "step": epoch * IMAGES + done,
        "step_in_epoch": done,
        "steps_per_epoch": IMAGES,
        "images": CALL,
        "lr": 0.000952,
        "call_loss": 2.3 * math.exp(-epoch - done / IMAGES),
        "epoch_loss": 0.348741,
        "seconds": seconds,
        "elapsed_s": epoch * 7.0 + done / RATE,
        "snapshot": dict,
    }
    return StepsDone(**values | changes)


def epoch_done(epoch: int, **changes: Any) -> EpochDone:
    values: dict[str, Any] = {
        "epoch": epoch,
        "step": (epoch + 1) * IMAGES,
        "lr": 0.000952,
        "train_loss": 0.348741,
        "val_loss": None,
        "val_accuracy": None,
        "test_loss": 0.3,
        "test_accuracy": 91.126 + epoch / 10,
        "train_s": 6.0,
        "eval_s": 1.0,
        "images_per_s": RATE,
        "elapsed_s": (epoch + 1) * 7.0,
        "data": "mnist",
        "snapshot": dict,
    }
    return EpochDone(**values | changes)


def events(data: str = "mnist", epochs: int = 9, val: float | None = None) -> Iterator[Event]:
    """Yield a whole run; with `val` that accuracy on validation images in every epoch."""
    yield started(data=data, epochs=epochs, val_images=5_000 if val is not None else 0)
    for index in range(3):
        yield Compiling(name="conv2d_forward", index=index, total=2, cached=False, seconds=2.0 * index)
    for epoch in range(epochs):
        for done in range(CALL, IMAGES + 1, CALL):
            yield steps(epoch, done)
        yield epoch_done(epoch, data=data, val_accuracy=val, val_loss=None if val is None else 0.4)
    yield RunFinished(test_accuracy=95.49, val_accuracy=val, elapsed_s=61.2, data=data)
