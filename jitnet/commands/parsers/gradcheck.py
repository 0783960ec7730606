"""The options of `jitnet gradcheck`."""

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers
from jitnet.commands.support.settings import add_network


def add_parser(subparsers: Subparsers) -> None:
    """Add `gradcheck` to the command line."""
    parser = options.add_command(
        subparsers,
        "gradcheck",
        'jitnet gradcheck cnn --arch "conv4:tanh pool dense8" --side 8  a small network, in a second',
        add_help=False,
    )
    add_network(parser, "bias", "loss", "kernels", "seed", seed="seed of weights, images and entries (default: 0)")
    parser.add_argument("--samples", type=int, metavar="N", default=10, help="entries of each tensor (default: 10)")
    parser.add_argument("--side", type=int, metavar="N", default=28, help="side of the square images (default: 28)")
    options.add_threads(parser)
