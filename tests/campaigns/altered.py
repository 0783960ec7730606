"""A copy of the sources in which one file at a time is altered: does a test fail there?

Only whether a test fails counts, not when, so that a busy machine changes no answer: the limit is one of processor
time. Answers are kept in a file, by the altered file and its tests, so that a campaign continues after an interruption.
"""

import compileall
import contextlib
import hashlib
import importlib
import os
import py_compile
import shlex
import shutil
import signal
import sys
import tempfile
import traceback
from pathlib import Path

import figures

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("bench", "docs", "jitnet", "kernels", "runs", "tests", "pyproject.toml", "README.md")
OPTIONS = ("-q", "-x", "-p", "no:cacheprovider", "-W", "ignore::RuntimeWarning",
           "-W", "ignore::pytest.PytestAssertRewriteWarning", "--hypothesis-profile=mutants")  # fmt: skip
PASSED, FAILED = 0, 1  # exit codes of pytest
SECONDS = 900


class Copy:
    """The copy, in a folder that stays: the kernels that its tests compile are used again by the next campaign.

    One process at a time has it; another one waits.
    """

    def __init__(self):
        import fcntl

        self.folder = Path(tempfile.gettempdir(), "jitnet-altered")
        self.folder.mkdir(exist_ok=True)
        self._lock = open(self.folder / "lock", "w")  # noqa: SIM115 (held until the process ends)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.sources, self.answers = self.folder / "sources", self.folder / "answers"
        shutil.rmtree(self.sources, ignore_errors=True)
        for room in ROOMS:
            if (ROOT / room).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", ".*")
                shutil.copytree(ROOT / room, self.sources / room, ignore=ignored)
            else:
                shutil.copy(ROOT / room, self.sources)
        for room in ("jitnet", "kernels"):  # an altered file of the same second and size is noticed by its hash
            compileall.compile_dir(
                self.sources / room, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH
            )
        answers = self.answers.read_text() if self.answers.exists() else ""
        self.known = dict(line.split() for line in answers.splitlines())

    def status(self, file: str, source: str, tests: str, seconds: int = SECONDS) -> int:
        """Return pytest's exit code with this source in the file's place, or minus the signal that ended it.

        Each process is granted `seconds` of processor time, and all of them ten times as much by the clock, for tests
        that wait for ever. Kernels run as plain Python if the file is one of theirs.
        """
        key = self._key(file, source, tests)
        if key not in self.known:
            path = self.sources / file
            was = path.read_text()
            path.write_text(source)
            try:
                self.known[key] = str(self._run(tests, seconds, file.startswith("kernels/")))
            finally:
                path.write_text(was)
            with self.answers.open("a") as answers:
                answers.write(f"{key} {self.known[key]}\n")
        return int(self.known[key])

    def _key(self, file: str, source: str, tests: str) -> str:
        digest = hashlib.sha256(f"{file}\0{source}\0{tests}".encode())
        for word in shlex.split(tests):
            path = self.sources / word.partition("::")[0]
            digest.update(path.read_bytes() if path.is_file() else b"")
        return digest.hexdigest()[:24]

    def _run(self, tests: str, seconds: int, interpreted: bool) -> int:
        import resource

        child = os.fork()
        if child == 0:
            try:
                os.setsid()
                resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
                signal.alarm(10 * seconds)
                os._exit(self._tests(tests, interpreted))
            except BaseException:
                traceback.print_exc()
                os._exit(9)
        _, status = os.waitpid(child, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what the tests had started
        return os.waitstatus_to_exitcode(status)

    def _tests(self, tests: str, interpreted: bool) -> int:
        """Run pytest in a forked process, which has no jitnet yet but all that takes long to import."""
        import numba
        import pytest

        loaded = {"jitnet", "bench"} & set(sys.modules)
        assert not loaded, f"{loaded} is loaded already: not the altered sources would be tested"
        os.chdir(self.sources)
        sys.path[:0] = [str(self.sources), str(self.sources / "tests")]
        figures.PLACE = None  # what altered sources count is not kept
        os.environ.pop("JITNET_FIGURES", None)
        os.environ |= {
            "NUMBA_DISABLE_JIT": str(int(interpreted)), "NUMBA_CACHE_DIR": "",
            "JITNET_CACHE_DIR": str(self.folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(sys.path[:2]),
        }  # fmt: skip
        sys.dont_write_bytecode = True
        numba.config.reload_config()
        os.dup2(os.open(self.folder / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(1, 2)
        return int(pytest.main([*OPTIONS, *shlex.split(tests)]))


def warm() -> None:
    """Import what takes long and is never altered, before the first fork."""
    for module in ("hypothesis.strategies", "numba", "pytest", "rich.console"):
        importlib.import_module(module)
