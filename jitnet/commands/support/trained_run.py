"""What commands read: data, and trained networks with their scores."""

import argparse
import dataclasses
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from jitnet.commands.support import options
from jitnet.commands.support.progress_bar import Waiting
from jitnet.config import Settings
from jitnet.data import Dataset
from jitnet.data.labels import composed
from jitnet.data.pictures.adapt import adapt
from jitnet.data.pictures.prepare import Prepared
from jitnet.data.pictures.style import other_polarity
from jitnet.data.readers.class_folders import files_in
from jitnet.data.readers.images import read_levels
from jitnet.data.readers.names import entries
from jitnet.data.readers.pixel_columns import as_in, is_out_of_order
from jitnet.data.record import DataRecord, short_list
from jitnet.data.sources.known import KNOWN
from jitnet.data.split import with_channels
from jitnet.display.compiling import CompilationNotice
from jitnet.display.format import count
from jitnet.errors import InputError
from jitnet.events import Compiling, Event, Warned
from jitnet.model.network import Network
from jitnet.printing import warn
from jitnet.run import start
from jitnet.run.trained import Trained, open_trained
from jitnet.training.compilation import compile_inference


def load_data(settings: Settings, offline: bool, tell: Callable[[str], None] = warn, whole: bool = False) -> Dataset:
    """Load the data that settings name, with a bar on a terminal for what takes a while; raises `InputError`."""
    with Waiting() as waiting:
        return start.load_data(settings, offline, tell, waiting.report, whole=whole)


def load_data_of(trained: Trained, offline: bool) -> Dataset:
    """Load the data that a network was trained on, as `load_data`."""
    with Waiting() as waiting:
        return start.load_data_of(trained.settings, trained.meta, offline, warn, waiting.report)


def load_test(network: Network, trained: Trained, spec: str | None, offline: bool) -> tuple[Dataset, np.ndarray]:
    """Return the data of a run, or `spec`, and its test images (n, H, W, C); raises `InputError` if they do not fit.

    Labels of other data are matched by the names of the classes; data that changed since the run are warned of.
    """
    settings = trained.settings
    if settings.target and spec not in (None, settings.data):
        raise InputError(f"--data is {spec!r}: {trained.path} is a regression, measured on {settings.data} alone")
    if spec is None and not trained.meta.get("data"):
        raise InputError(f"{trained.path} does not state its data: expected --data SET")
    data = load_data(settings.replace(data=spec), offline, whole=True) if spec else load_data_of(trained, offline)
    images = with_channels(data.x_test)
    if images.shape[1:] != network.image:
        raise InputError(
            f"{data.name} has images of {images.shape[1:]}: expected {network.image}, as {trained.path} was trained on"
        )
    if not settings.target:
        record = record_of(trained)
        data = dataclasses.replace(data, y_test=matched(data, record, str(trained.path)))
        data = _with_pixels_as(data, record, str(trained.path))
        images = with_channels(data.x_test)
        if spec and (other := other_polarity(data.x_test, record.polarity)):
            warn(
                f"the images of {data.name} are {other}, and those that {trained.path} was trained on are "
                f"{record.polarity}: invert them; predict does"
            )
    if spec is None and has_changed(data, trained):
        warn(
            f"{data.source} is not what {trained.path} was trained on: its content hash is {data.sha256[:12]}, the "
            f"run's {str(trained.meta.get('data_sha256'))[:12]}; its test images may have been trained on"
        )
    return data, images


def has_changed(data: Dataset, trained: Trained) -> bool:
    """Whether data are others than those that a run was trained on."""
    return bool(trained.meta.get("data_sha256")) and data.sha256 != trained.meta["data_sha256"]


def mark(data: Dataset, trained: Trained, spec: str | None) -> str:
    """Return what a result must say of its data: synthetic, or no longer those of the run (`spec` names others)."""
    if data.synthetic:
        return " (synthetic digits)"
    if trained.meta.get("data") == "synthetic":
        return " (trained on synthetic digits)"
    return " (not the data it was trained on)" if spec is None and has_changed(data, trained) else ""


def record_of(trained: Trained) -> DataRecord:
    """Return what a run keeps of its data; of an old run the names of its classes, as far as they are known."""
    record = trained.description.record
    if record.class_names or trained.settings.target:
        return record
    known = KNOWN.get(str(trained.meta.get("data")))
    plain = tuple(map(str, trained.description.labels.tolist()))
    return dataclasses.replace(record, class_names=(known and known.class_names) or plain, numbers=plain)


def regression_record(trained: Trained) -> DataRecord:
    """Return how a regression scaled its columns; an old run's from its table, if that has not changed."""
    record = trained.description.record
    if record.means:
        return record
    data = load_data_of(trained, True)
    if has_changed(data, trained):
        raise InputError(f"{data.source} is not what {trained.path} was trained on: provide the table that it was")
    return data.facts


def matched(data: Dataset, record: DataRecord, run: str) -> np.ndarray:
    """Return test labels (N,) as numbers of a run's classes, by their names; raises `InputError` for other names."""
    names = data.class_names
    if names == record.class_names:
        return data.y_test
    if not set(names) <= set(record.class_names) and names == data.facts.numbers and set(names) <= set(record.numbers):
        place = {name: i for i, name in enumerate(record.numbers)}  # a set whose names are known, given by numbers
    else:
        place = {composed(name): i for i, name in enumerate(record.class_names)}
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


