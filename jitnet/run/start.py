"""Start a run in a new folder, or resume one: `start` and `resume`, which commands, trials and imports call."""

import dataclasses
import json
import os
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from jitnet.config import Settings
from jitnet.data import Dataset, load
from jitnet.data.content import Report, silent
from jitnet.data.dataset import SYNTHETIC
from jitnet.data.readers import regression
from jitnet.data.record import CLASS_FOLDERS
from jitnet.data.split import split, with_channels
from jitnet.errors import InputError
from jitnet.events import Diverged, EpochDone, Event, Interrupted, RunFinished, RunStarted, Tensors
from jitnet.machine import threads
from jitnet.model import architecture
from jitnet.model.build import network_of
from jitnet.model.network import Network
from jitnet.printing import brief
from jitnet.run import describe
from jitnet.run.folder import RunFolder
from jitnet.run.schema import checkpoint_figures
from jitnet.storage.checkpoint import Metadata
from jitnet.training.loop import Training
from jitnet.training.position import Position

# The settings that may be others in the rest of a run: how long it is, and where its data is, which has a hash.
_MAY_CHANGE = {
    "until", "epochs", "schedule", "target_accuracy", "patience", "max_minutes", "data", "label", "skip_damaged",
}  # fmt: skip
_INITIAL = {"architecture", "bias", "init", "seed"}


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is ready to train; `with` releases the lock of its folder."""

    training: Training
    started: RunStarted  # its first event
    folder: RunFolder

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.folder.__exit__(kind, error, traceback)


@dataclass(frozen=True, slots=True)
class State:
    """The newest valid checkpoint of a run."""

    position: Position
    tensors: Tensors
    path: Path
    notices: list[str]  # a sentence for each newer checkpoint that is damaged


def load_data(
    settings: Settings,
    offline: bool,
    warn: Callable[[str], None],
    report: Report = silent,
    started_in: str = "",
    whole: bool = False,
) -> Dataset:
    """Load the data that settings name; raises `InputError`. `report` gets the progress of what takes a while.

    A relative path is looked for in the folder `started_in` where a run was started, then here. `whole` as in
    `jitnet.data.load`.
    """
    architecture.parse(settings.architecture)  # before the data: an error in it should not wait for a download
    spec = settings.data
    there = os.path.join(started_in, spec)
    if started_in and not os.path.isabs(spec) and not spec.startswith("~") and os.path.exists(there):
        spec = spec if os.path.exists(spec) and os.path.samefile(there, spec) else there
    try:
        if settings.target:
            return regression.load(spec, settings.target, warn)
        chosen: dict[str, Any] = {"label": settings.label, "skip_damaged": settings.skip_damaged, "whole": whole}
        return load(spec, offline=offline, warn=warn, report=report, **chosen)
    except InputError as error:
        if started_in and os.path.realpath(started_in) != os.path.realpath(os.curdir) and not os.path.exists(spec):
            raise InputError(f"{error} (the run was started in {started_in})") from None
        raise


def load_data_of(
    settings: Settings, meta: dict[str, Any], offline: bool, warn: Callable[[str], None], report: Report = silent
) -> Dataset:
    """Load the data of a run again, from its settings and meta.json; raises as `load_data`.

    A relative path is that of the folder where the run was started, and what stood in for MNIST still does.
    """
    stood_in = settings.data == "auto" and meta.get("data") == SYNTHETIC
    wanted = settings.replace(data=SYNTHETIC) if stood_in else settings
    return load_data(wanted, offline, warn, report, str(meta.get("cwd", "")))


def network_for(settings: Settings, data: Dataset) -> Network:
    """Return the settings' network for such data, its parameters all 0; raises `InputError` if it does not fit."""
    return network_of(settings, with_channels(data.x_train).shape[1:], data.classes)


def start(
    settings: Settings,
    data: Dataset,
    runs_dir: Path,
    name: str | None = None,
    *,
    network: Network | None = None,
    title: str = "",
    measure_peak: bool = False,
    **meta: Any,
) -> Run:
    """Make a new run with its folder, locked, and its state before the first step.

    Parameters
    ----------
    settings : the run's
    data : loaded with these settings
    runs_dir : where its folder is made
    name : of the folder; default: after the time and the title
    network : with parameters to start from; default: initial ones
    title : default: the settings' network
    measure_peak : whether the speed of the machine is measured before the first step
    meta : what meta.json records besides the surroundings

    Raises
    ------
    InputError : the network does not fit the data or the memory; and as `RunFolder.create`
    """
    if network is None:
        network = network_for(settings, data)
        network.initialise(settings.init, settings.seed)
    parts = split(data, settings)
    record = data.record
    anywhere = record.image if record.kind == CLASS_FOLDERS and not record.style.prepared else ()
    settings = settings.for_images(len(parts.train[0]), anywhere)
    training = Training(network, settings, parts, peak_threads=_peak_threads(settings, measure_peak))
    folder = RunFolder.create(
        runs_dir,
        (title or settings.network) + ("-synthetic" if data.synthetic else ""),
        name=name,
        settings=settings,
        meta=describe.meta(network, data, settings.seed) | meta,
        tensors=training.tensors(),
    )
    training.run_name = str(folder.path)
    return Run(training, describe.describe(training, data.source, settings.network, record=data.record), folder)


