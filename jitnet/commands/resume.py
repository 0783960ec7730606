"""`jitnet resume`: go on with a run, from the newest checkpoint that is whole."""

import argparse
from typing import Any

from jitnet.commands.support import options
from jitnet.config import CHOICES
from jitnet.errors import InputError


def add_parser(subparsers: Any) -> None:
    """Add `resume` to the command line."""
    parser = subparsers.add_parser("resume", help="go on with a stopped or killed run, or extend a finished one")
    options.add_run(parser)
    parser.add_argument(
        "--epochs", type=int, metavar="N", help="train up to N epochs in all; beyond the plan at its last learning rate"
    )
    parser.add_argument(
        "--schedule", choices=CHOICES["schedule"], help="plan the learning rate of the remaining epochs anew"
    )
    options.add_process(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Resume and return the exit code."""
    from jitnet.machine import threads

    threads.configure(args.threads)  # before anything imports numba

    from jitnet.commands.support import session
    from jitnet.commands.support.progress_bar import Waiting
    from jitnet.display import open_view
    from jitnet.run import RunFolder, describe, start

    with RunFolder.open(args.run_name, args.runs_dir, lock=True) as folder:
        position, tensors, path, notices = start.standing(folder)
        settings = folder.settings
        epochs = _epochs(args, position, settings.until)
        if args.schedule:
            settings = settings.replace(schedule=args.schedule, epochs=epochs)
        if args.epochs is not None:  # more is asked for: what stopped it, or would at once, is lifted
            settings = settings.replace(target_accuracy=0.0, patience=0, max_minutes=0.0)
        if folder.meta["status"] == "done" and folder.meta.get("stop_reason") and args.epochs is None:
            if args.ui not in ("json", "quiet"):
                reason = folder.meta["stop_reason"]
                print(f"{folder.path} is finished after {position.epoch} of {epochs} epochs: {reason}")
                print(f"--epochs {max(epochs, position.epoch + 1)} would go on")
            return 0
        if position.epoch >= epochs:
            start.close(folder, position)
            if args.ui not in ("json", "quiet"):
                print(f"{folder.path} is finished: {position.epoch} epochs are done; --epochs N would extend it")
            return 0
        with Waiting(args.ui != "quiet") as waiting:
            started_in = str(folder.meta.get("cwd", ""))
            network, data = start.prepare(settings, args.offline, notices.append, waiting.report, started_in)
        start.require_same(data, folder)
        network.load_tensors(tensors, str(path))
        peak = describe.peak_threads(settings)
        training, started = start.again(network, data, settings, folder, position, epochs, peak)
        return session.follow(training, started, folder, open_view(args.ui), notices)


def _epochs(args: argparse.Namespace, position: Any, planned: int) -> int:
    if args.epochs is None:
        return planned
    if args.epochs < max(planned, position.epoch):
        raise InputError(
            f"--epochs is {args.epochs}: expected at least the {max(planned, position.epoch)} that {args.run_name} has "
            "planned or done"
        )
    return args.epochs
