"""`jitnet ensemble`: several runs' networks asked together, by the mean of their probabilities."""

import argparse
from typing import Any

from jitnet.commands.support import options
from jitnet.errors import InputError


def add_parser(subparsers: Any) -> None:
    """Add `ensemble` to the command line."""
    parser = subparsers.add_parser("ensemble", help="average the probabilities of runs, and compare with each of them")
    parser.add_argument("run_names", metavar="RUN", nargs="+", help="runs or sweeps, by name or path")
    parser.add_argument("--best", action="store_true", help="each one's best epoch by validation instead of the last")
    parser.add_argument("--data", metavar="SET", help="measure on other data (default: the first run's own)")
    parser.add_argument("--threads", metavar="N", type=int, help="threads of the kernels")
    parser.add_argument("--offline", action="store_true", help="never open a connection")
    options.add_runs_dir(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure the members and their mean on the test images, and return the exit code."""
    from jitnet.history.sweep_record import expand
    from jitnet.machine import threads

    runs = {each.path.resolve(): each for each in expand(args.run_names, args.runs_dir, done=True)}
    if len(runs) < 2:
        raise InputError(f"{len(runs)} run{'s are' * (not runs)} given: expected two or more that are done, or a sweep")
    threads.configure(args.threads)

    import numpy as np

    from jitnet.commands.support import listing, trained_run
    from jitnet.commands.support.progress_bar import Waiting
    from jitnet.history.compare import Table
    from jitnet.model.network import probabilities, score

    kind = "best" if args.best else None
    members, scores = [], []
    first, folder, _ = trained_run.load_trained(str(next(iter(runs))), args.runs_dir, kind)
    data, _ = trained_run.load_test(first, folder, args.data, args.offline)
    total: Any = 0.0
    regression = data.y_test.ndim == 2
    with Waiting() as waiting:
        for place, (path, each) in enumerate(runs.items()):
            waiting.report("measuring", place / len(runs))
            network, folder, epoch = trained_run.load_trained(str(path), args.runs_dir, kind)
            logits = trained_run.logits(network, _fitting(data, first, network, folder), waiting.report)
            total = total + (logits.astype(np.float64) if regression else probabilities(logits))
            scores.append(score(logits, data.y_test, network.loss))
            members.append((each.name, str(epoch), *_figures(scores[-1], data.unit)))
    mean = total / len(members)
    together = score(mean if regression else np.log(np.maximum(mean, 1e-300)), data.y_test, first.loss)
    average = tuple(None if None in column else sum(column) / len(column) for column in zip(*scores))
    best = min(scores, key=lambda each: each[0] if each[1] is None else -each[1])
    rows = (
        *members,
        ("mean of the members", "", *_figures(average, data.unit)),
        ("best member", "", *_figures(best, data.unit)),
        (f"ensemble of {len(members)}", "", *_figures(together, data.unit)),
    )
    mark = trained_run.mark(data, folder)
    title = f"{len(data.y_test):,} test {'rows' if regression else 'images'} of {data.name}{mark}"
    listing.print_tables([Table(title, ("", "epochs", "loss", "RMSE" if regression else "accuracy %"), rows)])
    return 0


def _fitting(data: Any, first: Any, network: Any, folder: Any) -> Any:
    """Return the test images; raises `InputError` for a member that answers another question than the first."""
    from jitnet.data.split import with_channels

    if (network.image, network.classes, network.loss) != (first.image, first.classes, first.loss):
        raise InputError(
            f"{folder.path} was trained for images of {network.image} in {network.classes} classes by {network.loss}: "
            f"expected {first.image} in {first.classes} by {first.loss}, as the first run, to average their answers"
        )
    return with_channels(data.x_test)


def _figures(found: Any, unit: float) -> tuple[str, str]:
    loss, accuracy = found[0] * unit, found[1]
    return f"{loss:.6f}", f"{loss**0.5:.6g}" if accuracy is None else f"{accuracy:.2f}"
