"""The unit of work: one trial in one process, from its settings to its figures. What a worker is asked to call.

Nothing here imports numba before the number of threads is set.
"""

import functools
import os
import socket
from pathlib import Path
from typing import Any

from jitnet.config import Settings
from jitnet.errors import InputError
from jitnet.history.sweep_record import RECORD
from jitnet.machine import threads
from jitnet.trials.board import DIVERGED, DONE, FAILED, PAUSED, STOPPED, WAITING
from jitnet.trials.folder import STOP


def look(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """Load the data, build every network once, compile the kernels they need; train nothing.

    Returns the data's name, its hash, and warnings. Raises `InputError` for whatever no trial could start with.
    """
    _settle(tasks[0])
    from jitnet.data.split import split
    from jitnet.events import Warned
    from jitnet.model.network import PART
    from jitnet.run import start
    from jitnet.training.compilation import compile_kernels
    from jitnet.training.loop import Training

    first = Settings(**tasks[0]["settings"])
    data, warned = _data(*_source(first), tasks[0]["offline"])
    notices = list(warned)
    compiled = set()
    for settings in {Settings(**task["settings"]).replace(seed=0, lr=1.0) for task in tasks}:
        training = Training(start.network_for(settings, data), settings, split(data, settings))
        network = training.network
        form = (min(training.batch_size, 2), training.batch_size > PART, training.optimizer.is_plain)
        if form not in compiled:
            compiled.add(form)
            for event in compile_kernels(network, training.batch_size, *training.data.train, training.optimizer):
                if _is_stopped(tasks[0]):
                    break
                if isinstance(event, Warned) and event.message not in notices:
                    notices.append(event.message)
    return {"data": data.name, "data_sha256": data.sha256, "notices": notices}


def hash_of_data(task: dict[str, Any]) -> str:
    """Return the content hash of the data that a trial would be trained on now. Raises `InputError`."""
    _settle(task)
    return str(_data(*_source(Settings(**task["settings"])), task["offline"])[0].sha256)


def run_trial(task: dict[str, Any]) -> dict[str, Any]:
    """Train one trial, or go on with it, up to `task["epochs"]`; return what became of it.

    It writes an ordinary run folder. A mistake or a loss that is not finite is a result too, not an exception.
    """
    _settle(task)
    place = {"name": task["name"], "host": socket.gethostname()}
    try:
        return place | _train(task)
    except InputError as error:
        return place | {"status": FAILED, "message": str(error)}
    except MemoryError as error:
        return place | {"status": FAILED, "message": f"there is not enough memory ({error})"}


def _settle(task: dict[str, Any]) -> None:
    """Fix the threads of this process, as far as that is not done, and see that the sweep's folder is here."""
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


@functools.lru_cache(maxsize=1)
def _data(spec: str, target: str, label: str, skip_damaged: bool, offline: bool) -> tuple[Any, list[str]]:
    """Return data, verified as they are loaded, and warnings; they stay in memory for the next trial."""
    from jitnet.run import start

    warned: list[str] = []
    settings = Settings(data=spec, target=target, label=label, skip_damaged=skip_damaged)
    return start.load_data(settings, offline, warned.append), warned


def _source(settings: Settings) -> tuple[str, str, str, bool]:
    return settings.data, settings.target, settings.label, settings.skip_damaged


def _train(task: dict[str, Any]) -> dict[str, Any]:
    from jitnet.run import RunFolder, start

    sweep, settings, limit = Path(task["folder"]), Settings(**task["settings"]), task["epochs"]
    path = sweep / task["name"]
    if _is_stopped(task):
        return {"status": STOPPED if path.exists() else WAITING}
    data, _ = _data(*_source(settings), task["offline"])
    if data.sha256 != task["data_sha256"]:
        raise InputError(
            f"the data {data.name} from {data.source} on {socket.gethostname()} are not those of the other trials: "
            f"expected the content hash {task['data_sha256'][:12]}, give it the same data, for instance by JITNET_DATA"
        )
    network = start.network_for(settings, data)
    if not path.exists():
        training, started, folder = start.anew(network, data, settings, sweep, task["name"])
        with folder:
            folder.meta |= {"argv": task["argv"], "sweep": sweep.name}
            return _follow(task, training, started, folder, [])
    with RunFolder.open(task["name"], sweep, lock=True) as folder:
        killed = folder.meta["status"] == "running"  # nobody was there to say that it stopped
        position, tensors, where, told = start.standing(folder)
        start.require_same(data, folder)
        network.load_tensors(tensors, str(where))
        if position.epoch >= limit or folder.meta["status"] == DONE:
            if position.epoch >= folder.settings.until:
                start.close(folder, position)
            rows = folder.rewind(position.epoch, position.step)
            return _result(folder, rows, network, position, limit)
        training, started = start.again(network, data, folder.settings, folder, position, folder.settings.until)
        told += ["its worker was killed, another went on from its checkpoint"] if killed else []
        return _follow(task, training, started, folder, told)


def _follow(task: dict[str, Any], training: Any, started: Any, folder: Any, told: list[str]) -> dict[str, Any]:
    """Train until the limit, the end, or a request to stop; `told` is what the user should know already."""
    from jitnet.events import Diverged, EpochDone, Event, Warned
    from jitnet.run import start

    def asked(event: Event) -> str:
        if isinstance(event, EpochDone) and training.position.epoch >= task["epochs"]:
            return "halving"
        return "SIGINT" if _is_stopped(task) else ""

    rows, diverged = list(started.history), ""
    for event in start.until(asked, training, started):
        caused = folder.handle(event)
        told += [each.message for each in (event, *caused) if isinstance(each, Warned)]
        if isinstance(event, EpochDone):
            rows.append(event)
        elif isinstance(event, Diverged):
            diverged = event.message
    if diverged:
        return {"status": DIVERGED, "message": diverged} | _place(rows, training.position)
    found = _result(folder, rows, training.network, training.position, task["epochs"])
    if folder.save_failed:
        found["status"] = FAILED
    return found | {"message": "; ".join([found["message"], *dict.fromkeys(told)]).strip("; ")}


def _result(folder: Any, rows: Any, network: Any, position: Any, limit: int) -> dict[str, Any]:
    from jitnet.storage.checkpoint import content_hash

    statuses = {"done": DONE, "diverged": DIVERGED}
    status = statuses.get(folder.meta["status"], STOPPED)
    if status == STOPPED and position.epoch >= limit:
        status = PAUSED
    return {
        "status": status,
        "message": folder.meta.get("stop_reason", ""),
        "weights": content_hash(network.tensors()),
    } | _place(rows, position)


def _place(rows: Any, position: Any) -> dict[str, Any]:
    """Return how far a trial is and the figures of its newest epoch."""
    from jitnet.history.statistics import FIGURES

    last = rows[-1] if rows else None
    return {
        "epoch": position.epoch,
        "seconds": round(last.elapsed_s if last else position.elapsed_s, 3),
        **{name: getattr(last, name, None) for name in FIGURES},
    }
