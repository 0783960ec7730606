"""Processes on this machine as an executor: their number and their threads fit its cores."""

import concurrent.futures
import contextlib
import functools
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures.process import ProcessPoolExecutor
from multiprocessing import resource_tracker
from typing import Any

from jitnet.errors import InputError
from jitnet.machine import threads

# Ctrl-C, and the end of a terminal, reach the workers too, but their driver says when they stop.
_NOT_FOR_WORKERS = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]


def divide_cores(trials: int, workers: int | None, threads_each: int | None) -> tuple[int, int]:
    """Return how many processes of how many threads each train that many trials on this process's cores.

    Trials go side by side as long as there are cores: they never wait for one another, threads inside one do. Raises
    `InputError` for numbers that are too large.
    """
    cores = threads.usable_cores()
    for option, given in (("--workers", workers), ("--threads", threads_each)):
        if given is not None and not 1 <= given <= 1024:
            raise InputError(f"{option} is {given}: expected a whole number from 1 to 1024")
    count = workers or max(1, min(cores // (threads_each or 1), trials))
    return count, threads_each or max(1, cores // count)


class LocalWorkers(concurrent.futures.Executor):
    """Spawned processes, each a pool of one: when one is killed its own call fails, and the others continue.

    Spawned, since a forked child dies of GNU's OpenMP; its number of threads is set before numba is imported.
    """

    def __init__(self, workers: int, threads_each: int):
        main = sys.modules["__main__"]
        if not os.path.exists(getattr(main, "__file__", None) or os.devnull):
            del main.__file__  # of a program from the standard input, which a child could not run again
        self._calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._make = functools.partial(
            ProcessPoolExecutor, 1, multiprocessing.get_context("spawn"), _begin, (threads_each,)
        )
        self._keepers = [threading.Thread(target=self._keep_one, daemon=True) for _ in range(workers)]
        with without_signals():
            for keeper in self._keepers:
                keeper.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future:
        """Let the next process that is free call `fn`; see `concurrent.futures.Executor`."""
        future: concurrent.futures.Future = concurrent.futures.Future()
        self._calls.put((future, functools.partial(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes when their calls are done."""
        if cancel_futures:
            with contextlib.suppress(queue.Empty):
                while (call := self._calls.get_nowait()) is not None:
                    call[0].cancel()
        for _ in self._keepers:
            self._calls.put(None)
        if wait:
            for keeper in self._keepers:
                keeper.join()

    def _keep_one(self) -> None:
        """Hand calls to one process, and to a new one after it was killed."""
        pool = self._make()
        while (call := self._calls.get()) is not None:
            future, work = call
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = pool.submit(work).result()
            except BaseException as error:
                if isinstance(error, concurrent.futures.BrokenExecutor):
                    pool.shutdown(wait=False)
                    pool = self._make()
                future.set_exception(error)
            else:
                future.set_result(result)
        pool.shutdown()


@contextlib.contextmanager
def without_signals() -> Iterator[None]:
    """Keep Ctrl-C and the end of a terminal from threads started in here and from the processes that these start.

    A process could not catch a signal before it has imported its code. multiprocessing's tracker, which removes the
    semaphores that others leave, is one of them; it is silent too when a second Ctrl-C has ended the driver.
    """
    heard, options = _block(_NOT_FOR_WORKERS), list(sys.warnoptions)
    try:
        sys.warnoptions.append("ignore::UserWarning:multiprocessing.resource_tracker")
        resource_tracker.ensure_running()
        _block(_NOT_FOR_WORKERS)  # ensure_running has given SIGINT back
        yield
    finally:
        sys.warnoptions[:] = options
        if heard is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, heard)


def _block(signals: list[int]) -> Any:
    """Block signals in this thread; return those that were blocked before, None where there is no such thing."""
    return signal.pthread_sigmask(signal.SIG_BLOCK, signals) if hasattr(signal, "pthread_sigmask") else None


def _begin(threads_each: int) -> None:
    """Prepare a process before its first call."""
    threads.configure(threads_each)
    for number in _NOT_FOR_WORKERS:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End with the driver when that is killed: the trial here can continue from its last checkpoint."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
