"""One training from its first event to its exit code: the loop's events go to the run folder and to the view."""

import platform
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from jitnet import architecture, threads
from jitnet.config import Settings
from jitnet.data import Dataset, load
from jitnet.errors import InputError
from jitnet.events import Diverged, EpochDone, Event, Interrupted, RunFinished, RunStarted, Warned
from jitnet.network import Network
from jitnet.runfolder import RunFolder
from jitnet.training import Position, Training, with_channels
from jitnet.views import View

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stop:
    """Catches the first signal, to be looked at between compiled calls; a second one leaves at once.

    What the parent had ignored, as nohup does with SIGHUP, stays ignored.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __enter__(self) -> "Stop":
        heard = [number for number in _SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
        self._before = {number: signal.signal(number, self._catch) for number in heard}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            raise SystemExit(128 + number)
        self.signal = signal.Signals(number)


def describe(training: Training, data: Dataset, title: str, history: tuple[EpochDone, ...] = ()) -> RunStarted:
    """Return the first event of a run: what is trained, on what, how."""
    network, settings, position = training.network, training.settings, training.position
    count, layer = threads.in_use()
    batch = "per-sample" if training.batch_size == 1 else f"batches of {training.batch_size}"
    order = "shuffled" if settings.shuffle else "file order"
    rate = f"lr {settings.lr:g} ({settings.schedule})"
    return RunStarted(
        title=title,
        run=training.run_name,
        architecture=architecture.to_text(network.layers),
        parameters=int(network.params.size),
        macs=architecture.forward_macs(network.shapes),
        step_macs=architecture.step_macs(network.shapes),
        data=data.name,
        source=data.source,
        train_images=len(training.data.train[0]),
        val_images=len(training.data.val[0]),
        test_images=len(training.data.test[0]),
        recipe=f"{batch} {settings.optimizer.upper()}, {rate}, {order}, init {settings.init}, seed {settings.seed}",
        epochs=training.epochs,
        batch_size=training.batch_size,
        steps_per_epoch=training.steps_per_epoch,
        threads=count,
        layer=layer,
        epoch=position.epoch,
        step_in_epoch=position.step_in_epoch,
        history=history,
    )


def meta(network: Network, data: Dataset, seed: int) -> dict[str, Any]:
    """Return what meta.json records of a run's surroundings."""
    import llvmlite
    import numba
    import numpy

    from jitnet import __version__

    count, layer = threads.in_use()
    modules = {"numpy": numpy, "numba": numba, "llvmlite": llvmlite}
    return {
        "schema": 1,
        "argv": sys.argv,
        "versions": {"jitnet": __version__, "python": platform.python_version()}
        | {name: module.__version__ for name, module in modules.items()},
        "cpu": _cpu(),
        "threads": count,
        "layer": layer,
        "data": data.name,
        "data_source": data.source,
        "data_sha256": data.sha256,
        "image": list(network.image),
        "classes": network.classes,
        "seed": seed,
        "parent": None,
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def follow(
    training: Training, started: RunStarted, folder: RunFolder, view: View, notices: list[str], resume: str
) -> int:
    """Train to the end, or to a signal, and return the exit code. `resume` is the command that would go on."""
    with Stop() as stop, view:
        for message in notices:
            _tell(Warned(message=message), folder, view)
        code = 0
        for event in _until(stop, training, started, resume):
            _tell(event, folder, view)
            if isinstance(event, Diverged):
                code = 3
            elif isinstance(event, Interrupted):
                code = 128 + signal.Signals[event.signal].value
        folder.note_drawing(view.drawing_s)
        return code or (1 if folder.save_failed or view.broken else 0)


def _tell(event: Event, folder: RunFolder, view: View) -> None:
    caused = folder.handle(event)
    closes = isinstance(event, Interrupted | RunFinished)  # these are the last lines, behind the checkpoint's
    for item in [*caused, event] if closes else [event, *caused]:
        view.handle(item)


def _until(stop: Stop, training: Training, started: RunStarted, resume: str) -> Iterator[Event]:
    """Yield the training's events up to the first signal, then say where it stopped, if anything is left to do."""
    yield started
    position = training.position
    for event in training.run():
        yield event
        if stop.signal is not None and not isinstance(event, Diverged) and position.epoch < training.epochs:
            yield Interrupted(signal=stop.signal.name, epoch=position.epoch, step=position.step, resume=resume)
            return


def warn(message: str) -> None:
    """Say something to the user of a command without a view."""
    print(f"warning: {message}", file=sys.stderr)


def load_data(spec: str, offline: bool, tell: Callable[[str], None]) -> Dataset:
    """Load a data set; raises `InputError`."""
    return load(spec, offline=offline, warn=tell)


def prepare(settings: Settings, offline: bool, tell: Callable[[str], None]) -> tuple[Network, Dataset]:
    """Return the settings' network, without parameters yet, and their data; raises `InputError`."""
    hidden = architecture.parse(settings.architecture)  # before the data: a typing error should not wait for it
    data = load_data(settings.data, offline, tell)
    height, width, channels = with_channels(data.x_train).shape[1:]
    layers = (*hidden, architecture.Dense(data.classes))
    return Network(layers, (height, width, channels), settings.bias), data


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
    network = Network(layers, (height, width, channels), folder.settings.bias)
    network.load_tensors(tensors, str(path))
    return network, folder, Position.from_tensors(tensors, str(path)).epoch


def resume_command(path: Path) -> str:
    """Return the command that goes on with a run."""
    return shlex.join(["jitnet", "resume", str(path)])
