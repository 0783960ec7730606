"""Machines that do not give everything: nothing writable, no home, little memory, forks and threads."""

import os
import resource
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import figures
import pytest
from commands import TINY, digits, environment, result, settle, train
from processes import ROOT, run

from jitnet.cli import main
from jitnet.storage import checkpoint
from jitnet.training import loop

WORDS = ("train", "cnn", *TINY, "--epochs", "2", "--ui", "plain")
UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


def can_unshare() -> bool:
    return (
        shutil.which("unshare") is not None and subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0
    )


def with_read_only(place: Path, folder: Path, *words: str, **changes: str) -> subprocess.CompletedProcess:
    """Run jitnet where one folder can't be written, not even by root: a permission would not keep root out."""
    at = shlex.quote(str(place))
    script = (
        f"mount --bind {at} {at} && mount -o remount,ro,bind {at} && cd . "
        f"&& ! touch {at}/probe 2>/dev/null || exit 99; cd {shlex.quote(str(folder))}; "
        f"exec {shlex.join([sys.executable, '-W', 'error', '-B', '-m', 'jitnet', *words])}"
    )
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", script], cwd=folder, env=environment(folder, **changes), capture_output=True, text=True
    )
    assert done.returncode != 99, "the folder could still be written"
    return done


needs_unshare = pytest.mark.skipif(not can_unshare(), reason="needs user namespaces")


@needs_unshare
@pytest.mark.parametrize("place", ["package", "home"])
def test_what_training_does_not_write_may_be_read_only(folder, place):
    (folder / "home").mkdir()
    read_only = ROOT if place == "package" else folder / "home"
    done = with_read_only(read_only, folder, *WORDS, "--name", "run", HOME=str(folder / "home"))
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert result(folder / "runs" / "run") == result(train("wanted"))
    figures.note("hosts", **{f"read-only {place}": "trains"})


@needs_unshare
@pytest.mark.parametrize("place", ["working folder", "runs"])
def test_where_no_run_can_be_kept_none_is_started(folder, place):
    train("old")
    read_only = folder if place == "working folder" else folder / "runs"
    done = with_read_only(read_only, folder, *WORDS, "--name", "run")
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
    assert "cannot create a run in runs" in done.stderr and "--runs-dir DIR" in done.stderr
    done = with_read_only(read_only, folder, "resume", "old", "--epochs", "3")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "cannot train in runs/old" in done.stderr
    done = with_read_only(read_only, folder, "eval", "old")
    assert (done.returncode, done.stderr) == (0, "")
    figures.note("hosts", **{f"read-only {place}": "refused before training"})


def test_without_a_home(folder):
    environ = environment(folder)
    del environ["HOME"]
    words = [sys.executable, "-W", "error", "-m", "jitnet", *WORDS, "--name", "run"]
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def limited(folder: Path, megabytes: int, *words: str) -> subprocess.CompletedProcess:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "jitnet", *words], cwd=folder, preexec_fn=limit, capture_output=True,
        env=environment(folder, NUMBA_NUM_THREADS="1"), text=True,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space")
def test_memory_that_is_limited(folder):
    done = limited(folder, 3000, "train", "mlp", "--hidden", "20000,20000", "--data", "digits", "--name", "run")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "memory" in done.stderr, done.stderr
    assert not (folder / "runs").exists() or not list((folder / "runs").iterdir())
    done = limited(folder, 3000, *WORDS, "--name", "run")
    assert done.returncode == 0, done.stderr


def test_memory_that_runs_out_in_mid_training(folder, monkeypatch, capsys):
    """As an error it is one sentence, and what was saved before continues to the same bits."""
    real, calls = loop.Training._train_epoch, []

    def full(self):
        calls.append(self)
        if len(calls) == 2:
            raise MemoryError("Unable to allocate 1 TiB")
        return (yield from real(self))

    with monkeypatch.context() as patch:
        patch.setattr(loop.Training, "_train_epoch", full)
        assert main([*WORDS, "--name", "run", "--ui", "quiet"]) == 2
    shown = capsys.readouterr().err
    assert "Unable to allocate 1 TiB" in shown and shown.count("\n") == 1
    assert checkpoint.load("runs/run/last.safetensors")[0]["position"].tolist() == [1, 0, 200]
    assert main(["resume", "run", "--ui", "quiet"]) == 0
    assert result(Path("runs/run")) == result(train("wanted"))


