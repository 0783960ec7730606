"""What commands start from: data, a network that fits it, a network that a run has trained."""

import dataclasses
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from jitnet.commands.support.progress_bar import Waiting
from jitnet.config import Settings
from jitnet.data import Dataset
from jitnet.data.pictures.adapt import adapt
from jitnet.data.pictures.prepare import Prepared
from jitnet.data.readers.class_folders import files_in
from jitnet.data.readers.names import entries
from jitnet.data.record import DataRecord, short_list
from jitnet.data.sources.known import KNOWN
from jitnet.data.split import with_channels
from jitnet.display.live.progress import counted
from jitnet.errors import InputError
from jitnet.events import Compiling, Event, Warned
from jitnet.model import architecture
from jitnet.model.network import Network
from jitnet.run import RunFolder, start
from jitnet.storage.checkpoint import Tensors
from jitnet.training.compilation import compile_inference
from jitnet.training.loop import Position


def warn(message: str) -> None:
    """Say something to the user of a command without a view."""
    print(f"warning: {message}", file=sys.stderr)


def load_data(
    settings: Settings, offline: bool, tell: Callable[[str], None], started_in: str = "", whole: bool = False
) -> Dataset:
    """Load the data that settings name, with a bar on a terminal for what takes a while; raises `InputError`."""
    with Waiting() as waiting:
        return start.load_data(settings, offline, tell, waiting.report, started_in, whole)


def load_test(network: Network, folder: RunFolder, spec: str | None, offline: bool) -> tuple[Dataset, np.ndarray]:
    """Return the data of a run, or `spec`, and its test images (n, H, W, C); raises `InputError` if they do not fit.

    Labels of other data are matched by the names of the classes; data that changed since the run are warned of.
    """
    settings = folder.settings
    if settings.target and spec not in (None, settings.data):
        raise InputError(f"--data is {spec!r}: {folder.path} is a regression, measured on {settings.data} alone")
    started_in = "" if spec else str(folder.meta.get("cwd", ""))
    wanted = settings.replace(data=spec) if spec else settings
    data = load_data(wanted, offline, warn, started_in, whole=spec is not None)
    images = with_channels(data.x_test)
    if images.shape[1:] != network.image:
        raise InputError(
            f"{data.name} has images of {images.shape[1:]}: expected {network.image}, what {folder.path} was trained on"
        )
    if not settings.target:
        data = dataclasses.replace(data, y_test=matched(data, record_of(folder), str(folder.path)))
    if spec is None and has_changed(data, folder):
        warn(
            f"{data.source} is not what {folder.path} was trained on: its content hash is {data.sha256[:12]}, the run's "
            f"{str(folder.meta['data_sha256'])[:12]}; its test images may have been trained on"
        )
    return data, images


def has_changed(data: Dataset, folder: RunFolder) -> bool:
    """Whether data are others than those that a run was trained on."""
    return bool(folder.meta.get("data_sha256")) and data.sha256 != folder.meta["data_sha256"]


def mark(data: Dataset, folder: RunFolder) -> str:
    """Return what a result must say of its data: synthetic, or others than those of the run."""
    if data.synthetic:
        return " (synthetic digits)"
    if folder.meta["data"] == "synthetic":
        return " (trained on synthetic digits)"
    return " (not the data it was trained on)" if has_changed(data, folder) else ""


def record_of(folder: RunFolder) -> DataRecord:
    """Return what a run keeps of its data; of an old run the names of its classes, as far as they are known."""
    record = DataRecord.from_dict(folder.meta.get("record"))
    if record.class_names or folder.settings.target:
        return record
    known = KNOWN.get(str(folder.meta.get("data")))
    plain = tuple(map(str, range(int(folder.meta["classes"]))))
    return dataclasses.replace(record, class_names=(known and known.class_names) or plain, numbers=plain)


def regression_record(folder: RunFolder) -> DataRecord:
    """Return how a regression scaled its columns; an old run's from its table, if that has not changed."""
    record = DataRecord.from_dict(folder.meta.get("record"))
    if record.means:
        return record
    data = load_data(folder.settings, True, warn, str(folder.meta.get("cwd", "")))
    if has_changed(data, folder):
        raise InputError(f"{data.source} is not what {folder.path} was trained on: give back the table it was")
    return data.facts


def matched(data: Dataset, record: DataRecord, run: str) -> np.ndarray:
    """Return test labels (N,) as numbers of a run's classes, by their names; raises `InputError` for other names."""
    names = data.class_names
    if names == record.class_names:
        return data.y_test
    if not set(names) <= set(record.class_names) and names == data.facts.numbers and set(names) <= set(record.numbers):
        place = {name: i for i, name in enumerate(record.numbers)}  # a set whose names are known, given by numbers
    else:
        place = {name: i for i, name in enumerate(record.class_names)}
    used = np.unique(data.y_test)
    strange = [names[label] for label in used if names[label] not in place]
    if strange:
        raise InputError(
            f"{data.name} has the class {strange[0]!r}, which {run} was not trained on: expected "
            f"{short_list(record.class_names)}"
        )
    table = np.zeros(len(names), np.uint8)
    for label in used:
        table[label] = place[names[label]]
    return table[data.y_test]


def about(folder: RunFolder, epoch: int) -> str:
    """Return which run answers, after how many epochs, trained on what."""
    return f"{folder.path} after {counted(epoch)}, trained on {folder.meta['data']}"


def pictures(
    paths: Iterable[str], record: DataRecord, image: tuple[int, int, int]
) -> Iterator[tuple[str, Prepared | InputError]]:
    """Yield each picture of files and folders by its name, prepared as in training, or why it cannot be."""
    from jitnet.data.readers.images import read_levels

    for path in (each for given in paths for each in _files(given)):
        try:
            found = read_levels(path, image[:2])
        except InputError as error:
            yield path, error
            continue
        with open(path, "rb") as file:
            drawn = not file.read(6).startswith((b"\x93NUMPY", b"\x1f\x8b", b"\0\0\x08"))
        for name, levels in found:
            try:
                yield name, adapt(levels, record, image[0], image[1], name, drawn)
            except InputError as error:
                yield name, error


def _files(path: str) -> list[str]:
    """Return a path, or the image files in a folder and the folders in it."""
    if not os.path.isdir(path):
        return [path]
    found = [str(file) for file in files_in(Path(path))]
    found += [file for entry in entries(Path(path)) if entry.is_dir() for file in _files(str(entry))]
    return found


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
        height, width, channels = (int(extent) for extent in folder.meta["image"])
        classes = int(folder.meta["classes"])
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{folder.path / 'meta.json'} does not say what images the run was trained on") from None
    layers = (*architecture.parse(folder.settings.architecture), architecture.Dense(classes))
    network = Network(layers, (height, width, channels), folder.settings.bias, loss=folder.settings.loss)
    network.load_tensors(tensors, str(path))
    return network, folder, tensors, Position.from_tensors(tensors, str(path))
