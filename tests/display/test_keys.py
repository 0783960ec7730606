"""Keys while a run is watched, the panels of classes and digits, and that watching changes no weight."""

import io
import json
import os
import select
import signal
import sys
import time

import pytest
from commands import TINY, digits, environment, settle, weights
from rich.cells import cell_len
from rich.console import Console
from sample_run import epoch_done, started, steps
from test_dashboard import as_text

from jitnet.display.jsonlines import to_json
from jitnet.display.live import painter as painter_file
from jitnet.display.live.dashboard import Dashboard
from jitnet.display.live.frame import ASCII, UNICODE, Frame
from jitnet.display.live.keys import Keys
from jitnet.display.live.painter import Painter
from jitnet.display.live.progress import DashboardState
from jitnet.display.live.screen import render
from jitnet.events import PeakMeasured, from_record
from jitnet.training.glimpses import thumbnail

pty = pytest.importorskip("pty")
termios = pytest.importorskip("termios")

EXTENTS = ("28x28x1", "28x28x16", "14x14x16", "14x14x32", "7x7x32", "7x7x64", "100", "10")
SAMPLE = {"sample": ("f" * 50 + "0" * 50,) * 8, "sample_labels": tuple(range(8)), "classes": 10, "extents": EXTENTS}
CONFUSION = tuple(tuple(90 + row if row == column else 1 for column in range(10)) for row in range(10))


def state(**changes) -> DashboardState:
    made = DashboardState()
    made.apply(started(**(SAMPLE | changes)))
    made.apply(epoch_done(0, confusion=CONFUSION, sample_predictions=(0, 1, 2, 3, 4, 9, 6, 7)))
    made.apply(steps(1, 6000))
    return made


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("size", [(60, 20), (80, 24), (100, 24), (100, 40), (120, 40), (160, 60)])
def test_classes_and_digits_keep_the_frame(size, glyphs):
    for made in (state(), DashboardState()):
        made.keys = True
        for helped in (False, True):
            made.help = helped
            lines = as_text(render(made, *size, glyphs), *size).splitlines()
            assert {cell_len(line) for line in lines} == {size[0]} and len(lines) <= size[1] - 1
            assert "".join(lines).isascii() or glyphs is UNICODE


def test_throughput_is_shown_as_a_share_of_the_peak():
    made = state()
    assert "of peak" not in as_text(render(made, 100, 40), 100)
    made.apply(PeakMeasured(gflops=260.0, threads=1))
    assert made.peak_share == pytest.approx(0.5)
    for size in ((80, 24), (100, 40), (160, 40)):
        assert "50 % of peak" in as_text(render(made, *size), size[0])


def test_events_of_pictures_come_back_as_they_were():
    for event in (started(**SAMPLE), epoch_done(0, confusion=CONFUSION, sample_predictions=(1, 2))):
        assert from_record(json.loads(to_json(event))) == event


def test_a_thumbnail_keeps_light_where_it_is():
    import numpy as np

    image = np.zeros((28, 28), np.uint8)
    image[4:14, 4:24] = 255
    assert thumbnail(image) == "f" * 50 + "0" * 50
    assert len(thumbnail(np.zeros((6, 6, 3), np.uint8))) == 100


def screen_of(text: str, rows: int, columns: int) -> list[str]:
    """Return what a terminal shows after this text: a small one, that knows what the painter uses."""
    lines, y, x = [[" "] * columns for _ in range(rows)], 0, 0
    i = 0
    while i < len(text):
        if text[i] == "\x1b":
            end = next(j for j in range(i, len(text)) if text[j].isalpha())
            number = int("".join(c for c in text[i:end] if c.isdigit()) or 1)
            if text[end] == "A":
                y -= number
            elif text[end] == "B":
                y += number
            elif text[end] == "K":
                lines[y] = [" "] * columns
            elif text[end] == "J":
                lines[y:] = [[" "] * columns for _ in range(rows - y)]
            i = end
        elif text[i] == "\r":
            x = 0
        elif text[i] == "\n":
            y, x = y + 1, 0
        else:
            lines[y][x] = text[i]
            x += 1
        i += 1
    return ["".join(line).rstrip() for line in lines]


def test_only_changed_lines_are_written():
    out = io.StringIO()
    paint = Painter(Console(file=out, force_terminal=True, width=20))
    frames = [["one", "two", "three"], ["one", "TWO", "three"], ["ONE", "TWO", "THREE"], ["a", "b"], ["a", "b"]]
    for texts in frames:
        before = len(out.getvalue())
        paint.paint(Frame([[(text, "loss")] for text in texts]))
        assert [line for line in screen_of(out.getvalue(), 6, 20) if line] == texts
        written = out.getvalue()[before:]
        assert ("three" in written) == (texts is frames[0])
    assert written == ""  # the last frame is the one before
    paint.stop()
    assert not "".join(screen_of(out.getvalue(), 6, 20)).strip()


