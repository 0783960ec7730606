"""Real trainings on real terminals and on none: with anything on the other side, the run ends with the same bits."""

import os
import random
import select
import signal
import subprocess
import sys
import time

import figures
import pytest
from commands import TINY, digits, environment, result, settle, train

EPOCHS = 12
WORDS = ("train", "cnn", *TINY, "--epochs", str(EPOCHS))
TERMINAL = {"TERM": "xterm-256color"}
ESCAPE = b"\x1b"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


class OnTerminal:
    """jitnet on a pseudo-terminal: what it shows, and whether the terminal is as it was."""

    def __init__(self, folder, *words, size=(30, 100), **changes):
        pty, self.termios = pytest.importorskip("pty"), pytest.importorskip("termios")
        self.leader, self.follower = pty.openpty()
        self.resize(*size)
        self.before = self.termios.tcgetattr(self.follower)
        self.text = b""
        self.child = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "jitnet", *words], stdin=self.follower, stdout=self.follower,
            stderr=self.follower, cwd=folder, env=environment(folder, **(TERMINAL | changes)),
        )  # fmt: skip

    def resize(self, lines, columns):
        self.termios.tcsetwinsize(self.follower, (lines, columns))

    def follow(self, act=lambda: None) -> int:
        """Read to the end of the process, calling `act` now and then; return its exit code."""
        deadline = time.monotonic() + 120
        while (self.child.poll() is None or self._ready()) and time.monotonic() < deadline:
            if self._ready():
                self.text += os.read(self.leader, 65536)
            act()
        code = self.child.wait(5)
        assert self.termios.tcgetattr(self.follower) == self.before
        assert self.text.rfind(b"\x1b[?25h") >= self.text.rfind(b"\x1b[?25l")  # the cursor is shown
        for mode in (b"1049", b"2004", b"1000"):
            assert self.text.count(b"\x1b[?" + mode + b"h") == self.text.count(b"\x1b[?" + mode + b"l")
        assert b"Traceback" not in self.text
        return code

    def _ready(self):
        return bool(select.select([self.leader], [], [], 0.01)[0])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.child.kill()
        self.child.wait()
        os.close(self.leader)
        os.close(self.follower)


@pytest.mark.parametrize(
    ("kind", "words", "code"),
    [
        ("done", (), 0),
        ("diverged", ("--lr", "1e30", "--schedule", "constant"), 3),
        ("bad input", ("--limit", "1000000"), 2),
        (signal.SIGINT, ("--epochs", "1000000"), 130),
        (signal.SIGTERM, ("--epochs", "1000000"), 143),
        (signal.SIGHUP, ("--epochs", "1000000"), 129),
    ],
)
def test_the_terminal_after_every_kind_of_exit(folder, kind, words, code):
    with OnTerminal(folder, *WORDS, *words, "--name", "run") as terminal:
        steps, sent = folder / "runs/run/steps.jsonl", []

        def act():
            if isinstance(kind, signal.Signals) and not sent and steps.exists() and steps.stat().st_size:
                terminal.child.send_signal(kind)
                sent.append(kind)

        assert terminal.follow(act) == code
        assert (b"\x1b[?25l" in terminal.text) == (kind != "bad input")
        if kind == "done":
            assert result(folder / "runs/run") == result(train("wanted", epochs=EPOCHS))


def test_watched_under_workqueue(folder):
    """Which would abort the process if a second thread of the view entered a kernel."""
    words = (*WORDS, "--batch-size", "20", "--threads", "2", "--name", "run")
    with OnTerminal(folder, *words, NUMBA_THREADING_LAYER="workqueue") as terminal:
        assert terminal.follow() == 0
        assert b"\x1b[?25l" in terminal.text and b"workqueue" in terminal.text
    assert result(folder / "runs/run") == result(train("wanted", "--batch-size", "20", epochs=EPOCHS))


def test_resizes_during_training(folder):
    """A hundred sizes, 1x1 among them, as far as training lasts."""
    draw, sizes = random.Random(0), [(1, 1), (5, 20), (2, 200), (100, 1)]
    sizes += [(draw.randint(1, 60), draw.randint(1, 180)) for _ in range(96)]
    long = ("train", "cnn", *TINY, "--epochs", "150", "--name", "run")
    with OnTerminal(folder, *long, size=(1, 1)) as terminal:
        left = list(sizes)

        def act():
            if left and b"\x1b[?25l" in terminal.text:
                terminal.resize(*left.pop())
                terminal.child.send_signal(signal.SIGWINCH)

        assert terminal.follow(act) == 0
    assert len(left) < 50  # that many sizes at the least
    assert result(folder / "runs/run") == result(train("wanted", epochs=150))
    figures.note("terminals", resizes=len(sizes) - len(left))


@pytest.mark.slow
def test_stopped_and_continued(folder):
    """Ctrl-Z and fg: no bit changes."""
    with OnTerminal(folder, *WORDS, "--epochs", "150", "--name", "run") as terminal:
        steps, sent = folder / "runs/run/steps.jsonl", []

        def act():
            if len(sent) < 5 and steps.exists() and steps.stat().st_size:
                sent.append(True)
                terminal.child.send_signal(signal.SIGSTOP)
                time.sleep(0.02)
                terminal.child.send_signal(signal.SIGCONT)

        assert terminal.follow(act) == 0 and len(sent) == 5
    assert result(folder / "runs/run") == result(train("wanted", epochs=150))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"TERM": "dumb"},
        {"FORCE_COLOR": "1", **TERMINAL},
        {"NO_COLOR": "1", **TERMINAL},
        {"TTY_COMPATIBLE": "1", **TERMINAL},
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        {"LANG": "", "LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"COLUMNS": "1", "LINES": "1"},
    ],
    ids=lambda changes: " ".join(f"{name}={value}" for name, value in changes.items()) or "a pipe",
)
@pytest.mark.parametrize("ui", ["auto", pytest.param("live", marks=pytest.mark.slow)])
def test_outside_a_terminal_there_is_no_escape_byte(folder, changes, ui):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "jitnet", *WORDS, "--name", "run", "--ui", ui], cwd=folder,
        env=environment(folder, **changes), capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ESCAPE not in done.stdout + done.stderr and done.stdout.count(b"avg loss") == EPOCHS
    assert result(folder / "runs/run") == result(train("wanted", epochs=EPOCHS))


@pytest.mark.parametrize("ui", ["auto", *(pytest.param(ui, marks=pytest.mark.slow) for ui in ("json", "quiet"))])
@pytest.mark.parametrize("end", ["closed", "/dev/full", "| head -1"])
def test_a_dead_output_changes_no_bit(folder, ui, end):
    words = " ".join(f"'{word}'" for word in (sys.executable, "-m", "jitnet", *WORDS, "--name", "run", "--ui", ui))
    into = {"closed": ">&-", "/dev/full": "> /dev/full", "| head -1": "| head -1 > /dev/null"}[end]
    done = subprocess.run(["sh", "-c", f"{words} {into}"], cwd=folder, env=environment(folder), capture_output=True)
    assert b"Traceback" not in done.stderr
    if "|" not in end:  # there it is head's code
        assert done.returncode == (0 if ui == "quiet" else 1), done.stderr
    assert result(folder / "runs/run") == result(train("wanted", epochs=EPOCHS))
