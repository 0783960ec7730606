"""Other processes that keep cores busy while something is measured."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

_SPIN = "print('ready', flush=True)\nwhile True: pass"


@contextlib.contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Run that many processes, each of which uses a core as far as it gets one, and end them."""
    started: list[subprocess.Popen] = []
    try:
        for _ in range(count):
            started.append(subprocess.Popen([sys.executable, "-I", "-c", _SPIN], stdout=subprocess.PIPE))
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()  # it spins from here on
        yield
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.communicate()
