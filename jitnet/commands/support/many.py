"""What `repeat` and `sweep` share: the options of many trials, their table on the screen, statistics at the end."""

import argparse
import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from jitnet.commands import train
from jitnet.commands.support import options
from jitnet.errors import InputError
from jitnet.printing import say


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add everything but what the plan is made of."""
    train.add_settings(parser)
    where = parser.add_argument_group("where")
    where.add_argument(
        "--engine", choices=("local", "dask"), help="processes on this machine (default), or Dask distributed"
    )
    where.add_argument("--scheduler", metavar="ADDRESS", help="join the Dask cluster there, as in tcp://host:8786")
    where.add_argument(
        "--workers", metavar="N", type=int, help="trials at a time (default: as many as there are cores)"
    )
    parser.add_argument("--name", help="name of the sweep's folder (default: the same for the same command)")
    options.add_runs_dir(parser)
    options.add_process(parser)


def run(args: argparse.Namespace, plan: Any) -> int:
    """Train all trials of a plan and return the exit code.

    0 all done; 3 a trial diverged; 1 one failed or lost its worker; 130 stopped, to go on by the same command.
    """
    from jitnet.commands.support.session import Stop
    from jitnet.display.trials import open_trials_view
    from jitnet.run.names import check_name
    from jitnet.trials.driver import Driver, board_of
    from jitnet.trials.folder import SweepFolder
    from jitnet.trials.worker_pool import share_out

    if args.scheduler and args.engine == "local":
        raise InputError("--scheduler is given with --engine local: leave one of them out")
    shares = share_out(len(plan.trials), args.workers, args.threads)
    argv = ["jitnet", *sys.argv[1:]]
    path = Path(args.runs_dir) / check_name(
        args.name or f"{plan.kind}-{plan.trials[0].settings.network}-{plan.identity}"
    )
    with SweepFolder(path, plan, argv) as folder, Stop() as stop:
        board = board_of(plan, folder)
        with _engine(args, *shares) as (executor, board.engine, threads_each, machines):
            driver = Driver(
                plan, folder, board, executor, threads=threads_each, offline=args.offline, argv=argv,
                machines=machines, stop=lambda: stop.signal is not None,
            )  # fmt: skip
            try:
                with open_trials_view(args.ui, board) as view:
                    for row in driver.run():
                        view.handle(row)
                    view.handle(None)
            except SystemExit as left:  # a second signal: workers see that their driver is gone, and end as if killed
                if sys.stdout is not None:
                    sys.stdout.flush()
                os._exit(left.code if isinstance(left.code, int) else 1)
        found = folder.write_statistics()
    if args.ui not in ("json", "quiet"):
        _tell(found, path, board, shlex.join(argv) if driver.stopping or board.count("lost", "failed") else "")
    if stop.signal is not None and driver.stopping:
        return 128 + stop.signal
    return 1 if board.count("failed", "lost", "stopped", "waiting") else 3 if board.count("diverged") else 0


@contextlib.contextmanager
def _engine(
    args: argparse.Namespace, workers: int, threads_each: int
) -> Iterator[tuple[Executor, str, int, list[Callable[..., Any]] | None]]:
    """Yield an executor, what it is, the threads of each of its workers, and how to reach each of its machines."""
    from jitnet.trials.worker_pool import LocalWorkers

    if args.scheduler:
        threads_each = args.threads or 1
    of_threads = f"{threads_each} thread{'s' * (threads_each != 1)} each"
    if args.engine == "dask" or args.scheduler:
        from jitnet.trials.dask_engine import dask_workers

        with dask_workers(args.scheduler, workers, threads_each) as (executor, what, machines):
            yield executor, f"{what}, {of_threads}", threads_each, machines
        return
    with LocalWorkers(workers, threads_each) as executor:
        yield executor, f"{workers} process{'es' * (workers != 1)}, {of_threads}", threads_each, None


def _tell(found: dict[str, Any], path: Path, board: Any, again: str) -> None:
    """Print the statistics of the last epoch, where all is, and how to go on."""
    from jitnet.commands.support import listing
    from jitnet.history.tables import statistics_tables

    tables = statistics_tables(found)
    if tables:
        listing.print_tables(tables)
    counts = {status: board.count(status) for status in dict.fromkeys(row.status for row in board.rows)}
    say(f"{', '.join(f'{count} {status}' for status, count in counts.items())}; table.csv and statistics.csv in {path}")
    if again:
        say(f"go on with what is not done: {again}")
