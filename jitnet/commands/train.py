"""`jitnet train`: build a network, make a run folder, train."""

import argparse

from jitnet.commands.support import session
from jitnet.commands.support.progress_bar import Waiting
from jitnet.commands.support.settings import settings_of
from jitnet.display import open_view
from jitnet.errors import InputError
from jitnet.history.figure import require_figure
from jitnet.run import start


def run(args: argparse.Namespace) -> int:
    """Train and return the exit code."""
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
