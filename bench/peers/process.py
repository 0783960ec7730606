"""The process of a peer, as seen by the benchmark."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

from bench.peers import Entry, limits

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 600.0  # for one answer: the first compilation of all kernels takes its time

# Every pool that a peer may bring along is held to the same number of threads.
_POOLS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)


class PeerError(Exception):
    """A peer gave no usable answer; the message gives the reason."""


class PeerProcess:
    """One peer with one number of threads. `absent` is the reason why it can't run, or empty."""

    def __init__(self, entry: Entry, threads: int, python: str | None = None):
        self.entry = entry
        self.threads = threads
        pools = {name: str(threads) for name in _POOLS}
        environment = os.environ | pools | limits.environment() | {"PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("PYTHONSAFEPATH", None)  # the checkout is found through the working directory
        self._answers: queue.Queue[str | None] = queue.Queue()
        self.absent, self.versions = "", {}
        try:
            self._process = subprocess.Popen(
                [python or sys.executable, "-m", "bench.peers.serve", entry.module, str(threads)],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
        except OSError as error:
            self._process, self.absent = None, error.strerror or "the interpreter can't be started"
            return
        threading.Thread(target=self._read, daemon=True).start()
        hello = self._next()
        self.absent = hello.get("absent", "")
        self.versions = hello.get("versions", {})

    def ask(self, do: str, **request) -> dict:
        """Send a request and return the answer; raises `PeerError`."""
        try:
            self._process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise PeerError("its process has ended") from None
        answer = self._next()
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer

    def ended(self) -> bool:
        """Return whether the process was started and has ended."""
        return self._process is not None and self._process.poll() is not None

    def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):  # a request that a dead process did not read
            self._process.stdin.close()
        self._process.stdout.close()

    def _read(self) -> None:
        """Pass lines on from a separate thread: not every system can read a pipe with a deadline."""
        try:
            for line in self._process.stdout:
                self._answers.put(line)
        except ValueError:  # closed while reading
            pass
        self._answers.put(None)

    def _next(self) -> dict:
        try:
            line = self._answers.get(timeout=DEADLINE_S)
        except queue.Empty:
            raise PeerError(f"no answer within {DEADLINE_S:.0f} s") from None
        if line is None:
            self._process.kill()  # its pipe may end before it does: then the next question would wait for an answer
            self._process.wait()
            raise PeerError("its process has ended")
        return json.loads(line)
