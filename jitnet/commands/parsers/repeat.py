"""The options of `jitnet repeat`."""

from jitnet.commands.support import options, trial_options
from jitnet.commands.support.options import Subparsers


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
