"""The options that `repeat` and `sweep` share."""

import argparse

from jitnet.commands.support import options
from jitnet.commands.support.settings import add_settings


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add all options except those of the plan."""
    add_settings(parser)
    workers = parser.add_argument_group("workers")
    workers.add_argument(
        "--engine", choices=("local", "dask"), help="processes on this machine (default), or Dask distributed"
    )
    workers.add_argument("--scheduler", metavar="ADDRESS", help="join the Dask cluster there, as in tcp://host:8786")
    workers.add_argument("--workers", metavar="N", type=int, help="trials at a time (default: the number of cores)")
    output = options.add_process(parser)
    output.add_argument("--name", help="name of the sweep's folder (default: the same for the same command)")
    options.add_runs_dir(output)
