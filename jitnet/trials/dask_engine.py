"""Dask distributed as an executor: a cluster started on this machine, or one that runs already."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Any

from jitnet.errors import InputError
from jitnet.trials.worker_pool import without_signals

PATIENCE_S = 30  # for a scheduler to answer, and for its first worker


@contextlib.contextmanager
def dask_workers(
    scheduler: str | None, workers: int, threads_each: int
) -> Iterator[tuple[Executor, list[Callable[..., Any]]]]:
    """Yield an executor, and for each machine a `submit` that reaches it alone.

    Raises `InputError` without Dask, without an answer, and for workers that would run trials in several threads.
    """
    try:
        import dask
        import distributed
    except ImportError:
        raise InputError(
            "--engine dask needs Dask distributed, which is not here: pip install 'jitnet[dask]', or use --engine local"
        ) from None
    with contextlib.ExitStack() as stack:
        logging.disable(logging.CRITICAL)  # the table says what happened to whom; Dask would say it with tracebacks
        stack.callback(logging.disable, logging.NOTSET)
        stack.enter_context(dask.config.set({"distributed.comm.timeouts.connect": f"{PATIENCE_S}s"}))
        if scheduler is None:
            with without_signals():
                cluster = distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address=None,
                    scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # else 8787, with a warning if it is taken
                    memory_limit=0,
                    silence_logs=logging.CRITICAL,
                    env={"NUMBA_NUM_THREADS": str(threads_each)},  # before numba is imported there
                )
            stack.enter_context(cluster)
            scheduler = cluster.scheduler_address
        client = stack.enter_context(_client(distributed, scheduler))
        machines = _check(client, scheduler)
        executor = stack.enter_context(client.get_executor(pure=False))
        yield executor, [_only_on(client, address) for address in machines]


def _client(distributed: Any, scheduler: str) -> Any:
    try:
        return distributed.Client(scheduler, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:  # a time-out is an OSError
        raise InputError(
            f"no Dask scheduler answers at {scheduler} ({str(error).splitlines()[0]}): expected the address that "
            "`dask scheduler` prints, as in tcp://host:8786"
        ) from None


def _check(client: Any, scheduler: str) -> list[str]:
    """Return a worker of each machine. Raises `InputError` if there is none, or one with several threads."""
    line = f"dask worker {scheduler} --nthreads 1 --nworkers auto"
    with contextlib.suppress(Exception):  # a time-out, of a class that has moved between versions
        client.wait_for_workers(1, timeout=PATIENCE_S)
    found: dict[str, int] = client.nthreads()
    if not found:
        raise InputError(f"the Dask scheduler at {scheduler} has no workers: start some by `{line}`")
    wrong = {address: count for address, count in found.items() if count != 1}
    if wrong:
        address, count = next(iter(wrong.items()))
        raise InputError(
            f"the Dask worker {address} has {count} threads, in which kernels would wait for one another: expected "
            f"workers of one thread, started by `{line.replace('auto', 'N')}`"
        )
    return list({address.rpartition(":")[0]: address for address in found}.values())


def _only_on(client: Any, address: str) -> Callable[..., Any]:
    def submit(function: Callable[..., Any], *arguments: Any) -> Any:
        return client.submit(function, *arguments, workers=[address], pure=False)

    return submit
