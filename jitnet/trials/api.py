"""`jitnet.sweep`: many trials from Python, over any executor."""

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from jitnet.config import Settings
from jitnet.display.compiling import CompilationNotice
from jitnet.history.board import OVER, Board, Row
from jitnet.trials.driver import Driver, board_of
from jitnet.trials.folder import SweepFolder
from jitnet.trials.plan import Plan, plan_of
from jitnet.trials.worker_pool import LocalWorkers, divide_cores


def sweep(
    configs: Iterable[Settings | Mapping[str, Any]],
    executor: Executor | None = None,
    *,
    folder: str | Path | None = None,
    threads: int | None = None,
    offline: bool = False,
    verbose: int | None = None,
) -> Iterator[Row]:
    """Train each configuration in its own run folder, and yield its result as soon as it is over.

    Parameters
    ----------
    configs : settings, or mappings of `jitnet.config.Settings`'s fields: `{"network": "cnn", "lr": 0.01, "seed": 3}`
    executor : any `concurrent.futures.Executor` whose workers see `folder` under the same path, such as
        `dask.distributed.Client().get_executor(pure=False)` or mpi4py's; processes on this machine unless given
    folder : of the sweep; `runs/sweep-` and digits of the configurations unless given. What is done there already is
        yielded first, the rest continues from its checkpoints
    threads : of the kernels in each worker; unless given 1, or with our own processes their share of the cores
    offline : never open a connection
    verbose : 0 is silent; else standard error says when kernels are compiled for longer than a second

    Yields
    ------
    jitnet.history.board.Row : `name`, `path` of the run folder, `status` ("done", "diverged", "failed", "lost", and
        "stopped" or "waiting" for what an executor that broke has left), `message`, `epoch`, `train_loss`,
        `val_accuracy` and `test_accuracy` in percent, ..., SHA-256 of the `weights`

    Raises
    ------
    InputError : a configuration that cannot be trained, before any is; or a folder that is in use or another sweep's

    Notes
    -----
    Our own processes are spawned: in a script, call this under `if __name__ == "__main__":`. Leaving the loop early
    ends what runs with checkpoints.

    Examples
    --------
    >>> for row in sweep({"network": "cnn", "seed": seed} for seed in range(30)):  # doctest: +SKIP
    ...     print(row.name, row.status, row.test_accuracy)
    """
    plan = plan_of(configs)
    path = Path(folder) if folder is not None else Path("runs") / f"sweep-{plan.identity}"
    opened = SweepFolder(path, plan, [])
    return _results(plan, opened, executor, threads, offline, CompilationNotice(None if verbose == 0 else sys.stderr))


def _results(
    plan: Plan,
    folder: SweepFolder,
    executor: Executor | None,
    threads: int | None,
    offline: bool,
    notice: CompilationNotice,
) -> Iterator[Row]:
    board: Board = board_of(plan, folder)
    with folder, contextlib.ExitStack() as stack:
        if executor is None:
            workers, threads = divide_cores(len(plan.trials), None, threads)
            executor = stack.enter_context(LocalWorkers(workers, threads))
        driver = Driver(plan, folder, board, executor, threads=threads or 1, offline=offline)
        yielded: set[str] = set()
        try:
            for _ in driver.run():
                if board.compiling is not None:
                    notice.handle(board.compiling)
                for row in board.rows:
                    if row.status in OVER and row.name not in yielded and not driver.is_pending(row):
                        yielded.add(row.name)
                        yield row
            yield from (row for row in board.rows if row.name not in yielded)
            folder.write_statistics()
        finally:
            folder.request_stop()  # for those that still run, if the caller has left
