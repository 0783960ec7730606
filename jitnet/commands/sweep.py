"""`jitnet sweep`: every combination of some settings, or random ones; the worse ones may end early."""

import argparse
from typing import Any

from jitnet.commands.support import options, trial_options
from jitnet.commands.support.options import Subparsers
from jitnet.commands.support.settings import settings_of
from jitnet.config import PRESETS
from jitnet.errors import InputError


def add_parser(subparsers: Subparsers) -> None:
    """Add `sweep` to the command line."""
    parser = options.add_command(
        subparsers,
        "sweep",
        "jitnet sweep mlp --grid lr=0.01,0.03 hidden=100,512x512 --epochs 3  four runs",
        "jitnet sweep cnn --random 9 --range lr=1e-4:1e-1 --val 5000 --schedule cosine --halving 3  the best longer",
        add_help=False,
    )
    group = parser.add_argument_group("combinations")
    group.add_argument(
        "--grid",
        metavar="NAME=V,V",
        nargs="+",
        action="extend",
        default=[],
        help='values of a setting: lr=0.01,0.03 hidden=512x512,300 "arch=..."',
    )
    group.add_argument("--random", type=int, metavar="N", default=0, help="N random combinations instead of all")
    group.add_argument(
        "--range", metavar="NAME=A:B", nargs="+", action="extend", default=[],
        help="with --random: a number between A and B",
    )  # fmt: skip
    group.add_argument("--random-seed", type=int, metavar="N", default=0, help="seed of the combinations (default: 0)")
    group.add_argument("--seeds", type=int, metavar="N", default=1, help="seeds of each combination (default: 1)")
    group.add_argument(
        "--halving", type=int, metavar="R", default=0,
        help="after a few epochs keep the best one in R by --val, train those R times as long, and so on",
    )  # fmt: skip
    trial_options.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train all and return the exit code."""
    from jitnet.commands.support import many  # here, so that --help does not wait for numpy
    from jitnet.trials.plan import parse_bounds, parse_values, plan

    for texts in (args.grid, args.range):  # NETWORK may also come after their values, which have a "="
        if args.network is None and texts and texts[-1] in PRESETS:
            args.network = texts.pop()
    if not args.grid and not args.range:
        raise InputError("nothing varies: expected --grid lr=0.01,0.03 or --random N --range lr=1e-4:1e-1")
    grid: dict[str, Any] = {}
    bounds: dict[str, Any] = {}
    for option, texts, parse, found in (
        ("--grid", args.grid, parse_values, grid),
        ("--range", args.range, parse_bounds, bounds),
    ):
        for text in texts:
            name, values = parse(text)
            if name in found:
                raise InputError(f"{option} names {name} twice: expected its values in one")
            found[name] = values
    return many.run(
        args,
        plan(
            settings_of(args), "sweep", grid, bounds, seeds=args.seeds, draws=args.random,
            draw_seed=args.random_seed, halving=args.halving,
        ),
    )  # fmt: skip
