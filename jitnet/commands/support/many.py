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

    0 all done; 3 a trial diverged; 1 one failed or lost its worker; 130 stopped; the same command continues.
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
        _print_result(found, path, board, shlex.join(argv) if driver.stopping or board.count("lost", "failed") else "")
    if stop.signal is not None and driver.stopping:
        return 128 + stop.signal
    return 1 if board.count("failed", "lost", "stopped", "waiting") else 3 if board.count("diverged") else 0


@contextlib.contextmanager
def _engine(
    args: argparse.Namespace, workers: int, threads_each: int
) -> Iterator[tuple[Executor, str, int, list[Callable[..., Any]] | None]]:
    """Yield an executor, its description, the threads of each worker, and how to reach each of its machines."""
    from jitnet.display.format import count
    from jitnet.trials.worker_pool import LocalWorkers

    if args.scheduler:
        threads_each = args.threads or 1
    of_threads = f"{count(threads_each, 'thread')} each"
    if args.engine == "dask" or args.scheduler:
        from jitnet.trials.dask_engine import dask_workers

        what = f"Dask at {args.scheduler}" if args.scheduler else f"Dask, {count(workers, 'local worker')}"
        with dask_workers(args.scheduler, workers, threads_each) as (executor, machines):
            yield executor, f"{what}, {of_threads}", threads_each, machines
        return
    with LocalWorkers(workers, threads_each) as executor:
        yield executor, f"{count(workers, 'process', 'processes')}, {of_threads}", threads_each, None


def _print_result(found: dict[str, Any], path: Path, board: Any, again: str) -> None:
    """Print the statistics of the last epoch, the folder of all files, and how to continue."""
    from jitnet.commands.support import listing
    from jitnet.history.tables import statistics_tables

    tables = statistics_tables(found)
    if tables:
        listing.print_tables(tables)
    counts = {status: board.count(status) for status in dict.fromkeys(row.status for row in board.rows)}
    print(
        f"{', '.join(f'{count} {status}' for status, count in counts.items())}; table.csv and statistics.csv in {path}"
    )
    if again:
        print(f"continue with: {again}")