def load_state(folder: RunFolder) -> State:
    """Read the newest valid checkpoint of a run; raises `InputError` if there is none, or it had other settings."""
    tensors, metadata, path, notices = folder.load_newest()
    position = Position.from_tensors(tensors, str(path))
    _require_same(folder, metadata, begun=position.step > 0)
    figures = checkpoint_figures(metadata)
    position.elapsed_s, position.train_s = figures.get("elapsed_s", 0.0), figures.get("train_s", 0.0)
    return State(position, tensors, path, notices)


def _require_same(folder: RunFolder, metadata: Metadata, begun: bool) -> None:
    """Raise `InputError` if config.toml has other settings than a checkpoint, but for those that a resume may change.

    The rest of the run would be trained with the new ones, and its pages would state them for all of it. A run that has
    not `begun`, or diverged at once, may get any but those of its initial weights.
    """
    try:
        trained = json.loads(metadata.get("settings", "{}"))
        changed = {
            name: value
            for name, value in dataclasses.asdict(folder.settings).items()
            if name in trained and trained[name] != value and (name not in _MAY_CHANGE if begun else name in _INITIAL)
        }
    except (ValueError, TypeError, RecursionError):  # of another program
        return
    if changed:
        new = ", ".join(f"{name} = {brief(value)}" for name, value in changed.items())
        old = ", ".join(f"{name} = {brief(trained[name])}" for name in changed)
        raise InputError(
            f"{folder.path / 'config.toml'} gives {new}, and {folder.path} was trained with {old}: restore the file, "
            "or train a new run with --config"
        )


def resume(
    folder: RunFolder, state: State, data: Dataset, settings: Settings | None = None, *, measure_peak: bool = False
) -> Run:
    """Continue a run in its locked folder from a state; its logs are cut back to that position.

    `settings` replace those of the run, if given. Raises `InputError` if the run was trained on other data.
    """
    settings = settings or folder.settings
    if data.sha256 != folder.meta.get("data_sha256"):
        raise InputError(
            f"{folder.path} was trained on other data ({folder.meta.get('data')}) than what is here now "
            f"({data.name} from {data.source}): provide the same data, for instance with JITNET_DATA"
        )
    network = network_for(settings, data)
    network.load_tensors(state.tensors, str(state.path))
    if settings != folder.settings:
        folder.change_settings(settings)
    peak_threads = _peak_threads(settings, measure_peak)
    training = Training(network, settings, split(data, settings), state.position, str(folder.path), peak_threads)
    history = folder.rewind(state.position.epoch, state.position.step)
    training.rows = list(history)
    started = describe.describe(training, data.source, settings.network, history, data.record)
    return Run(training, started, folder)


def finish(folder: RunFolder, position: Position) -> tuple[EpochDone, ...]:
    """Return the epochs of a run that is done, and record that it is, if it was killed before it could."""
    rows = folder.rewind(position.epoch, position.step)
    if folder.meta["status"] != "done":
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
    return rows


def train(run: Run, stop_signal: Callable[[Event], str]) -> Iterator[Event]:
    """Yield the events of a run up to the first for which `stop_signal` returns a signal's name, if any work is left.

    The last event then states where it stopped, and the command that continues it.
    """
    training = run.training
    position = training.position
    yield run.started
    for event in training.run():
        yield event
        signal = stop_signal(event)
        if signal and not isinstance(event, Diverged | RunFinished) and position.epoch < training.epochs:
            command = shlex.join(["jitnet", "resume", run.started.run])
            yield Interrupted(signal=signal, epoch=position.epoch, step=position.step, resume=command)
            return


def _peak_threads(settings: Settings, measured: bool) -> int:
    """Return the threads that training uses, whose peak is measured: at most two for one image per step."""
    return threads.useful(settings.batch_size) if measured else 0
