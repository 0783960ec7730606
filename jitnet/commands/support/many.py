"""What `repeat` and `sweep` share: the training of many trials, their table on the screen, the statistics."""

import argparse
import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from jitnet.commands.support import listing
from jitnet.commands.support.session import Stop
from jitnet.display.format import count
from jitnet.display.trials import open_trials_view
from jitnet.errors import InputError
from jitnet.history.board import Board
from jitnet.history.statistics import Summary
from jitnet.history.tables import statistics_tables
from jitnet.printing import say
from jitnet.run.names import check_name
from jitnet.trials.driver import Driver, board_of
from jitnet.trials.folder import SweepFolder
from jitnet.trials.plan import Plan
from jitnet.trials.worker_pool import LocalWorkers, divide_cores


def run(args: argparse.Namespace, plan: Plan) -> int:
    """Train all trials of a plan and return the exit code.

    0 all done; 3 a trial diverged; 1 one failed or lost its worker; 128 + n stopped by signal n, to be continued by the
    same command.
    """
    if args.scheduler and args.engine == "local":
        raise InputError("--scheduler is given with --engine local: omit one of them")
    shares = divide_cores(len(plan.trials), args.workers, args.threads)
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
            except (
                SystemExit
            ) as left:  # a second signal: workers notice that their driver has ended, and end as if killed
                if sys.stdout is not None:
                    sys.stdout.flush()
                os._exit(left.code if isinstance(left.code, int) else 1)
        found = folder.write_statistics()
    if args.ui not in ("json", "quiet"):
        _print_results(found, path, board, shlex.join(argv) if driver.stopping or board.count("lost", "failed") else "")
    if stop.signal is not None and driver.stopping:
        return 128 + stop.signal
    return 1 if board.count("failed", "lost", "stopped", "waiting") else 3 if board.count("diverged") else 0


@contextlib.contextmanager
def _engine(
    args: argparse.Namespace, workers: int, threads_each: int
) -> Iterator[tuple[Executor, str, int, list[Callable[..., Any]] | None]]:
    """Yield an executor, its description, the threads of each worker, and a function per machine that runs there."""
    if args.scheduler:
        threads_each = args.threads or 1
    of_threads = f"{count(threads_each, 'thread')} each"
    if args.engine == "dask" or args.scheduler:
        from jitnet.trials.dask_engine import dask_workers  # Dask is an extra

        what = f"Dask at {args.scheduler}" if args.scheduler else f"Dask, {count(workers, 'local worker')}"
        with dask_workers(args.scheduler, workers, threads_each) as (executor, machines):
            yield executor, f"{what}, {of_threads}", threads_each, machines
        return
    with LocalWorkers(workers, threads_each) as executor:
        yield executor, f"{count(workers, 'process', 'processes')}, {of_threads}", threads_each, None


def _print_results(found: dict[str, list[Summary]], path: Path, board: Board, command: str) -> None:
    """Print the statistics of the last epoch, where the files are, and the command that continues, if any."""
    tables = statistics_tables(found)
    if tables:
        listing.print_tables(tables)
    counts = {status: board.count(status) for status in dict.fromkeys(row.status for row in board.rows)}
    statuses = ", ".join(f"{number} {status}" for status, number in counts.items())
    say(f"{statuses}; table.csv and statistics.csv in {path}")
    if command:
        say(f"continue with what is not done: {command}")
