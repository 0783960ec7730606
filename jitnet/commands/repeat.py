"""`jitnet repeat`: the same training from several seeds, with mean, deviation and confidence interval."""

import argparse

from jitnet.commands.support import options, trial_options
from jitnet.commands.support.options import Subparsers
from jitnet.commands.support.settings import settings_of


def add_parser(subparsers: Subparsers) -> None:
    """Add `repeat` to the command line."""
    parser = options.add_command(
        subparsers,
        "repeat",
        "jitnet repeat cnn --seeds 10 --epochs 3  ten runs of three epochs, two at a time on two cores",
        add_help=False,
    )
    parser.add_argument("--seeds", type=int, metavar="N", default=10, help="number of seeds, from --seed (default: 10)")
    trial_options.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train all and return the exit code."""
    from jitnet.commands.support import many  # here, so that --help does not wait for numpy
    from jitnet.trials.plan import plan

    return many.run(args, plan(settings_of(args), "repeat", seeds=args.seeds))
