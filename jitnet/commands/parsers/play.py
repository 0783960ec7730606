"""The options of `jitnet play`."""

from pathlib import Path

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `play` to the command line."""
    parser = options.add_command(
        subparsers,
        "play",
        "jitnet play  draw, watch and train the network that comes with jitnet, in the browser",
        "jitnet play latest --out page.html  a page of the newest run, to keep or to send",
    )
    parser.add_argument(
        "run_name",
        metavar="RUN",
        nargs="?",
        help="a run, its name, `latest`, a checkpoint or a saved model (default: the network that comes with jitnet)",
    )
    options.add_best(parser)
    parser.add_argument("--out", metavar="FILE", type=Path, help="write the page there (default: open the browser)")
    options.add_other_data(parser)
    options.add_threads(parser)
    options.add_runs_dir(parser)
