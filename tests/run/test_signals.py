"""Signals in every phase: a checkpoint is saved, the last line says how to continue, the terminal is whole."""

import functools
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import TINY, digits, environment, result, settle, start, train
from processes import ROOT, run

from jitnet import display, events
from jitnet.cli import main
from jitnet.storage import checkpoint

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WORDS = ("train", "cnn", *TINY, "--epochs", "3", "--val", "40", "--name", "run")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


@functools.cache
def whole():
    """Return the result of a run that nobody disturbs: the same in every test's folder."""
    return result(train("whole", "--val", "40", epochs=3))


class Signalling:
    """The plain view, but it raises signals when it is shown the nth event of a kind."""

    def __init__(self, *signals: int, kind: type, nth: int = 1):
        self.plain = display.open_view("plain")
        self.signals, self.kind, self.left = signals, kind, nth

    def __getattr__(self, name):
        return getattr(self.plain, name)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def handle(self, event):
        self.plain.handle(event)
        self.left -= isinstance(event, self.kind)
        if self.left == 0:
            self.left = -1
            for number in self.signals:
                signal.raise_signal(number)


def signalled(monkeypatch, *signals: int, kind: type, nth: int = 1) -> int:
    with monkeypatch.context() as patch:
        view = Signalling(*signals, kind=kind, nth=nth)
        patch.setattr("jitnet.commands.train.open_view", lambda ui: view)
        return main(list(WORDS))


def goes_on(run: Path) -> None:
    """Resume a run that was stopped, and hold its end against that of an undisturbed one."""
    assert main(["resume", str(run), "--ui", "quiet"]) == 0
    assert result(run) == whole()
    assert not list(run.glob(".*.tmp"))


PHASES = [  # event, which of them, where a signal stops, what was saved before it
    (events.RunStarted, 1, [0, 0, 0], [0, 0, 0]),
    (events.Compiling, 1, [0, 0, 0], [0, 0, 0]),
    (events.StepsDone, 2, [1, 160, 320], [1, 0, 160]),  # the tiny epoch is one call
    (events.Progress, 1, [0, 160, 160], [0, 0, 0]),
    (events.EpochDone, 2, [2, 0, 320], [2, 0, 320]),
]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(("kind", "nth", "position", "saved"), PHASES)
def test_a_signal_in_each_phase(folder, monkeypatch, capsys, number, kind, nth, position, saved):
    handlers = [signal.getsignal(other) for other in SIGNALS]
    assert signalled(monkeypatch, number, kind=kind, nth=nth) == 128 + number
    assert [signal.getsignal(other) for other in SIGNALS] == handlers
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"Stopped by {signal.Signals(number).name} in epoch {position[0] + 1}, step {position[2]}; "
        "a checkpoint is saved, continue with: jitnet resume runs/run"
    )
    assert checkpoint.load("runs/run/last.safetensors")[0]["position"].tolist() == position
    goes_on(Path("runs/run"))


def test_a_signal_behind_the_last_epoch_changes_nothing(folder, monkeypatch, capsys):
    assert signalled(monkeypatch, signal.SIGINT, kind=events.EpochDone, nth=3) == 0
    assert "Total execution time" in capsys.readouterr().out


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(("kind", "nth", "position", "saved"), PHASES)
def test_a_second_signal_leaves_at_once_in_each_phase(folder, monkeypatch, capsys, number, kind, nth, position, saved):
    with pytest.raises(SystemExit) as left:
        signalled(monkeypatch, signal.SIGINT, number, kind=kind, nth=nth)
    assert left.value.code == 128 + number and "Stopped" not in capsys.readouterr().out
    assert checkpoint.load("runs/run/last.safetensors")[0]["position"].tolist() == saved
    goes_on(Path("runs/run"))


def signalled_in_mid_save(monkeypatch, call: str, *signals: int) -> int:
    """Train; the signals come when the second save of `last` makes a system call."""
    save, real, saves = checkpoint.save_rotating, getattr(os, call), []

    def interrupted(*args, **options):
        monkeypatch.setattr(os, call, real)
        for number in signals:
            signal.raise_signal(number)
        return real(*args, **options)

    def saving(*args):
        saves.append(args)
        if len(saves) == 2:
            monkeypatch.setattr(os, call, interrupted)
        save(*args)

    monkeypatch.setattr(checkpoint, "save_rotating", saving)
    try:
        return main([*WORDS, "--ui", "plain"])
    finally:
        assert len(saves) == 2 and getattr(os, call) is real


SAVING = ("open", "write", "fsync", "link", "replace")


@pytest.mark.parametrize("call", SAVING)
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_in_mid_save(folder, monkeypatch, capsys, number, call):
    """The save is ended first: what stops the run is checked after it."""
    assert signalled_in_mid_save(monkeypatch, call, number) == 128 + number
    assert (
        capsys.readouterr()
        .out.splitlines()[-1]
        .startswith(f"Stopped by {signal.Signals(number).name} in epoch 3, step 320; a checkpoint is saved")
    )
    assert checkpoint.load("runs/run/last.safetensors")[0]["position"].tolist() == [2, 0, 320]
    goes_on(Path("runs/run"))


