"""`jitnet play`: a run as a page on which one draws, watches and trains."""

import argparse
import dataclasses
import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from jitnet import __version__
from jitnet.commands.support import options, trained_run
from jitnet.commands.support.page_file import write_page
from jitnet.data import Dataset
from jitnet.data.pictures.style import presumed
from jitnet.data.split import with_channels
from jitnet.display.format import count
from jitnet.errors import InputError
from jitnet.model import architecture
from jitnet.model.network import Network
from jitnet.play import Snapshot, Subject, page
from jitnet.play.subject import MEASURED_ON, TRAINED_ON, spread
from jitnet.printing import warn
from jitnet.run.names import REFERENCE
from jitnet.run.trained import Trained, open_trained
from jitnet.storage.metadata import metadata

PAGE = "play.html"  # its name in a run folder, where `jitnet report` finds it
_BUILT_IN = "built-in synthetic digits"


def run(args: argparse.Namespace) -> int:
    """Write the page, open it unless --out names a file, and return the exit code."""
    if args.out and (args.out.is_dir() or not args.out.absolute().parent.is_dir()):
        raise InputError(f"--out is {args.out}: expected a file in a folder that is there")
    network, trained, epoch = trained_run.load_trained(args.run_name or REFERENCE, args.runs_dir, options.kind_of(args))
    text = page(_subject(args, network, trained, epoch), _made())
    out = args.out or _place(trained)
    write_page(out, text, shown=not args.out)
    return 0


def _made() -> str:
    return f"Made by jitnet {__version__} on {datetime.now():%Y-%m-%d %H:%M}."


def _place(trained: Trained) -> Path:
    """Return where a page goes that is only to be opened: into the run's own folder, or else a temporary one."""
    if trained.path.is_dir() and os.access(trained.path, os.W_OK) and trained.path.name != REFERENCE:
        return trained.path / PAGE
    return Path(tempfile.mkdtemp(prefix="jitnet-")) / PAGE


def _subject(args: argparse.Namespace, network: Network, trained: Trained, epoch: int) -> Subject:
    settings = trained.settings
    record = trained_run.regression_record(trained) if settings.target else trained_run.record_of(trained)
    data, source = _data(args, network, trained)
    facts = [
        ("network", architecture.to_text(network.layers)),
        ("parameters", f"{network.params.size:,}"),
        ("trained", f"{count(epoch)} of {trained.meta.get('data') or 'data that it does not name'}"),
    ]
    history = trained.history()
    if history and getattr(history[-1], "test_accuracy", None) is not None:
        facts.append(("right on its test images", f"{history[-1].test_accuracy:.2f} %"))
    style = record.style if record.kind else presumed(*network.image[:2])
    description = dataclasses.replace(trained.description, history=())
    images: dict[str, Any] = {}
    if data is not None:
        train, test = spread(TRAINED_ON, len(data.x_train)), spread(MEASURED_ON, len(data.x_test))
        images = {
            "train": np.ascontiguousarray(with_channels(data.x_train)[train]),
            "train_targets": data.y_train[train],
            "test": np.ascontiguousarray(with_channels(data.x_test)[test]),
            "test_targets": data.y_test[test],
        }
    return Subject(
        title=trained.path.name,
        facts=facts,
        network=network,
        metadata=metadata(description),
        style=dataclasses.asdict(style),
        class_names=record.class_names,
        digits=record.is_of_digits,
        target=settings.target,
        columns=record.columns,
        means=record.means,
        deviations=record.deviations,
        data=source,
        snapshots=_snapshots(trained, epoch),
        label=f"after {count(epoch)}",
        epoch=epoch,
        **images,
    )


def _data(args: argparse.Namespace, network: Network, trained: Trained) -> tuple[Dataset | None, str]:
    """Return the data of the run and a name for them; the built-in digits if they are not here but fit.

    The labels are numbers of the run's classes.
    """
    record = trained_run.record_of(trained)
    try:
        data, _ = trained_run.load_test(network, trained, args.data, offline=True)
        if not trained.settings.target:
            targets = trained_run.matched(dataclasses.replace(data, y_test=data.y_train), record, str(trained.path))
            data = dataclasses.replace(data, y_train=targets)
    except InputError as error:
        if args.data is not None:
            raise
        if network.image != (28, 28, 1) or network.classes != 10 or not record.is_of_digits:
            warn(f"the page has no images to train on: {error}")
            return None, ""
        wanted = trained.settings.replace(data="synthetic")
        return trained_run.load_data(wanted, offline=True), _BUILT_IN
    return data, _BUILT_IN if data.synthetic else f"{'rows' if trained.settings.target else 'images'} of {data.name}"


def _snapshots(trained: Trained, epoch: int) -> tuple[Snapshot, ...]:
    """Return the run's other checkpoints, of other epochs, the older first."""
    if not trained.path.is_dir():
        return ()
    found = {}
    for kind in ("previous", "best", "last"):
        try:
            other = open_trained(str(trained.path), trained.path.parent, kind)
        except InputError:
            continue
        if other.position.epoch != epoch:
            at = other.position.epoch
            found[at] = Snapshot(f"after {count(at)}", at, other.network.tensors())
    return tuple(found[each] for each in sorted(found))
