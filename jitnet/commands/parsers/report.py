"""The options of `jitnet report`."""

from pathlib import Path

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `report` to the command line."""
    parser = options.add_command(
        subparsers,
        "report",
        "jitnet report latest --open  a page about the newest run, shown in the browser",
        "jitnet report latest --film --open  its epochs one after the other",
    )
    parser.add_argument("run_names", metavar="RUN", nargs="+", help="a run or a sweep, its name, or `latest`")
    parser.add_argument("--open", action="store_true", help="show the page in the browser")
    parser.add_argument("--film", action="store_true", help="a page that goes through the epochs of one run")
    parser.add_argument("--out", metavar="FILE", type=Path, help="the page (default: report.html in the first RUN)")
    options.add_best(parser)
    options.add_threads(parser)
    options.add_offline(parser)
    options.add_runs_dir(parser)
