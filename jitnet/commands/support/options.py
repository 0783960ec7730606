"""Options that several commands have."""

import argparse
from pathlib import Path
from typing import Any

from jitnet.commands import COMMANDS
from jitnet.config import WEIGHTS

TRACKERS = ("tensorboard", "mlflow", "wandb")  # modules of jitnet.integrations

Subparsers = Any  # argparse's own name of it is private


def add_command(subparsers: Subparsers, name: str, *examples: str, **more: Any) -> argparse.ArgumentParser:
    """Add a command, with examples at the end of its help: a command line, two spaces, its effect."""
    _, help = COMMANDS[name]
    pairs = [(line, what.strip()) for line, _, what in (each.partition("  ") for each in examples)]
    width = max(len(line) for line, _ in pairs)
    if any(width + 4 + len(what) > 100 for _, what in pairs):
        lines = [f"  {line}\n      {what}" for line, what in pairs]
    else:
        lines = [f"  {line:{width}}  {what}" for line, what in pairs]
    more = {"description": f"{help[0].upper()}{help[1:]}."} | more
    return subparsers.add_parser(
        name,
        help=help,
        epilog="\n".join(["examples:" if len(lines) > 1 else "example:", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        **more,
    )


def add_runs_dir(parser: Any) -> None:
    """Add the folder of the runs."""
    parser.add_argument(
        "--runs-dir", metavar="DIR", type=Path, default=Path("runs"), help="folder of the run folders (default: runs)"
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the run that a command reads."""
    parser.add_argument("run_name", metavar="RUN", help="a run folder, its name, or `latest`")
    add_runs_dir(parser)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the run, checkpoint or saved model that a command reads, and which checkpoint of a run."""
    parser.add_argument(
        "run_name",
        metavar="RUN",
        help="a run folder, its name, `latest`, a checkpoint (.safetensors) or a model that save() wrote",
    )
    add_best(parser)
    add_runs_dir(parser)


def add_name(parser: Any) -> None:
    """Add the name of a new run."""
    parser.add_argument("--name", help="name of the run folder (default: time, network and four hex digits)")


def add_best(parser: Any) -> None:
    """Add the choice of a run's best checkpoint, to a parser or a group."""
    parser.add_argument("--best", action="store_true", help="use the best epoch by validation instead of the last one")


def add_weights(parser: Any) -> None:
    """Add the choice between the averaged weights of a run and its raw ones."""
    parser.add_argument(
        "--weights",
        choices=WEIGHTS,
        help="of a run with --ema or --label-smoothing: those that predict (default), or the raw ones",
    )


def add_other_data(parser: argparse.ArgumentParser) -> None:
    """Add other data than the run's, and whether they may be downloaded."""
    parser.add_argument("--data", metavar="SET", help="use other data (default: those of the run)")
    add_offline(parser)


def add_offline(parser: argparse.ArgumentParser) -> None:
    """Add whether a connection may be opened."""
    parser.add_argument("--offline", action="store_true", help="never open a connection")


_THREADS = "threads of the kernels (default: the usable cores; training uses fewer while that is faster)"


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add the number of threads. The command line fixes it before the command runs, since numba reads it only once."""
    parser.add_argument("--threads", metavar="N", type=int, help=_THREADS)


def add_process(parser: argparse.ArgumentParser) -> Any:
    """Add what concerns this process and changes no result: threads, network access, view. Returns the last group."""
    add_threads(parser)
    add_offline(parser)
    output = parser.add_argument_group("output")
    output.add_argument(
        "--ui",
        choices=("auto", "live", "plain", "json", "quiet"),
        default="auto",
        help="live dashboard, plain lines, JSON lines or nothing (default: live on a terminal, else plain)",
    )
    return output


def add_logs(parser: Any) -> None:
    """Add the programs that take the figures of this process too."""
    parser.add_argument(
        "--log",
        choices=TRACKERS,
        action="append",
        default=[],
        help="send the figures to a program that tracks runs too; may be given several times",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the choice of an answer for programs."""
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text; see docs/json.md")


def kind_of(args: argparse.Namespace) -> str | None:
    """Return the kind of checkpoint that is requested; None for the newest."""
    return "best" if args.best else None