def _with_pixels_as(data: Dataset, record: DataRecord, run: str) -> Dataset:
    """Return data with the pixels of a table in the order of those that a run was trained on, by their names."""
    order = order_like(data.facts.pixel_columns, data.source, record, run)
    if order is None:
        return data
    x = [each.reshape(len(each), -1)[:, order].reshape(each.shape) for each in (data.x_train, data.x_test)]
    return dataclasses.replace(data, x_train=x[0], x_test=x[1])


def order_like(names: tuple[str, ...], where: str, record: DataRecord, run: str) -> np.ndarray | None:
    """Return in which order columns (D,) are those that a run was trained on, None if in theirs; warns as `as_in`."""
    if names and not record.input_names and is_out_of_order(record.header):
        raise InputError(
            f"{run} was trained on pixel columns out of order ({record.header[:40]}...), by an earlier version: "
            "expected rows without names, in that order, or a run that is trained again"
        )
    order, note = as_in(names, where, record.input_names, run)
    if note:
        warn(note)
    return order


def after(trained: Trained, epoch: int) -> str:
    """Return which run it is, after how many epochs, and with which weights if it has two kinds."""
    return f"{trained.path} after {count(epoch)}" + (f", {trained.weights} weights" if trained.weights else "")


def about(trained: Trained, epoch: int) -> str:
    """Return which run answers, after how many epochs, trained on what."""
    on = trained.meta.get("data")
    return after(trained, epoch) + (f", trained on {on}" if on else "")


def pictures(
    paths: Iterable[str], record: DataRecord, image: tuple[int, int, int]
) -> Iterator[tuple[str, Prepared | InputError]]:
    """Yield each picture of files and folders by its name, prepared as in training, or why it cannot be.

    Pictures are read in grey where the training images were, also if these had the greys in several channels.
    """
    like = (*image[:2], 1) if record.kind and record.style.prepared else image
    for path in (each for given in paths for each in _files(given)):
        try:
            found = read_levels(path, like)
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
    """Return a path, or the image files in a folder and the folders in it; raises `InputError` if there are none."""
    if not os.path.isdir(path):
        return [path]
    found, others = _image_files(Path(path), set())
    shown = ", ".join(others[:3]) + ", ..." * (len(others) > 3)
    if not found:
        there = f"but {shown}: give such files themselves" if others else "at all: expected pictures in it"
        raise InputError(f"the folder {path} has no files of pictures {there}")
    if others:
        verb = "is" if len(others) == 1 else "are"
        warn(f"{count(len(others), 'file')} of {path} {verb} not of a kind that is read: {shown}")
    return found


def _image_files(folder: Path, seen: set[str]) -> tuple[list[str], list[str]]:
    """Return the image files in a folder and the folders in it, and the names of its other files.

    A folder is read once, since links may lead back to it: the ones read are in `seen`, by their real paths.
    """
    real = os.path.realpath(folder)
    if real in seen:
        return [], []
    seen.add(real)
    here = files_in(folder)
    found = [str(file) for file in here]
    others = [each.name for each in entries(folder) if not each.is_dir() and each not in here]
    for each in (entry for entry in entries(folder) if entry.is_dir()):
        inner = _image_files(each, seen)
        found += inner[0]
        others += inner[1]
    return found, others


def logits(network: Network, images: np.ndarray, report: Callable[[str, float], None] | None = None) -> np.ndarray:
    """Return a network's scores of images; `report`, or a bar on a terminal, shows the progress of compilation."""
    images = np.ascontiguousarray(images)
    with Waiting(report is None) as waiting:
        show_compiling(compile_inference(network, images), report or waiting.report)
    return network.logits(images)


def show_compiling(events: Iterable[Event], report: Callable[[str, float], None]) -> None:
    """Compile, and report the progress; where no bar is drawn, a line says what takes so long."""
    notice = CompilationNotice(None if sys.stderr is None or sys.stderr.isatty() else sys.stderr)
    reached: float | None = None  # the estimate of what is left may grow, a bar does not go back
    for event in events:
        notice.handle(event)
        if isinstance(event, Compiling):
            reached = 0.0 if reached is None else max(reached, event.share)
            report("loading kernels" if event.cached else "compiling kernels", reached)
        elif isinstance(event, Warned):
            warn(event.message)


def load_trained(
    source: str, runs_dir: Path, kind: str | None, weights: str | None = None
) -> tuple[Network, Trained, int]:
    """Return a trained network, what `open_trained` found, and the epochs it was trained for; prints warnings."""
    trained = open_trained(source, runs_dir, kind, weights)
    for notice in trained.notices:
        warn(notice)
    return trained.network, trained, trained.position.epoch


def load_named(args: argparse.Namespace) -> tuple[Network, Trained, int]:
    """Return what `load_trained` does for the run, the checkpoint and the weights that a command line names."""
    return load_trained(args.run_name, args.runs_dir, options.kind_of(args), args.weights)


def require_classifier(trained: Trained, command: str) -> None:
    """Raise `InputError` if a network predicts a number."""
    if trained.settings.target:
        raise InputError(
            f"{trained.path} is a regression of {trained.settings.target!r}: expected a run that classifies images, "
            f"which `jitnet {command}` needs"
        )
