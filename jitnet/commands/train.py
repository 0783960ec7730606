"""`jitnet train`: build a network, make a run folder, train."""

import argparse
from pathlib import Path

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers
from jitnet.commands.support.progress_bar import Waiting
from jitnet.commands.support.settings import add_settings, settings_of
from jitnet.errors import InputError


def add_parser(subparsers: Subparsers) -> None:
    """Add `train` to the command line."""
    parser = options.add_command(
        subparsers,
        "train",
        "jitnet train cnn  the documents' CNN, one image at a time",
        "jitnet train cnn --batch-size 64 --optimizer adam --val 5000 --patience 3  mini-batches, early stopping",
        'jitnet train cnn --arch "conv8 pool dense50:tanh" --data fashion  another network, on other data',
        add_help=False,
    )
    add_settings(parser)
    output = options.add_process(parser)
    options.add_name(output)
    options.add_runs_dir(output)
    output.add_argument("--plot", action="store_true", help="after training, plot the loss of each batch over time")
    output.add_argument("--save", metavar="FILE", type=Path, help="write that plot as .svg or .png, with matplotlib")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train and return the exit code."""
    from jitnet.commands.support import session  # here, so that --help does not wait for numpy
    from jitnet.display import open_view
    from jitnet.history.figure import require_figure
    from jitnet.run import start

    settings = settings_of(args)
    if args.plot and args.ui == "json":
        raise InputError("--plot is given with --ui json, whose lines are for programs: omit one of them")
    if args.save is not None:
        require_figure(args.save)  # not after an hour of training
    logs = session.open_logs(args.log)
    notices: list[str] = []
    with Waiting(args.ui != "quiet") as waiting:
        data = start.load_data(settings, args.offline, notices.append, waiting.report)
    with start.start(settings, data, args.runs_dir, args.name, measure_peak=True) as started:
        code = session.follow(started, open_view(args.ui), notices, logs)
    if code == 0 and (args.plot or args.save):
        session.plot_losses(started.folder.path, args.plot, args.save)
    return code
