"""The options of `jitnet summary`."""

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers
from jitnet.commands.support.settings import add_network


def add_parser(subparsers: Subparsers) -> None:
    """Add `summary` to the command line."""
    parser = options.add_command(
        subparsers, "summary", "jitnet summary mlp --hidden 512,512  for images of 28 x 28 pixels and 10 classes",
        add_help=False,
    )  # fmt: skip
    add_network(parser, "bias", "batch_size", "dropout", batch_size="with --kernels: images per update")
    parser.add_argument(
        "--kernels", dest="lists_kernels", action="store_true", help="list which code computes each layer in training"
    )
    options.add_json(parser)
