"""Describe a run: its first event, the surroundings in meta.json, and the network in its checkpoints."""

import os
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np

from jitnet.config import Settings
from jitnet.data import Dataset
from jitnet.data.record import DataRecord
from jitnet.errors import InputError
from jitnet.events import EpochDone, RunStarted
from jitnet.machine import threads
from jitnet.model import architecture
from jitnet.model.network import Network
from jitnet.recipes.named import DOCUMENTS, MODERN, recipe_for, values_of
from jitnet.storage.metadata import Description
from jitnet.training.glimpses import SAMPLE, thumbnail
from jitnet.training.loop import Training

ARRAYS = "arrays"  # the source of what is given in Python


def describe(
    training: Training,
    source: str,
    title: str,
    history: tuple[EpochDone, ...] = (),
    record: DataRecord | None = None,
) -> RunStarted:
    """Return the first event of a run: what is trained, on what from which source, how."""
    network, settings, position, data = training.network, training.settings, training.position, training.data
    count, layer = threads.in_use()
    images, targets = data.test
    shown = images[: SAMPLE if targets.ndim == 1 else 0]  # numbers are not pictures
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
    initial = f"init {settings.init}, seed {settings.seed}"
    more = [
        f", augmented ({settings.augment})" if settings.augment else "",
        f", dropout {settings.dropout:g}" if settings.dropout else "",
        f", labels smoothed by {settings.label_smoothing:g}" if settings.label_smoothing else "",
        f", weights averaged (decay {settings.ema:g})" if settings.ema else "",
        ", simple kernels" if network.kernels == "simple" else "",
    ]
    scaled = " (scaled for the batch)" if _is_scaled(settings) else ""
    warm_up = f" after a warm-up of {settings.warm_up} steps" if settings.warm_up else ""
    rate = f"lr {settings.lr:g}{scaled}, schedule {settings.schedule}{warm_up}"
    return RunStarted(
        title=title,
        run=training.run_name,
        architecture=architecture.to_text(network.layers),
        parameters=int(network.params.size),
        macs=architecture.forward_macs(network.shapes),
        step_macs=architecture.step_macs(network.shapes),
        data=data.name,
        source=source,
        train_images=len(training.data.train[0]),
        val_images=len(training.data.val[0]),
        test_images=len(training.data.test[0]),
        recipe=f"{_recipe(settings, source)}: {updates}, {rate}, {order}, {initial}{''.join(more)}",
        epochs=training.epochs,
        batch_size=training.batch_size,
        steps_per_epoch=training.steps_per_epoch,
        threads=count,
        layer=layer,
        epoch=position.epoch,
        step_in_epoch=position.step_in_epoch,
        history=history,
        extents=tuple("x".join(map(str, extents)) for extents in _extents(network)),
        classes=network.classes,
        sample=tuple(thumbnail(image) for image in shown),
        sample_labels=tuple(map(int, targets[: len(shown)])),
        class_names=record.class_names if record else (),
        data_facts=tuple(record.facts()) if record else (),
    )


def _recipe(settings: Settings, source: str) -> str:
    """Return the name of the recipe, and why it was chosen."""
    if source == ARRAYS:
        return settings.recipe + (", default in Python" if settings.recipe == MODERN else "")
    if settings.recipe != recipe_for(settings.data) or settings.recipe not in (DOCUMENTS, MODERN):
        return settings.recipe
    return f"{settings.recipe}, default for " + ("MNIST" if settings.recipe == DOCUMENTS else "other data than MNIST")


def _is_scaled(settings: Settings) -> bool:
    return settings.lr == settings.recipe_rate != values_of(settings.recipe, settings.network)["lr"]


def description(settings: Settings, meta: dict[str, Any]) -> Description:
    """Return what settings and meta.json say about a run's network; raises `InputError` if meta.json is damaged.

    The first runs do not state image and classes: they are empty then.
    """
    try:
        image = tuple(int(extent) for extent in meta.get("image", ()))
        classes = int(meta.get("classes", 0))
    except (TypeError, ValueError):
        raise InputError("meta.json is damaged: expected three whole numbers as image, and one as classes") from None
    record = DataRecord.from_dict(meta.get("record"))
    return Description(
        settings=settings,
        image=image,
        labels=record.labels if len(record.labels) == classes else np.arange(classes),
        title=meta["title"],
        data=meta["data"],
        data_sha256=str(meta.get("data_sha256", "")),
        record=record,
    )


def _extents(network: Network) -> list[tuple[int, ...]]:
    return [network.image, *(shape.outputs for shape in network.shapes)]


def meta(network: Network, data: Dataset, seed: int) -> dict[str, Any]:
    """Return what meta.json records of a run's surroundings."""
    import llvmlite
    import numba

    from jitnet import __version__

    count, layer = threads.in_use()
    modules = {"numpy": np, "numba": numba, "llvmlite": llvmlite}
    return {
        "schema": 1,
        "argv": ["jitnet", *sys.argv[1:]],
        "versions": {"jitnet": __version__, "python": platform.python_version()}
        | {name: module.__version__ for name, module in modules.items()},
        "cpu": processor(),
        "threads": count,
        "layer": layer,
        "data": data.name,
        "data_source": data.source,
        "data_sha256": data.sha256,
        "record": data.record.as_dict(),
        "cwd": os.getcwd(),
        "image": list(network.image),
        "classes": network.classes,
        "seed": seed,
        "parent": None,
    }


def processor() -> str:
    """Return the name of this processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
