"""Options that several commands have."""

import argparse
from pathlib import Path


def add_runs_dir(parser: argparse.ArgumentParser) -> None:
    """Add where the run folders are."""
    parser.add_argument(
        "--runs-dir", metavar="DIR", type=Path, default=Path("runs"), help="folder of the run folders (default: runs)"
    )


def add_process(parser: argparse.ArgumentParser) -> None:
    """Add what concerns this process and changes no result: threads, network access, view."""
    parser.add_argument("--threads", metavar="N", type=int, help="threads of the kernels (default: the usable cores)")
    parser.add_argument("--offline", action="store_true", help="never open a connection")
    parser.add_argument(
        "--ui",
        choices=("auto", "live", "plain", "json", "quiet"),
        default="auto",
        help="live dashboard, plain lines, JSON lines or nothing (default: live on a terminal, else plain)",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add which run is meant."""
    parser.add_argument("run_name", metavar="RUN", help="a run folder, its name, or `latest`")
    add_runs_dir(parser)
