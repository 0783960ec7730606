"""Processes that compile kernels into the cache, so that the process of the user stays free to draw and to listen."""

import contextlib
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_WORKER = """
import sys
sys.path[:] = {path}
from jitnet.training.compilation import serve
serve{arguments}
"""


@dataclass
class _Worker:
    """One process: it compiles the kernels whose names it reads, and writes each name when it is done with it."""

    process: subprocess.Popen
    name: str = ""  # of the kernel in work
    since: float = 0.0


@dataclass
class Compilers:
    """Compiles `tasks`, names of kernels and the names that each must wait for, in up to `count` processes.

    Nothing depends on it: what a process could not compile, because it was killed or could not start, is compiled
    by the process that calls the kernel. `with` ends the processes.
    """

    tasks: dict[str, set[str]]
    count: int
    arguments: tuple[str | int, ...]  # of `serve`: the dtypes to compile for
    weight: Callable[[str], float]  # seconds that a kernel takes on an idle machine
    done: dict[str, float] = field(default_factory=dict)  # names, and the seconds that each took

    def __enter__(self) -> "Compilers":
        self._answers: queue.Queue[_Worker | None] = queue.Queue()
        self._workers: list[_Worker] = []
        self._left = dict(self.tasks)
        code = _WORKER.format(path=sys.path, arguments=self.arguments)
        for _ in range(min(self.count, len(self.tasks))):
            with contextlib.suppress(OSError):
                process = subprocess.Popen(
                    [sys.executable, "-c", code], text=True,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                worker = _Worker(process)
                self._workers.append(worker)
                threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.wait()
            for stream in (worker.process.stdin, worker.process.stdout):
                with contextlib.suppress(OSError):  # a name that was never read
                    assert stream is not None
                    stream.close()

    def _listen(self, worker: _Worker) -> None:
        with contextlib.suppress(ValueError):  # closed at the end
            for _ in worker.process.stdout or ():
                self._answers.put(worker)
        self._answers.put(None)

    @property
    def running(self) -> dict[str, float]:
        """The kernels in work, and the seconds since each was begun."""
        return {each.name: time.perf_counter() - each.since for each in self._workers if each.name}

    @property
    def finished(self) -> bool:
        """Is there nothing left that a living process will compile?"""
        if not self._left and not self.running:
            return True
        return not any(each.process.poll() is None for each in self._workers)

    def wait(self, seconds: float) -> None:
        """Hand out what can be compiled now, then wait for the next kernel to be done, or that many seconds."""
        self._hand_out()
        with contextlib.suppress(queue.Empty):
            worker = self._answers.get(timeout=seconds)
            if worker is not None and worker.name:
                self.done[worker.name] = time.perf_counter() - worker.since
                worker.name = ""
        for worker in self._workers:
            if worker.name and worker.process.poll() is not None:  # its kernel is left to the caller
                self.done[worker.name], worker.name = 0.0, ""
        self._hand_out()

    def _hand_out(self) -> None:
        ready = [name for name, needs in self._left.items() if needs <= set(self.done)]
        usual = {name: self.weight(name) for name in self.tasks}
        ready.sort(key=lambda name: self._chain(name, usual))  # the longest chain first: processes should end together
        for worker in self._workers:
            if ready and not worker.name and worker.process.poll() is None:
                name = ready.pop()
                with contextlib.suppress(OSError):  # it has just ended
                    assert worker.process.stdin is not None
                    worker.process.stdin.write(f"{name}\n")
                    worker.process.stdin.flush()
                    worker.name, worker.since = name, time.perf_counter()
                    del self._left[name]

    def seconds_left(self) -> float:
        """Return about how long the rest will take, at the speed of what is done so far."""
        took, usual = sum(self.done.values()), sum(self.weight(name) for name in self.done)
        running = self.running
        if not took or usual < 1:  # nothing yet: at least as slow as what is in work
            took, usual = max([1.0, *(seconds / self.weight(name) for name, seconds in running.items())]), 1.0
        pace = took / usual
        rest = {name: self.weight(name) for name in self._left}
        rest |= {name: max(0.05 * self.weight(name), self.weight(name) - s / pace) for name, s in running.items()}
        chains = [self._chain(name, rest) for name in rest]
        return pace * max(sum(rest.values()) / max(1, len(self._workers)), *chains, 0.0)

    def _chain(self, name: str, seconds: dict[str, float]) -> float:
        """Return how long a kernel and then those take that wait for it, of which the longest chain counts."""
        waiting = (self._chain(other, seconds) for other, needs in self.tasks.items() if name in needs)
        return seconds[name] + max(waiting, default=0.0)
