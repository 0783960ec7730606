"""What commands read: data, and trained networks with their scores."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from jitnet.commands.support.progress_bar import Waiting
from jitnet.config import Settings
from jitnet.data import Dataset
from jitnet.data.split import with_channels
from jitnet.errors import InputError
from jitnet.events import Compiling, Event, Warned
from jitnet.model.network import Network
from jitnet.printing import warn
from jitnet.run import start
from jitnet.run.trained import Trained, open_trained
from jitnet.training.compilation import compile_inference


def load_data(spec: str, offline: bool, tell: Callable[[str], None] = warn, target: str = "") -> Dataset:
    """Load a data set, with a bar on a terminal for what takes a while; raises `InputError`.

    `target` is the column that is predicted as a number, "" for labels.
    """
    with Waiting() as waiting:
        return start.load_data(Settings(data=spec, target=target), offline, tell, waiting.report)


def load_test(network: Network, trained: Trained, spec: str | None, offline: bool) -> tuple[Dataset, np.ndarray]:
    """Return the data of a run, or `spec`, and its test images (n, H, W, C); raises `InputError` if they do not fit."""
    settings = trained.settings
    if settings.target and spec not in (None, settings.data):
        raise InputError(f"--data is {spec!r}: {trained.path} is a regression, measured on {settings.data} alone")
    if spec is None and not trained.meta.get("data"):
        raise InputError(f"{trained.path} does not state its data: expected --data SET")
    data = load_data(spec or settings.data, offline, target=settings.target)
    images = with_channels(data.x_test)
    if images.shape[1:] != network.image or data.classes > network.classes:
        raise InputError(
            f"{data.name} has images of {images.shape[1:]} in {data.classes} classes: "
            f"expected {network.image} in at most {network.classes}, what {trained.path} was trained on"
        )
    return data, images


def logits(network: Network, images: np.ndarray, report: Callable[[str, float], None] | None = None) -> np.ndarray:
    """Return a network's scores of images; `report`, or a bar on a terminal, shows the progress of compilation."""
    with Waiting(report is None) as waiting:
        show_compiling(compile_inference(network, images), report or waiting.report)
    return network.logits(images)


def show_compiling(events: Iterable[Event], report: Callable[[str, float], None]) -> None:
    """Compile, and report the progress."""
    for event in events:
        if isinstance(event, Compiling):
            report("loading kernels" if event.cached else "compiling kernels", event.index / event.total)
        elif isinstance(event, Warned):
            warn(event.message)


def load_trained(source: str, runs_dir: Path, kind: str | None) -> tuple[Network, Trained, int]:
    """Return a trained network, what `open_trained` found, and the epochs it was trained for; prints warnings."""
    trained = open_trained(source, runs_dir, kind)
    for notice in trained.notices:
        warn(notice)
    return trained.network, trained, trained.position.epoch


def require_classifier(trained: Trained, command: str) -> None:
    """Raise `InputError` if a network predicts a number."""
    if trained.settings.target:
        raise InputError(
            f"{trained.path} is a regression of {trained.settings.target!r}: expected a run that classifies images, "
            f"which `jitnet {command}` needs"
        )
