"""How a training begins: in a new run folder, or where an old one stopped. `train`, `resume` and trials share it."""

import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from jitnet.config import Settings
from jitnet.data import Dataset, load
from jitnet.data.content import Report, silent
from jitnet.data.readers import regression
from jitnet.data.split import split, with_channels
from jitnet.errors import InputError
from jitnet.events import Diverged, Event, Interrupted, RunFinished, RunStarted, Tensors
from jitnet.model import architecture
from jitnet.model.network import Network
from jitnet.run import RunFolder, describe
from jitnet.training.loop import Position, Training


def load_data(
    settings: Settings,
    offline: bool,
    tell: Callable[[str], None],
    report: Report = silent,
    started_in: str = "",
    whole: bool = False,
) -> Dataset:
    """Load the data that settings name, of a table of numbers with a column to approximate; raises `InputError`.

    A relative path is looked for in the folder `started_in` where a run was started, then here. `whole` as in
    `jitnet.data.load`.
    """
    spec = settings.data
    there = os.path.join(started_in, spec)
    if started_in and not os.path.isabs(spec) and not spec.startswith("~") and os.path.exists(there):
        spec = os.path.relpath(there) if os.path.exists(spec) and os.path.samefile(there, spec) else there
    try:
        if settings.target:
            return regression.load(spec, settings.target, tell)
        chosen = {"label": settings.label, "skip_damaged": settings.skip_damaged, "whole": whole}
        return load(spec, offline=offline, warn=tell, report=report, **chosen)
    except InputError as error:
        if started_in and not os.path.exists(spec) and not os.path.samefile(started_in, os.curdir):
            raise InputError(f"{error} (the run was started in {started_in})") from None
        raise


def network_for(settings: Settings, data: Dataset) -> Network:
    """Return the settings' network for such data, without parameters yet; raises `InputError` if it does not fit."""
    height, width, channels = with_channels(data.x_train).shape[1:]
    layers = (*architecture.parse(settings.architecture), architecture.Dense(data.classes))
    return Network(layers, (height, width, channels), settings.bias, loss=settings.loss)


def prepare(
    settings: Settings, offline: bool, tell: Callable[[str], None], report: Report = silent, started_in: str = ""
) -> tuple[Network, Dataset]:
    """Return the settings' network, without parameters yet, and their data; raises `InputError`.

    `report` receives what takes a while; `started_in` as in `load_data`.
    """
    if any("\ud800" <= c <= "\udfff" for c in settings.data):
        shown = settings.data.encode("utf-8", "backslashreplace").decode()
        raise InputError(f"--data is {shown!r}: expected a name in UTF-8, which a run can keep; rename it")
    architecture.parse(settings.architecture)  # before the data: a typing error should not wait for it
    data = load_data(settings, offline, tell, report, started_in)
    return network_for(settings, data), data


def anew(
    network: Network, data: Dataset, settings: Settings, runs_dir: Path, name: str | None, peak_threads: int = 0
) -> tuple[Training, RunStarted, RunFolder]:
    """Draw the network's parameters and make a run folder, locked; raises `InputError` as `RunFolder.create`."""
    network.initialise(settings.init, settings.seed)
    training = Training(network, settings, split(data, settings), peak_threads=peak_threads)
    title = f"{settings.network}-synthetic" if data.synthetic else settings.network
    folder = RunFolder.create(
        runs_dir,
        title,
        name=name,
        settings=settings,
        meta=describe.meta(network, data, settings.seed),
        tensors=training.tensors(),
    )
    training.run_name = str(folder.path)
    return training, describe.describe(training, data.source, settings.network, record=data.record), folder


def standing(folder: RunFolder) -> tuple[Position, Tensors, Path, list[str]]:
    """Return where a run stands: position, arrays, the checkpoint's path, and a sentence for each one skipped."""
    tensors, metadata, path, notices = folder.load_newest()
    position = Position.from_tensors(tensors, str(path))
    position.elapsed_s, position.train_s = float(metadata["elapsed_s"]), float(metadata["train_s"])
    return position, tensors, path, notices


def require_same(data: Dataset, folder: RunFolder) -> None:
    """Raise `InputError` if a run was trained on other data than these."""
    if data.sha256 != folder.meta.get("data_sha256"):
        raise InputError(
            f"{folder.path} was trained on other data ({folder.meta.get('data')}) than what is here now "
            f"({data.name} from {data.source}): give back the same data, for instance with JITNET_DATA"
        )


def again(
    network: Network,
    data: Dataset,
    settings: Settings,
    folder: RunFolder,
    position: Position,
    epochs: int,
    peak_threads: int = 0,
) -> tuple[Training, RunStarted]:
    """Go on in a locked run folder, with a network that has the checkpoint's parameters; cuts its logs back."""
    if settings.replace(until=epochs) != folder.settings:
        folder.change_settings(settings.replace(until=epochs))
    training = Training(network, settings, split(data, settings), position, epochs, str(folder.path), peak_threads)
    history = folder.rewind(position.epoch, position.step)
    training.rows = list(history)
    return training, describe.describe(training, data.source, settings.network, history, data.record)


def close(folder: RunFolder, position: Position) -> None:
    """Write down that a run is done that was killed behind its last checkpoint, before it could."""
    if folder.meta["status"] != "done":
        rows = folder.rewind(position.epoch, position.step)
        test, val = (rows[-1].test_accuracy, rows[-1].val_accuracy) if rows else (None, None)
        folder.handle(
            RunFinished(
                test_accuracy=test,
                val_accuracy=val,
                elapsed_s=position.elapsed_s,
                data=folder.meta["data"],
                run=str(folder.path),
            )
        )


def until(asked: Callable[[Event], str], training: Training, started: RunStarted) -> Iterator[Event]:
    """Yield the training's events up to the first after which `asked` names a reason to stop, if anything is left.

    Then say where it stopped and by which command it goes on.
    """
    yield started
    position = training.position
    for event in training.run():
        yield event
        reason = asked(event)
        if reason and not isinstance(event, Diverged | RunFinished) and position.epoch < training.epochs:
            resume = shlex.join(["jitnet", "resume", started.run])
            yield Interrupted(signal=reason, epoch=position.epoch, step=position.step, resume=resume)
            return
