"""The options of `jitnet errors`."""

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `errors` to the command line."""
    parser = options.add_command(
        subparsers,
        "errors",
        "jitnet errors latest --count 12  the twelve worst",
    )
    options.add_model(parser)
    parser.add_argument("--count", metavar="N", type=int, default=6, help="at most this many (default: 6)")
    options.add_other_data(parser)
    options.add_threads(parser)
    options.add_json(parser)