FILLED = """
import sys
from jitnet.training import loop
from jitnet.cli import main

real = loop.Training._evaluate_epoch

def evaluate(self):
    if self.position.epoch == 1:  # of 0, 1, 2
        with open("runs/filler", "wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4096)):
                    pass
            except OSError as error:
                print(error.strerror)
    return (yield from real(self))

loop.Training._evaluate_epoch = evaluate
sys.exit(main(sys.argv[1:]))
"""


@needs_unshare
def test_a_disk_that_is_really_full(folder):
    """A file system of 512 KiB is filled in mid-training: the exit code reports it, the last checkpoint is whole."""
    (folder / "runs").mkdir()
    python = f"{shlex.quote(sys.executable)} -W error"
    words = shlex.join((*WORDS, "--epochs", "3", "--name", "run"))
    script = f"""
        mount -t tmpfs -o size=512k tmpfs runs || exit 99
        cd .
        {python} -c {shlex.quote(FILLED)} {words}; test $? = 1 || exit 98
        ls -A runs/run | grep tmp && exit 97
        rm runs/filler
        {python} -m jitnet resume run --ui quiet || exit 96
        cp -r runs/run kept
    """
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", script], cwd=folder, env=environment(folder), capture_output=True, text=True
    )
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    assert done.stdout.count("No space left on device\n") >= 1
    assert "cannot" in done.stderr and "training continues and saves again later" in done.stdout + done.stderr
    assert result(folder / "kept") == result(train("wanted", epochs=3))


FLAT = """
from pathlib import Path
from commands import TINY
from jitnet.cli import main
from jitnet.training import loop

def used():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0])

seen = []
real = loop.Training._evaluate_epoch
def evaluate(self):
    seen.append(used())
    return (yield from real(self))
loop.Training._evaluate_epoch = evaluate
assert main(["train", "cnn", *TINY, "--epochs", "300", "--ui", "quiet"]) == 0
assert len(seen) == 300 and seen[-1] - seen[100] < 2048, (seen[100], seen[-1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_stays_flat_over_300_epochs(folder):
    run(FLAT)


FORKED = """
import os, sys
import nets, numba
import numpy as np
case = nets.case(nets.MAKES[10], np.float32, images=40)
if sys.argv[1] == "after":
    before = case.network.logits(case.images)
child = os.fork()
if child == 0:
    try:
        here = case.network.logits(case.images)
    except RuntimeError as error:
        print(error, flush=True)
        os._exit(3)
    os._exit(0)
status = os.waitpid(child, 0)[1]
assert sys.argv[1] == "before" or (case.network.logits(case.images) == before).all()  # the parent continues
print(numba.threading_layer() if sys.argv[1] == "after" else "", os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="needs fork")
@pytest.mark.parametrize(("layer", "code"), [("omp", 3), ("workqueue", 0)])
def test_a_fork_behind_the_first_kernel(layer, code):
    """GNU's OpenMP would end the child by a signal: an error instead. workqueue can continue."""
    said = run(FORKED, "after", NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="4")
    assert said.endswith(f"{layer} {code}\n")
    assert ("multiprocessing's 'spawn'" in said) == (code == 3)


@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="needs fork")
def test_a_fork_before_the_first_kernel():
    assert run(FORKED, "before", NUMBA_THREADING_LAYER="omp").split() == ["0"]


THREADS = """
import threading
import nets, numba
import numpy as np
from jitnet.data.synthetic import draw

case = nets.case(nets.MAKES[10], np.float32, images=40)
wanted, drawn = case.network.logits(case.images), draw(0, 0, 40)[0]
wrong = []

def work(number):
    for _ in range(15):
        if number % 2:
            wrong.append(not np.array_equal(case.network.logits(case.images), wanted))
        else:
            wrong.append(not np.array_equal(draw(0, 0, 40)[0], drawn))

threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(numba.threading_layer(), len(wrong), sum(wrong))
"""


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_python_threads_take_turns(layer):
    """workqueue would abort the process when two enter a parallel kernel at once."""
    assert run(THREADS, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="4").split() == [layer, "60", "0"]


def test_what_python_threads_and_forks_would_do_without_the_guard():
    """The guard is needed: without it the process is ended by a signal."""
    unguarded = "import contextlib, jitnet.kernels.compiler.thread_pool as o\no.exclusive = contextlib.nullcontext\n"
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    done = subprocess.run(
        [sys.executable, "-c", unguarded + THREADS], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": paths, "NUMBA_THREADING_LAYER": "workqueue", "NUMBA_NUM_THREADS": "4"},
    )  # fmt: skip
    assert done.returncode < 0 and "Concurrent access" in done.stderr
