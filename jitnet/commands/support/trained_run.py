"""What commands start from: data, a network that fits it, a network that a run has trained."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from jitnet.commands.support.progress_bar import Waiting
from jitnet.data import Dataset
from jitnet.data.split import with_channels
from jitnet.errors import InputError
from jitnet.events import Compiling, Event, Warned
from jitnet.model import architecture
from jitnet.model.network import Network
from jitnet.printing import warn
from jitnet.run import RunFolder, start
from jitnet.storage.checkpoint import Tensors
from jitnet.training.compilation import compile_inference
from jitnet.training.loop import Position


def load_data(spec: str, offline: bool, tell: Callable[[str], None], target: str = "") -> Dataset:
    """Load a data set, with a bar on a terminal for what takes a while; raises `InputError`."""
    with Waiting() as waiting:
        return start.load_data(spec, offline, tell, target, waiting.report)


def load_test(network: Network, folder: RunFolder, spec: str | None, offline: bool) -> tuple[Dataset, np.ndarray]:
    """Return the data of a run, or `spec`, and its test images (n, H, W, C); raises `InputError` if they do not fit."""
    settings = folder.settings
    if settings.target and spec not in (None, settings.data):
        raise InputError(f"--data is {spec!r}: {folder.path} is a regression, measured on {settings.data} alone")
    data = load_data(spec or settings.data, offline, warn, settings.target)
    images = with_channels(data.x_test)
    if images.shape[1:] != network.image or data.classes > network.classes:
        raise InputError(
            f"{data.name} has images of {images.shape[1:]} in {data.classes} classes: "
            f"expected {network.image} in at most {network.classes}, what {folder.path} was trained on"
        )
    return data, images


def logits(network: Network, images: np.ndarray, report: Callable[[str, float], None] | None = None) -> np.ndarray:
    """Return a network's scores of images; `report`, or a bar on a terminal, says how far its kernels are."""
    with Waiting(report is None) as waiting:
        show_compiling(compile_inference(network, images), report or waiting.report)
    return network.logits(images)


def show_compiling(events: Iterable[Event], report: Callable[[str, float], None]) -> None:
    """Compile, and report how far it is."""
    for event in events:
        if isinstance(event, Compiling):
            report("loading kernels" if event.cached else "compiling kernels", event.index / event.total)
        elif isinstance(event, Warned):
            warn(event.message)


def load_trained(run: str, runs_dir: Path, kind: str | None) -> tuple[Network, RunFolder, int]:
    """Return the network of a run's newest (or `kind`) checkpoint, the run, and the epochs behind it."""
    network, folder, _, position = load_state(run, runs_dir, kind)
    return network, folder, position.epoch


def load_state(run: str, runs_dir: Path, kind: str | None) -> tuple[Network, RunFolder, Tensors, Position]:
    """Return the network of a run's newest (or `kind`) checkpoint, the run, all tensors there, and its position."""
    folder = RunFolder.open(run, runs_dir)
    if kind is not None:
        tensors, _ = folder.load(kind)
        path = folder.path / f"{kind}.safetensors"
    else:
        tensors, _, path, warnings = folder.load_newest()
        for message in warnings:
            warn(message)
    try:
        height, width, channels = folder.meta["image"]
        classes = folder.meta["classes"]
    except KeyError:
        raise InputError(f"{folder.path / 'meta.json'} does not say what images the run was trained on") from None
    layers = (*architecture.parse(folder.settings.architecture), architecture.Dense(classes))
    try:
        network = Network(layers, (height, width, channels), folder.settings.bias, loss=folder.settings.loss)
    except MemoryError:
        raise InputError(f"{folder.path} has a network that does not fit in memory: expected a smaller one") from None
    network.load_tensors(tensors, str(path))
    return network, folder, tensors, Position.from_tensors(tensors, str(path))
