"""The options of `jitnet doctor`."""

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `doctor` to the command line."""
    parser = options.add_command(
        subparsers, "doctor", "jitnet doctor  what is installed, compiled and found here, with advice"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options.add_threads(parser)
    options.add_runs_dir(parser)
