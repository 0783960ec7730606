"""The options of `jitnet data`."""

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `data` and its actions to the command line."""
    parser = options.add_command(
        subparsers,
        "data",
        "jitnet data fetch fashion  download Fashion-MNIST into the cache",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="status|fetch|clear")
    actions.add_parser("status", help="list the places where data is looked for, and what is there")
    fetch = actions.add_parser(
        "fetch", help="put MNIST or another known set into jitnet's cache, downloading it if need be"
    )
    fetch.add_argument(
        "name", nargs="?", metavar="SET", default="mnist", help="mnist, fashion or kmnist (default: mnist)"
    )
    fetch.add_argument("--offline", action="store_true", help="take it from this machine or not at all")
    actions.add_parser("clear", help="remove jitnet's cache of data; other copies stay")
