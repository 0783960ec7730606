"""What commands start from: data, a network that fits it, a network that a run has trained."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from jitnet import architecture
from jitnet.commands.waiting import Waiting
from jitnet.config import Settings
from jitnet.data import Dataset, load, regression
from jitnet.errors import InputError
from jitnet.network import Network
from jitnet.runfolder import RunFolder
from jitnet.splitting import with_channels
from jitnet.training import Position


def warn(message: str) -> None:
    """Say something to the user of a command without a view."""
    print(f"warning: {message}", file=sys.stderr)


def load_data(spec: str, offline: bool, tell: Callable[[str], None], target: str = "", quiet: bool = False) -> Dataset:
    """Load a data set, of a table of numbers with the column `target` to approximate; raises `InputError`.

    What takes a while is shown as a bar on a terminal, unless `quiet`.
    """
    if target:
        return regression.load(spec, target)
    with Waiting(not quiet) as waiting:
        return load(spec, offline=offline, warn=tell, report=waiting.report)


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


def prepare(
    settings: Settings, offline: bool, tell: Callable[[str], None], quiet: bool = False
) -> tuple[Network, Dataset]:
    """Return the settings' network, without parameters yet, and their data; raises `InputError`."""
    hidden = architecture.parse(settings.architecture)  # before the data: a typing error should not wait for it
    data = load_data(settings.data, offline, tell, settings.target, quiet)
    height, width, channels = with_channels(data.x_train).shape[1:]
    layers = (*hidden, architecture.Dense(data.classes))
    return Network(layers, (height, width, channels), settings.bias, loss=settings.loss), data


def load_trained(run: str, runs_dir: Path, kind: str | None) -> tuple[Network, RunFolder, int]:
    """Return the network of a run's newest (or `kind`) checkpoint, the run, and the epochs behind it."""
    folder = RunFolder.open(run, runs_dir)
    if kind is not None:
        tensors, _ = folder.load(kind)
        path = folder.path / f"{kind}.safetensors"
    else:
        tensors, _, path, warnings = folder.load_newest()
        for message in warnings:
            warn(message)
    try:
        height, width, channels = (int(extent) for extent in folder.meta["image"])
        classes = int(folder.meta["classes"])
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{folder.path / 'meta.json'} does not say what images the run was trained on") from None
    layers = (*architecture.parse(folder.settings.architecture), architecture.Dense(classes))
    network = Network(layers, (height, width, channels), folder.settings.bias, loss=folder.settings.loss)
    network.load_tensors(tensors, str(path))
    return network, folder, Position.from_tensors(tensors, str(path)).epoch
