"""The unit of work: one trial in one process, from its settings to its figures. Workers call it.

Nothing here imports numba before the number of threads is set.
"""

import contextlib
import functools
import json
import os
import socket
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jitnet.config import Settings
from jitnet.data import Dataset
from jitnet.data.split import split
from jitnet.errors import InputError
from jitnet.events import Advised, Compiling, Diverged, EpochDone, Event, Warned
from jitnet.history.board import DIVERGED, DONE, FAILED, PAUSED, STOPPED, WAITING
from jitnet.history.statistics import FIGURES
from jitnet.history.sweep_record import RECORD
from jitnet.machine import threads
from jitnet.model.network import Network
from jitnet.run import RunFolder, start
from jitnet.run.start import Run
from jitnet.storage.atomic import replace_file
from jitnet.storage.checkpoint import content_hash
from jitnet.training.coach import NOTHING
from jitnet.training.loop import Training
from jitnet.training.position import Position
from jitnet.trials.folder import COMPILING, STOP


def prepare(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """Load the data, build every network once, compile the kernels they need; train nothing.

    Returns the data's name, its hash, and warnings. Raises `InputError` for an error with which no trial could start.
    """
    _check_process(tasks[0])
    data, warned = _data(Settings(**tasks[0]["settings"]), tasks[0]["offline"])
    notices = list(warned)
    for settings in {Settings(**task["settings"]).replace(seed=0, lr=1.0) for task in tasks}:
        for event in Training(start.network_for(settings, data), settings, split(data, settings)).compile():
            if _is_stopped(tasks[0]):
                break
            if isinstance(event, Compiling) and not event.cached:
                _report(event, Path(tasks[0]["folder"]) / COMPILING)
            if isinstance(event, Warned) and event.message not in notices:
                notices.append(event.message)
    return {"data": data.name, "data_sha256": data.sha256, "notices": notices}


def _report(event: Compiling, path: Path) -> None:
    """Leave an event where the driver looks for it, unless the disk does not take it."""
    with contextlib.suppress(OSError):
        replace_file(path, json.dumps(asdict(event)).encode())


def hash_of_data(task: dict[str, Any]) -> str:
    """Return the content hash of the data that a trial would be trained on now. Raises `InputError`."""
    _check_process(task)
    return _data(Settings(**task["settings"]), task["offline"])[0].sha256


def run_trial(task: dict[str, Any]) -> dict[str, Any]:
    """Train one trial, or continue it, up to `task["epochs"]`; return its result.

    It writes an ordinary run folder. An input error or a loss that is not finite is a result too, not an exception.
    """
    _check_process(task)
    place = {"name": task["name"], "host": socket.gethostname()}
    try:
        return place | _train(task)
    except InputError as error:
        return place | {"status": FAILED, "message": str(error)}
    except MemoryError as error:
        return place | {"status": FAILED, "message": f"there is not enough memory ({error})"}


def _check_process(task: dict[str, Any]) -> None:
    """Fix the threads of this process, unless that is done, and check that the sweep's folder is here."""
    threads.configure(task["threads"])
    record = Path(task["folder"]) / RECORD
    try:
        same = task["token"] in record.read_text(encoding="utf-8")
    except OSError:
        same = False
    if not same:
        raise InputError(
            f"{task['folder']} on {socket.gethostname()} is not the sweep's folder: expected a --runs-dir on a disk "
            "that all machines share, at the same path"
        )


def _is_stopped(task: dict[str, Any]) -> bool:
    return os.path.exists(os.path.join(task["folder"], STOP))


def _data(settings: Settings, offline: bool) -> tuple[Dataset, list[str]]:
    """Return data, verified as they are loaded, and warnings; they stay in memory for the next trial."""
    names = ("data", "target", "label", "skip_damaged")
    return _load(Settings(**{name: getattr(settings, name) for name in names}), offline)


@functools.lru_cache(maxsize=1)
def _load(settings: Settings, offline: bool) -> tuple[Dataset, list[str]]:
    warned: list[str] = []
    return start.load_data(settings, offline, warned.append), warned


def _train(task: dict[str, Any]) -> dict[str, Any]:
    sweep, settings, limit = Path(task["folder"]), Settings(**task["settings"]), task["epochs"]
    path = sweep / task["name"]
    if _is_stopped(task):
        return {"status": STOPPED if path.exists() else WAITING}
    data, _ = _data(settings, task["offline"])
    if data.sha256 != task["data_sha256"]:
        raise InputError(
            f"the data {data.name} from {data.source} on {socket.gethostname()} are not those of the other trials: "
            f"expected the content hash {task['data_sha256'][:12]}, give it the same data, for instance by JITNET_DATA"
        )
    if not path.exists():
        with start.start(settings, data, sweep, task["name"], argv=task["argv"], sweep=sweep.name) as run:
            return _follow(task, run, [])
    with RunFolder.open(task["name"], sweep, lock=True) as folder:
        killed = folder.meta["status"] == "running"  # its process ended before it could record that
        state = start.load_state(folder)
        position = state.position
        if position.epoch >= limit or folder.meta["status"] == DONE:
            done = position.epoch >= folder.settings.until
            rows = start.finish(folder, position) if done else folder.rewind(position.epoch, position.step)
            network = start.network_for(folder.settings, data)
            network.load_tensors(state.tensors, str(state.path))
            return _result(folder, list(rows), network, position, limit)
        notices = state.notices + ["its worker was killed, another continued from its checkpoint"] * killed
        return _follow(task, start.resume(folder, state, data), notices)


def _follow(task: dict[str, Any], run: Run, notices: list[str]) -> dict[str, Any]:
    """Train until the limit, the end, or a request to stop; `notices` is what the user should know already."""
    training, folder = run.training, run.folder

    def stop_signal(event: Event) -> str:
        if isinstance(event, EpochDone) and training.position.epoch >= task["epochs"]:
            return "halving"
        return "SIGINT" if _is_stopped(task) else ""

    rows, diverged = list(run.started.history), ""
    for event in start.train(run, stop_signal):
        caused = folder.handle(event)
        notices += [each.message for each in (event, *caused) if isinstance(each, Warned)]
        if isinstance(event, Advised) and event.kind == NOTHING:
            notices.append(event.message)
        if isinstance(event, EpochDone):
            rows.append(event)
        elif isinstance(event, Diverged):
            diverged = event.message
    if diverged:
        return {"status": DIVERGED, "message": diverged} | _place(rows, training.position)
    found = _result(folder, rows, training.network, training.position, task["epochs"])
    if folder.save_failed:
        found["status"] = FAILED
    return found | {"message": "; ".join([found["message"], *dict.fromkeys(notices)]).strip("; ")}


def _result(
    folder: RunFolder, rows: list[EpochDone], network: Network, position: Position, limit: int
) -> dict[str, Any]:
    statuses = {"done": DONE, "diverged": DIVERGED}
    status = statuses.get(folder.meta["status"], STOPPED)
    if status == STOPPED and position.epoch >= limit:
        status = PAUSED
    return {
        "status": status,
        "message": folder.meta.get("stop_reason", ""),
        "weights": content_hash(network.tensors()),
    } | _place(rows, position)


def _place(rows: list[EpochDone], position: Position) -> dict[str, Any]:
    """Return the progress of a trial and the figures of its newest epoch."""
    last = rows[-1] if rows else None
    return {
        "epoch": position.epoch,
        "seconds": round(last.elapsed_s if last else position.elapsed_s, 3),
        **{name: getattr(last, name, None) for name in FIGURES},
    }
