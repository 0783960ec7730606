"""The options of `jitnet ensemble`."""

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `ensemble` to the command line."""
    parser = options.add_command(
        subparsers,
        "ensemble",
        "jitnet ensemble seed-0 seed-1 seed-2  three runs and their mean",
        "jitnet ensemble repeat-cnn-1a2b3c4d  all runs of a repeat or sweep",
    )
    parser.add_argument("run_names", metavar="RUN", nargs="+", help="runs or sweeps, by name or path")
    options.add_best(parser)
    options.add_other_data(parser)
    options.add_threads(parser)
    options.add_runs_dir(parser)
    options.add_json(parser)