@pytest.mark.parametrize("call", SAVING)
def test_a_second_signal_in_mid_save(folder, monkeypatch, call):
    """The new checkpoint, or the old one."""
    with pytest.raises(SystemExit) as left:
        signalled_in_mid_save(monkeypatch, call, signal.SIGINT, signal.SIGINT)
    assert left.value.code == 130
    assert checkpoint.load("runs/run/last.safetensors")[0]["position"].tolist() == [1, 0, 160]
    goes_on(Path("runs/run"))


@pytest.mark.parametrize("place", range(16, 26))  # the syncs of the first epoch's saves and those after them
def test_a_second_signal_while_saving_leaves_a_whole_checkpoint(folder, monkeypatch, place):
    synced, fsync = [], os.fsync

    def interrupted(descriptor):
        synced.append(descriptor)
        if len(synced) == place:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        fsync(descriptor)

    with pytest.raises(SystemExit), monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupted)
        main([*WORDS, "--ui", "quiet"])
    run = Path("runs/run")
    assert not list(run.glob(".*.tmp"))
    checkpoint.load(run / "last.safetensors")
    goes_on(run)


def test_a_signal_that_the_parent_ignores_stays_ignored(folder, monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert signalled(monkeypatch, signal.SIGHUP, kind=events.StepsDone) == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_suite_sends_signals_where_its_own_parent_ignores_them():
    """A shell's background job has SIGINT ignored, nohup's SIGHUP; conftest.py hears both, and so do its children."""
    run(
        "import signal, subprocess, sys\n"
        "for number in (signal.SIGINT, signal.SIGHUP):\n    signal.signal(number, signal.SIG_IGN)\n"
        "sys.path.append(sys.argv[1])\n"
        "import conftest\n"
        "code = 'import signal; assert signal.SIG_IGN not in map(signal.getsignal, (2, 1))'\n"
        "assert signal.SIG_IGN not in map(signal.getsignal, (2, 1))\n"
        "subprocess.run([sys.executable, '-c', code], check=True)\n",
        str(ROOT / "tests"),
    )


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_ctrl_c_while_compiling(folder, times):
    cold = folder / "cold"
    with start(folder, *WORDS, NUMBA_CACHE_DIR="", JITNET_CACHE_DIR=str(cold)) as process:
        while not process.stdout.readline().startswith(f"compiling kernels {times}/"):
            assert process.poll() is None
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
        out, err = process.communicate(timeout=120)
    line = "in epoch 1, step 0; a checkpoint is saved, continue with: jitnet resume runs/run"
    assert process.returncode == 130 and err == ""
    assert times == 2 or out.splitlines()[-1].endswith(line)  # a second one may come too late to prevent that line
    assert list(cold.glob("kernels-*"))
    if times == 2:  # what was being written into the cache when it left harms nobody
        with start(folder, "resume", "run", NUMBA_CACHE_DIR="", JITNET_CACHE_DIR=str(cold)) as process:
            assert process.communicate(timeout=300)[1] == "" and process.returncode == 0
    goes_on(Path("runs/run"))


@pytest.mark.parametrize("nth", [1, 5])
def test_a_second_ctrl_c_while_llvm_is_handed_machine_code(folder, nth):
    """An exception there would crash it: the first one stops the run a little later."""
    with start(folder, str(nth), *WORDS, program=(str(ROOT / "tests" / "support" / "called_back.py"),)) as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 130 and err == ""
    assert out.splitlines()[-1].startswith("Stopped by SIGINT in epoch 1, step 0; a checkpoint is saved")
    goes_on(Path("runs/run"))


def test_ctrl_c_behind_the_end_changes_nothing(tmp_path):
    code = "import atexit, signal, jitnet.cli; atexit.register(signal.raise_signal, 2); jitnet.cli.process()"
    with start(tmp_path, "--version", program=("-c", code)) as process:
        assert process.communicate(timeout=60)[1] == "" and process.returncode == 0


@pytest.mark.parametrize("times", [1, 2])
def test_the_terminal_after_ctrl_c(folder, times):
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    leader, follower = pty.openpty()
    before = termios.tcgetattr(follower)
    words = ("train", "cnn", *TINY, "--epochs", "1000000", "--name", "run")
    environ = environment(folder, TERM="xterm-256color", COLUMNS="100", LINES="30")
    child = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "jitnet", *words],
        stdin=follower, stdout=follower, stderr=follower, cwd=folder, env=environ,
    )  # fmt: skip
    text, sent = b"", 0
    deadline = time.monotonic() + 60
    try:
        while (child.poll() is None or _ready(leader)) and time.monotonic() < deadline:
            if _ready(leader):
                text += os.read(leader, 65536)
            if b"images/s" in text and (folder / "runs/run/steps.jsonl").stat().st_size and sent < times:
                child.send_signal(signal.SIGINT)
                sent += 1
        assert child.wait(10) == 130
        assert termios.tcgetattr(follower) == before
    finally:
        child.kill()
        child.wait()
        os.close(leader)
        os.close(follower)
    assert b"\x1b[?25l" in text and text.rfind(b"\x1b[?25h") > text.rfind(b"\x1b[?25l")
    assert b"Traceback" not in text and (times == 2 or b"continue with: jitnet resume runs/run" in text)
    checkpoint.load(folder / "runs/run/last.safetensors")


def _ready(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0.02)[0])