def test_without_colour_there_is_none():
    assert painter_file._codes("loss", None) == "" and "38;2" in painter_file._codes("loss", "truecolor")
    assert painter_file._codes("strong", None) == "\x1b[1m"


@pytest.fixture
def terminal():
    """The two ends of a terminal, and the follower as a text stream."""
    leader, follower = pty.openpty()
    with os.fdopen(follower, "rb", 0) as end:
        yield leader, end
    os.close(leader)


def test_keys_leave_a_terminal_that_is_not_theirs_alone(terminal):
    """The test's terminal does not control this process, so no key may be read from it."""
    before = termios.tcgetattr(terminal[1])
    with Keys(terminal[1]) as keys:
        assert not keys.heard and list(keys.pressed()) == []
    assert termios.tcgetattr(terminal[1]) == before
    with Keys(io.StringIO()) as keys:
        assert not keys.heard


def watched(folder, *words: str, keys: tuple[tuple[bytes, bytes], ...] = ()) -> tuple[int, bytes]:
    """Run jitnet on its own terminal; when it has written the first of a pair, press the second."""
    pid, leader = pty.fork()
    if pid == 0:
        os.chdir(folder)
        changes = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
        os.execve(sys.executable, [sys.executable, "-m", "jitnet", *words], environment(folder, **changes))
    shown, waiting, deadline = b"", list(keys), time.monotonic() + 25
    try:
        while time.monotonic() < deadline:
            if not select.select([leader], [], [], 1)[0]:
                continue
            try:
                part = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            shown += part
            if waiting and waiting[0][0] in shown:
                os.write(leader, waiting.pop(0)[1])
        else:
            os.kill(pid, signal.SIGKILL)
    finally:
        os.close(leader)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return digits(settle(monkeypatch, tmp_path)).parent


def test_pause_help_and_stop_by_key_and_the_same_weights_after_all(folder):
    from jitnet.cli import main

    base = ["train", "cnn", *TINY, "--threads", "1", "--epochs", "120"]
    code, shown = watched(
        folder, *base, "--name", "seen", "--ui", "live",
        keys=((b"stop  h help", b"h"), (b"show or hide this help", b"h"), (b"each class", b"p"), (b"paused", b"p"),
              (b"each class", b"q")),
    )  # fmt: skip
    assert code == 130, shown[-3000:]
    assert b"jitnet resume" in shown and b"test digits" in shown and shown.count(b"\x1b[?25h") == 1
    meta = json.loads((folder / "runs/seen/meta.json").read_text())
    assert meta["status"] == "stopped"
    done = (folder / "runs/seen/metrics.csv").read_text().count("\n") - 1
    assert 0 <= done <= 120
    # What was watched, paused and stopped ends with the weights of a run that nobody watched.
    unseen = [*TINY, "--epochs", "120", "--threads", "1", "--ui", "quiet", "--name", "unseen"]
    words = ["resume", "seen", "--ui", "quiet", "--threads", "1"]
    assert main(words) == 0 and main(["train", "cnn", *unseen]) == 0
    assert weights(folder / "runs/seen") == weights(folder / "runs/unseen")


def test_the_weights_are_those_of_an_unwatched_run(folder):
    from jitnet.cli import main

    words = [*TINY, "--epochs", "40", "--threads", "1"]
    code, shown = watched(folder, "train", "cnn", *words, "--name", "seen", "--ui", "live")
    assert code == 0 and b"test digits" in shown
    assert main(["train", "cnn", *words, "--name", "unseen", "--ui", "quiet"]) == 0
    assert weights(folder / "runs/seen") == weights(folder / "runs/unseen")


def test_a_pause_is_left_out_of_the_time(monkeypatch):
    from jitnet.commands.support.session import Stop, _pause

    class View:
        left = 3

        @property
        def paused(self):
            return self.left > 0

        def wait(self):
            time.sleep(0.01)
            self.left -= 1

    view, stop = View(), Stop()
    assert _pause(view, stop) >= 0.03 and view.left == 0  # type: ignore[arg-type]
    view.left, stop.signal = 3, signal.SIGINT
    _pause(view, stop)  # type: ignore[arg-type]
    assert view.left == 3


def test_a_view_without_a_terminal_hears_no_keys():
    with Dashboard(io.StringIO(), {}, keyboard=io.StringIO()) as view:
        assert not view.paused and not view.state.keys
