"""The live view in time and on a terminal: its pace, resizes, a lost terminal, and the lines that stay."""

import io
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
from sample_run import events, started, steps

from jitnet.display.live.dashboard import Dashboard
from jitnet.events import Warned

ROOT = Path(__file__).resolve().parents[2]


class Clock:
    """A clock that advances by `step` with every reading."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.mark.parametrize(("frame_s", "most_per_s"), [(1e-6, 10.0), (0.002, 3.4), (0.01, 0.7)])
def test_frames_are_paced_by_their_cost(frame_s, most_per_s):
    clock = Clock(frame_s)
    view = Dashboard(io.StringIO(), {}, clock)
    with view:
        view.handle(started())
        before, began = view.frames, clock.now
        for done in range(2000):
            clock.now += 0.05
            view.handle(steps(0, done))
    seconds = clock.now - began
    assert 0.6 * most_per_s <= (view.frames - before) / seconds <= most_per_s


def test_the_screen_is_erased_and_the_end_remains(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    out = io.StringIO()
    with Dashboard(out, {}, Clock(1.0)) as view:
        for event in events():
            view.handle(event)
        view.handle(Warned(message="the disk is slow"))
    text = out.getvalue()
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert "the disk is slow" in text
    assert text.rstrip().endswith("Total execution time: 1.02 minutes (1 min 1 s)\x1b[0m")
    assert view.drawing_s > 0 and not view.broken and "\x1b[?1049h" not in text


@pytest.fixture
def resize(monkeypatch):
    """Returns a function that gives the terminal another size."""
    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)

    def to(columns: int, lines: int) -> None:
        monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((columns, lines)))

    to(80, 24)
    return to


def test_resizes_do_not_raise(resize):
    out = io.StringIO()
    with Dashboard(out, {}, Clock(1.0)) as view:
        for index, event in enumerate(events()):
            resize(1 + index * 37 % 180, 1 + index * 23 % 60)
            view.handle(event)
    text = out.getvalue()
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l") and text.count("\x1b[2J") > 10


def test_a_new_size_is_drawn_at_once_even_in_a_pause(resize):
    with Dashboard(io.StringIO(), {}, Clock(1e-6)) as view:
        view.handle(started())
        view.handle(steps(0, 6000))
        before = view.frames
        view.handle(steps(0, 12000))
        assert view.frames == before  # too early for another frame
        resize(100, 24)
        view.handle(steps(0, 18000))
        assert view.frames == before + 1
        view.wait()
        resize(60, 24)
        view.wait()
        assert view.frames == before + 2


def test_a_lost_terminal_silences_the_view_only():
    class Lost(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    with Dashboard(Lost(), {}, Clock(1.0)) as view:
        for event in events():
            view.handle(event)
    assert view.broken and view.frames == 0 and len(view.state.epochs) == 9


@pytest.mark.parametrize("error", ["RuntimeError('boom')", "KeyboardInterrupt", "SystemExit(3)"])
def test_the_terminal_is_as_before_after_an_exception(error):
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests" / "support")!r})
from sample_run import events
from jitnet.display import open_view
with open_view("live") as view:
    for number, event in enumerate(events()):
        view.handle(event)
        if number == 20:
            raise {error}
"""
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    leader, follower = pty.openpty()
    before = termios.tcgetattr(follower)
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    environ.pop("NO_COLOR", None)
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=follower, stdout=follower, stderr=follower, cwd=ROOT, env=environ
    )
    text = b""
    try:
        while child.poll() is None or _ready(leader):
            if _ready(leader):
                text += os.read(leader, 65536)
        assert child.returncode != 0
        assert termios.tcgetattr(follower) == before
    finally:
        child.kill()
        child.wait()
        os.close(leader)
        os.close(follower)
    assert b"\x1b[?25l" in text and text.rfind(b"\x1b[?25h") > text.rfind(b"\x1b[?25l")
    assert b"avg loss" in text and b"\x1b[?1049h" not in text


def _ready(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0.05)[0])
