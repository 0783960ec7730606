"""`jitnet report`: runs as one page to read, print and hand on."""

import argparse
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from jitnet.commands.support import options
from jitnet.printing import say, warn


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

    from jitnet.commands.support.damaged import readable, warn_of_logs
    from jitnet.commands.support.progress_bar import Waiting
    from jitnet.errors import InputError
    from jitnet.history.sweep_record import expand, find_sweep, read_sweep
    from jitnet.report import page, sweep_page

    sweep = find_sweep(args.run_names[0], args.runs_dir) if len(args.run_names) == 1 else None
    if sweep is not None:
        found = read_sweep(sweep)
        for sentence in found.damaged:
            warn(sentence)
        return _write(args.out or sweep / "report.html", sweep_page(found, _made()))
    every = expand(args.run_names, args.runs_dir)
    runs = readable(every)
    damaged = [run.damage for run in every if run.damage]
    out = args.out or runs[0].path / "report.html"
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise InputError(f"--out is {out}: expected a file in a folder that is there")
    known: dict[str, Any] = {}  # data sets, each loaded once
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
    text = page(subjects, _made(), damaged)
    warn_of_logs(runs)
    return _write(out, text)


def _made() -> str:
    from jitnet import __version__

    return f"Made by jitnet {__version__} on {datetime.now():%Y-%m-%d %H:%M}."


def _write(out: Path, text: str) -> int:
    from jitnet.errors import InputError
    from jitnet.storage.atomic import replace_file

    try:
        replace_file(out, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}; choose another --out") from None
    say(f"written: {out} ({len(text) / 1e6:.1f} MB)")
    return 0


def _subject(each: Any, args: argparse.Namespace, known: dict[str, Any], report: Callable[..., None]) -> Any:
    """Return a run with its network's parameters and, if its data is here, what they do on the test images."""
    from jitnet.commands.support import trained_run
    from jitnet.data.split import with_channels
    from jitnet.errors import InputError
    from jitnet.model.network import probabilities
    from jitnet.report.measure import measure
    from jitnet.report.section import Subject

    network, folder, _ = trained_run.load_trained(str(each.path), args.runs_dir, "best" if args.best else None)
    spec = folder.settings.data
    measured, missing, images = None, "", None
    try:
        if spec not in known:
            known[spec] = trained_run.load_data(spec, args.offline, warn)
        data = known[spec]
        if data.sha256 != each.meta.get("data_sha256"):
            raise InputError(f"the run's data ({each.meta['data']}) is not here, {data.name} is")
        images = with_channels(data.x_test)
        measured = measure(data.name, probabilities(trained_run.logits(network, images, report)), data.y_test)
    except InputError as error:
        missing = str(error)
        warn(f"{each.name} is reported without measurements: {error}")
        images = None
    if images is None:
        import numpy as np

        images = np.zeros((0, *network.image), np.uint8)
    return Subject(each, network.shapes, network.tensors(), measured, images, missing)
