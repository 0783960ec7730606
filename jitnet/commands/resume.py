"""`jitnet resume`: go on with a run, from the newest checkpoint that is whole."""

import argparse
from typing import Any

from jitnet.commands import options
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
    from jitnet import threads

    threads.configure(args.threads)  # before anything imports numba

    from jitnet import description
    from jitnet.commands import loading, session
    from jitnet.runfolder import RunFolder
    from jitnet.splitting import split
    from jitnet.training import Position, Training
    from jitnet.views import open_view

    with RunFolder.open(args.run_name, args.runs_dir, lock=True) as folder:
        tensors, metadata, path, notices = folder.load_newest()
        position = Position.from_tensors(tensors, str(path))
        position.elapsed_s, position.train_s = float(metadata["elapsed_s"]), float(metadata["train_s"])
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
            _close(folder, position)
            if args.ui not in ("json", "quiet"):
                print(f"{folder.path} is finished: {position.epoch} epochs are done; --epochs N would extend it")
            return 0
        network, data = loading.prepare(settings, args.offline, notices.append, args.ui == "quiet")
        if data.sha256 != folder.meta.get("data_sha256"):
            raise InputError(
                f"{folder.path} was trained on other data ({folder.meta.get('data')}) than what is here now "
                f"({data.name} from {data.source}): give back the same data, for instance with JITNET_DATA"
            )
        network.load_tensors(tensors, str(path))
        if settings.replace(until=epochs) != folder.settings:
            folder.change_settings(settings.replace(until=epochs))
        training = Training(network, settings, split(data, settings), position, epochs, str(folder.path))
        history = folder.rewind(position.epoch, position.step)
        training.rows = list(history)
        training.peak_threads = description.peak_threads(settings)
        started = description.describe(training, data.source, settings.network, history)
        return session.follow(
            training, started, folder, open_view(args.ui), notices, session.resume_command(folder.path)
        )


def _close(folder: Any, position: Any) -> None:
    """Write down that a run is done that was killed behind its last checkpoint, before it could."""
    from jitnet.events import RunFinished

    if folder.meta["status"] != "done":
        rows = folder.rewind(position.epoch, position.step)
        test, val = (rows[-1].test_accuracy, rows[-1].val_accuracy) if rows else (None, None)
        folder.handle(
            RunFinished(
                test_accuracy=test,
                val_accuracy=val,
                elapsed_s=position.elapsed_s,
                data=folder.meta["data"],
                run=str(folder.path),
            )
        )


def _epochs(args: argparse.Namespace, position: Any, planned: int) -> int:
    if args.epochs is None:
        return planned
    if args.epochs < max(planned, position.epoch):
        raise InputError(
            f"--epochs is {args.epochs}: expected at least the {max(planned, position.epoch)} that {args.run_name} has "
            "planned or done"
        )
    return args.epochs
