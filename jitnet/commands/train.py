"""`jitnet train`: build a network, make a run folder, train."""

import argparse
import dataclasses
import re
from pathlib import Path
from typing import Any

from jitnet.commands.support import options
from jitnet.config import CHOICES, PRESETS, Settings
from jitnet.errors import InputError
from jitnet.model import architecture
from jitnet.model.architecture import ACTIVATIONS


def add_parser(subparsers: Any) -> None:
    """Add `train` to the command line."""
    parser = subparsers.add_parser("train", help="train a network and keep the run in its own folder")
    add_settings(parser)
    parser.add_argument("--plot", action="store_true", help="at the end plot the loss over time, per batch")
    parser.add_argument("--save", metavar="FILE", type=Path, help="that plot as .svg or .png, drawn by matplotlib")
    parser.add_argument("--name", help="name of the run folder (default: time, network and four hex digits)")
    options.add_runs_dir(parser)
    options.add_process(parser)
    parser.set_defaults(run=run)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options of which `settings_of` makes a run's settings."""
    default = Settings()
    parser.add_argument(
        "network", nargs="?", metavar="NETWORK", help=f"{' or '.join(PRESETS)} (not needed with --config)"
    )
    # An option that is not given stays out of the namespace: the settings' own defaults, or --config's, hold.
    given = parser.add_argument_group("what is trained", argument_default=argparse.SUPPRESS)
    layers = given.add_mutually_exclusive_group()
    layers.add_argument("--hidden", metavar="N,N", help="units of the hidden layers of `mlp` (default: 1000,100)")
    layers.add_argument("--arch", metavar="TEXT", help='hidden layers, as in "conv16 pool conv32:tanh dense100"')
    given.add_argument("--activation", choices=ACTIVATIONS, help="of the layers that name none (default: relu)")
    given.add_argument("--loss", choices=CHOICES["loss"], help="(default: cross-entropy; with --target: mse)")
    given.add_argument("--bias", choices=CHOICES["bias"], help="a conv's bias per position (default) or per channel")
    given.add_argument("--init", choices=CHOICES["init"], help="initial weights (default: documents)")
    recipe = parser.add_argument_group("how", argument_default=argparse.SUPPRESS)
    recipe.add_argument("--epochs", type=int, metavar="N", help=f"(default: {default.epochs}, mlp-512-512: 1)")
    recipe.add_argument(
        "--batch-size", type=int, metavar="N", help=f"1 = per-sample, 0 = all images (default: {default.batch_size})"
    )
    recipe.add_argument("--reduction", choices=CHOICES["reduction"], help="of a batch's gradients (default: mean)")
    recipe.add_argument("--steps-per-epoch", type=int, metavar="N", help="end each epoch after N updates")
    recipe.add_argument("--optimizer", choices=CHOICES["optimizer"], help="(default: sgd)")
    recipe.add_argument("--momentum", type=float, metavar="MU", help=f"(default: {default.momentum})")
    recipe.add_argument("--weight-decay", type=float, metavar="X", help="(default: 0; with adamw 0.01 is usual)")
    recipe.add_argument("--lr", type=float, metavar="PEAK", help=f"peak learning rate (default: {default.lr})")
    recipe.add_argument("--schedule", choices=CHOICES["schedule"], help="learning rate per epoch (default: documents)")
    recipe.add_argument("--shuffle", action=argparse.BooleanOptionalAction, help="a new order each epoch (default: no)")
    recipe.add_argument("--seed", type=int, metavar="N", help="of the weights and the shuffle (default: 0)")
    stop = parser.add_argument_group("until when, if before the last epoch", argument_default=argparse.SUPPRESS)
    stop.add_argument(
        "--target-accuracy",
        type=float,
        metavar="PERCENT",
        help="reached on the --val images, without them on the test's",
    )
    stop.add_argument(
        "--patience", type=int, metavar="N", help="N epochs without a better accuracy on the --val images"
    )
    stop.add_argument("--max-minutes", type=float, metavar="M", help="this long, pauses of a resumed run left out")
    source = parser.add_argument_group("on what", argument_default=argparse.SUPPRESS)
    source.add_argument(
        "--data", metavar="SET", help="auto, mnist, fashion, kmnist, synthetic or a path (default: auto)"
    )
    source.add_argument(
        "--target", metavar="COLUMN", help="approximate this column of the table of numbers --data FILE.csv"
    )
    source.add_argument("--label", metavar="COLUMN", help="of a table's labels, by name or number, where it is not clear")
    source.add_argument(
        "--skip-damaged", action="store_true", help="leave out damaged images of class folders, and count them"
    )
    source.add_argument("--val", type=int, metavar="N", help="hold the last N training images out for validation")
    source.add_argument("--limit", type=int, metavar="N", help="train on the first N images only")
    parser.add_argument("--config", metavar="FILE", type=Path, help="settings of another run, its config.toml")


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings that were asked for; raises `InputError` for values out of range."""
    names = {item.name for item in dataclasses.fields(Settings)}
    given = {name: value for name, value in vars(args).items() if name in names and value is not None}
    if args.config is not None and "network" in given:
        raise InputError(f"a network is given twice, {args.network!r} and in --config: leave one of them out")
    if args.config is None and "network" not in given:
        raise InputError(f"no network is given: expected one of {', '.join(PRESETS)}, or --config FILE")
    settings = Settings.from_toml(args.config) if args.config is not None else Settings.preset(given["network"])
    if "hidden" in args:
        if settings.network != "mlp":
            raise InputError(f"--hidden is given with the network {settings.network!r}: expected mlp, or use --arch")
        given["architecture"] = _hidden(args.hidden)
    if "arch" in args:
        if not args.arch.strip():
            raise InputError("--arch is empty: expected layers as in 'conv16 pool dense100'")
        given["architecture"] = args.arch
    if "activation" in args:
        layers = architecture.parse(given.get("architecture", settings.architecture), args.activation)
        given["architecture"] = architecture.to_text(layers)
    if "epochs" in given:
        given["until"] = 0  # an extension of --config's run is not asked for
    return settings.replace(**given)


def _hidden(text: str) -> str:
    """Return the architecture that --hidden describes."""
    units = text.split(",")
    for place, unit in enumerate(units, start=1):
        if not re.fullmatch(r"[1-9][0-9]{0,5}", unit):
            raise InputError(
                f"number {place} of --hidden, {unit!r}, is not a number of units: "
                "expected 1 to 999999, separated by commas as in 512,512"
            )
    return " ".join(f"dense{unit}" for unit in units)


def run(args: argparse.Namespace) -> int:
    """Train and return the exit code."""
    from jitnet.history.figure import require_figure
    from jitnet.machine import threads

    settings = settings_of(args)
    if args.plot and args.ui == "json":
        raise InputError("--plot is given with --ui json, whose lines are for programs: leave one of them out")
    if args.save is not None:
        require_figure(args.save)  # not after an hour of training
    threads.configure(args.threads)  # before anything imports numba

    from jitnet.commands.support import session
    from jitnet.commands.support.progress_bar import Waiting
    from jitnet.display import open_view
    from jitnet.run import describe, start

    notices: list[str] = []
    with Waiting(args.ui != "quiet") as waiting:
        network, data = start.prepare(settings, args.offline, notices.append, waiting.report)
    peak = describe.peak_threads(settings)
    training, started, folder = start.anew(network, data, settings, args.runs_dir, args.name, peak)
    with folder:
        code = session.follow(training, started, folder, open_view(args.ui), notices)
    if code == 0 and (args.plot or args.save):
        session.plot_losses(folder.path, args.plot, args.save)
    return code
