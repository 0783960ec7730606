"""`jitnet report`: runs as one page to read, print and send."""

import argparse
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from jitnet.commands.support import options


def add_parser(subparsers: Any) -> None:
    """Add `report` to the command line."""
    parser = options.add_command(
        subparsers,
        "report",
        "jitnet report latest --out report.html  a page about the newest run",
    )
    parser.add_argument("run_names", metavar="RUN", nargs="+", help="a run or a sweep, its name, or `latest`")
    parser.add_argument("--out", metavar="FILE", type=Path, help="the page (default: report.html in the first RUN)")
    parser.add_argument("--best", action="store_true", help="the best epoch by validation instead of the last")
    parser.add_argument("--threads", metavar="N", type=int, help="threads of the kernels")
    parser.add_argument("--offline", action="store_true", help="never open a connection")
    options.add_runs_dir(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure each run on its test images, write the page and return the exit code."""
    from jitnet.machine import threads

    threads.configure(args.threads)

    from jitnet.commands.support.progress_bar import Waiting
    from jitnet.errors import InputError
    from jitnet.history.sweep_record import expand, find_sweep, read_sweep
    from jitnet.report import page, sweep_page

    sweep = find_sweep(args.run_names[0], args.runs_dir) if len(args.run_names) == 1 else None
    if sweep is not None:
        return _write(args.out or sweep / "report.html", sweep_page(read_sweep(sweep), _made()))
    runs = expand(args.run_names, args.runs_dir)
    out = args.out or runs[0].path / "report.html"
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise InputError(f"--out is {out}: expected a file in a folder that is there")
    known: dict[tuple[str, str], Any] = {}  # data sets by name and target, each loaded once
    subjects = []
    with Waiting() as waiting:
        for place, each in enumerate(runs):
            waiting.report("measuring", place / len(runs))
            subjects.append(_subject(each, args, known, waiting.report))
    return _write(out, page(subjects, _made()))


def _made() -> str:
    from jitnet import __version__

    return f"Made by jitnet {__version__} on {datetime.now():%Y-%m-%d %H:%M}."


def _write(out: Path, text: str) -> int:
    from jitnet.errors import InputError
    from jitnet.storage.atomic import replace_file

    try:
        replace_file(out, text.encode())
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}; choose another --out") from None
    size = len(text.encode()) / 1000
    print(f"written: {out} ({f'{size / 1000:.1f} MB' if size >= 1000 else f'{size:.0f} kB'})")
    return 0


def _subject(
    each: Any, args: argparse.Namespace, known: dict[tuple[Any, ...], Any], report: Callable[..., None]
) -> Any:
    """Return a run with its network's parameters and, if its data is here, its measurements on the test data."""
    import numpy as np

    from jitnet.commands.support import trained_run
    from jitnet.data.split import with_channels
    from jitnet.errors import InputError
    from jitnet.model.network import probabilities
    from jitnet.report.measure import measure
    from jitnet.report.regression import residuals
    from jitnet.report.subject import Subject

    network, folder, _ = trained_run.load_trained(str(each.path), args.runs_dir, "best" if args.best else None)
    settings = folder.settings
    started_in = str(folder.meta.get("cwd", ""))
    key = settings.data, settings.target, settings.label, settings.skip_damaged, started_in
    measured: Any = None
    missing, images = "", np.zeros((0, *network.image), np.uint8)
    try:
        if key not in known:
            known[key] = trained_run.load_data(settings, args.offline, started_in=started_in)
        data = known[key]
        if data.sha256 != each.meta.get("data_sha256"):
            raise InputError(f"the run's data ({each.meta['data']}) is not here, {data.name} is")
        inputs = with_channels(data.x_test)
        outputs = trained_run.logits(network, inputs, report)
        if settings.target:
            measured = residuals(data.name, settings.target, outputs, data.y_test, data.unit)
        else:
            names = trained_run.record_of(folder).class_names
            measured, images = measure(data.name, probabilities(outputs), data.y_test, names=names), inputs
    except InputError as error:
        missing = str(error)
        trained_run.warn(f"{each.name} is reported without measurements: {error}")
    return Subject(each, network.shapes, network.tensors(), measured, images, missing)
