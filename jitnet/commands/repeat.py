"""`jitnet repeat`: the same training from several seeds, with mean, deviation and confidence interval."""

import argparse
from typing import Any

from jitnet.commands import train
from jitnet.commands.support import many


def add_parser(subparsers: Any) -> None:
    """Add `repeat` to the command line."""
    parser = subparsers.add_parser("repeat", help="train with several seeds: mean, deviation, confidence interval")
    parser.add_argument("--seeds", type=int, metavar="N", default=10, help="from --seed on (default: 10)")
    many.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train all and return the exit code."""
    from jitnet.trials.plan import plan

    return many.run(args, plan(train.settings_of(args), "repeat", seeds=args.seeds))
