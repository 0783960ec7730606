"""The options of `jitnet sweep`."""

from jitnet.commands.support import options, trial_options
from jitnet.commands.support.options import Subparsers


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
