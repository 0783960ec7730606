"""What a run says of itself: its first event, and the surroundings that meta.json records."""

import platform
import sys
from pathlib import Path
from typing import Any

from jitnet import architecture, threads
from jitnet.data import Dataset
from jitnet.events import EpochDone, RunStarted
from jitnet.network import Network
from jitnet.training import Training


def describe(training: Training, data: Dataset, title: str, history: tuple[EpochDone, ...] = ()) -> RunStarted:
    """Return the first event of a run: what is trained, on what, how."""
    network, settings, position = training.network, training.settings, training.position
    count, layer = threads.in_use()
    optimizer = settings.optimizer.upper() if settings.optimizer == "sgd" else settings.optimizer
    if settings.weight_decay:
        optimizer += f" with weight decay {settings.weight_decay:g}"
    size = training.batch_size
    updates = f"per-sample {optimizer}" if size == 1 else f"{optimizer} in batches of {size}"
    if settings.reduction == "sum" and size > 1:
        updates += " (gradients summed)"
    if settings.loss != "cross-entropy":
        updates += f", loss {settings.loss}"
    order = "shuffled" if settings.shuffle else "file order"
    rate = f"lr {settings.lr:g}, schedule {settings.schedule}"
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
        recipe=f"{updates}, {rate}, {order}, init {settings.init}, seed {settings.seed}",
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
        "argv": ["jitnet", *sys.argv[1:]],
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
