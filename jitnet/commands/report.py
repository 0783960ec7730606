"""`jitnet report`: runs as one page to read, print and send."""

import argparse
import dataclasses
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from jitnet import __version__
from jitnet.commands.play import PAGE
from jitnet.commands.support import options, trained_run
from jitnet.commands.support.damaged import readable, warn_of_logs
from jitnet.commands.support.page_file import write_page
from jitnet.commands.support.progress_bar import Waiting
from jitnet.data import Dataset
from jitnet.data.split import with_channels
from jitnet.errors import InputError
from jitnet.history import Run
from jitnet.history.sweep_record import expand, find_sweep, read_sweep
from jitnet.model.scores import probabilities
from jitnet.printing import warn
from jitnet.report import page, sweep_page
from jitnet.report.film import film_page, frames_of
from jitnet.report.measure import measure
from jitnet.report.regression import residuals
from jitnet.report.subject import Subject
from jitnet.run.names import require_own
from jitnet.training.glimpses import FILM


def run(args: argparse.Namespace) -> int:
    """Measure each run on its test images, write the page and return the exit code."""
    sweep = find_sweep(args.run_names[0], args.runs_dir) if len(args.run_names) == 1 else None
    if sweep is not None:
        for option, is_given in (("--film", args.film), ("--best", args.best)):
            if is_given:
                raise InputError(f"{option} is given with a sweep, whose page shows no network: omit it, or name runs")
        found = read_sweep(sweep)
        for sentence in found.damaged:
            warn(sentence)
        write_page(args.out or sweep / "report.html", sweep_page(found, _made()), args.open)
        return 0
    every = expand(args.run_names, args.runs_dir)
    runs = readable(every)
    if args.film:
        return _film(args, runs)
    damaged = [run.damage for run in every if run.damage]
    out = args.out or _place(runs[0], args.runs_dir)
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise InputError(f"--out is {out}: expected a file in a folder that is there")
    known: dict[tuple[Any, ...], Dataset] = {}  # data sets by content, name and target, each loaded once
    subjects = []
    with Waiting() as waiting:
        for place, each in enumerate(runs):
            waiting.report("measuring", place / len(runs))
            try:
                subjects.append(_subject(each, args, known, waiting.report))
            except InputError as error:  # no valid checkpoint, or one of another network
                if len(every) == 1:
                    raise
                warn(error)
                damaged.append(str(error))
    if not subjects:
        raise InputError(damaged[0])
    if len(subjects) == 1 and (out.parent / PAGE).is_file() and out.parent.resolve() == runs[0].path.resolve():
        subjects = [dataclasses.replace(subjects[0], play=PAGE)]
    text = page(subjects, _made(), damaged)
    warn_of_logs(runs)
    write_page(out, text, args.open)
    return 0


def _made() -> str:
    return f"Made by jitnet {__version__} on {datetime.now():%Y-%m-%d %H:%M}."


def _film(args: argparse.Namespace, runs: list[Run]) -> int:
    """Write the film of a run and return the exit code."""
    if len(runs) != 1:
        raise InputError(f"--film is given with {len(runs)} runs: expected one")
    frames_of(runs[0])  # before the data are loaded
    network, trained, _ = trained_run.load_trained(str(runs[0].path), args.runs_dir, options.kind_of(args))
    data, images = trained_run.load_test(network, trained, None, args.offline)
    names = trained_run.record_of(trained).name_of
    text = film_page(runs[0], images[:FILM], data.y_test[:FILM], names, _made())
    warn_of_logs(runs)
    write_page(args.out or _place(runs[0], args.runs_dir, "film"), text, args.open)
    return 0


def _place(run: Run, runs_dir: Path, page: str = "report") -> Path:
    """Return where the page of a run belongs: in its folder, or here if that comes with jitnet."""
    try:
        require_own(run.path, runs_dir)
    except InputError:
        return Path(f"{page}-{run.name}.html")
    return run.path / f"{page}.html"


def _subject(
    each: Run, args: argparse.Namespace, known: dict[tuple[Any, ...], Dataset], report: Callable[..., None]
) -> Subject:
    """Return a run with its network's parameters and, if its data is here, its measurements on the test data."""
    network, folder, _ = trained_run.load_trained(str(each.path), args.runs_dir, options.kind_of(args))
    settings = folder.settings
    key = each.meta.get("data_sha256"), each.meta.get("data"), settings.target
    measured: Any = None
    missing, images = "", np.zeros((0, *network.image), np.uint8)
    try:
        data = known[key] if key in known else trained_run.load_data_of(folder, args.offline)
        if trained_run.has_changed(data, folder):
            raise InputError(
                f"the run's data ({each.meta['data']}) is not here: {data.source} has the content hash "
                f"{data.sha256[:12]}, the run's {str(each.meta.get('data_sha256'))[:12]}"
            )
        known[key] = data
        inputs = with_channels(data.x_test)
        outputs = trained_run.logits(network, inputs, report)
        if settings.target:
            mean = data.facts.means[-1] if data.facts.means else 0.0
            measured = residuals(data.name, settings.target, outputs, data.y_test, data.unit, mean)
        else:
            names = trained_run.record_of(folder).class_names
            measured, images = measure(data.name, probabilities(outputs), data.y_test, names=names), inputs
    except InputError as error:
        missing = str(error)
        warn(f"{each.name} is reported without measurements: {error}")
    return Subject(each, network.shapes, network.tensors(), measured, images, missing)
