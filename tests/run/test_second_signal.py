"""A second signal leaves at once, wherever it arrives: in silence, with a whole terminal."""

import io
import os
import signal
import sys
import warnings
import weakref

import pytest
from commands import start
from sample_run import started

from jitnet.commands.support.session import Stop
from jitnet.display.live.dashboard import Dashboard
from jitnet.display.trial_table import TrialTable
from jitnet.history.board import Board, Row


@pytest.fixture
def printed(monkeypatch):
    """What Python would print of exceptions that nobody can catch; warnings are such exceptions."""
    heard = []
    monkeypatch.setattr(sys, "unraisablehook", heard.append)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield heard


def twice():
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)


class Destroyed:
    def __del__(self):
        twice()


class Watched:
    pass


def destroy():
    Destroyed()


def destroy_what_is_watched():
    watched = Watched()
    weakref.finalize(watched, twice)
    del watched


@pytest.mark.parametrize("doing", [destroy, destroy_what_is_watched])
def test_a_second_signal_in_a_destructor_leaves_it_to_the_first(printed, doing):
    """Python prints an exception there and goes on: the signal would be lost."""
    with Stop() as stop:
        doing()
    assert stop.signal == signal.SIGINT and printed == []


def test_a_second_signal_as_a_file_was_opened_goes_in_silence(printed):
    """Before the file has a name, nobody can close it; Python warns of that."""
    with pytest.raises(SystemExit) as left, Stop():
        signal.raise_signal(signal.SIGINT)
        [open(os.devnull), signal.raise_signal(signal.SIGTERM)]  # noqa: SIM115
    assert left.value.code == 143 and printed == []


def test_what_a_second_signal_left_half_made_goes_in_silence(tmp_path):
    """Such as LLVM's objects, whose __del__ wants what their __init__ had not come to."""
    code = (
        "import jitnet.cli\nclass Half:\n    def __del__(self):\n        self.missing\n"
        "def main():\n    half = Half()\n    raise SystemExit(130)\njitnet.cli.main = main\njitnet.cli.process()"
    )
    with start(tmp_path, program=("-c", code)) as process:
        assert process.communicate(timeout=60)[1] == "" and process.returncode == 130


class Terminal(io.StringIO):
    """A terminal that raises signals while it is given its nth output."""

    def __init__(self, nth: int, *signals: int):
        super().__init__()
        self.left, self.signals = nth, signals

    def isatty(self):
        return True

    def write(self, text):
        self.left -= 1
        if self.left == 0:
            for number in self.signals:
                signal.raise_signal(number)
        return super().write(text)


@pytest.mark.parametrize("kind", ["run", "trials"])
def test_the_cursor_returns_wherever_a_second_signal_arrives(kind, tmp_path):
    nth, left, terminal = 0, 0, Terminal(0)
    while terminal.left <= 0:  # until there are fewer outputs than that
        nth += 1
        terminal = Terminal(nth, signal.SIGINT, signal.SIGINT, signal.SIGTERM)
        if kind == "run":
            view, happening = Dashboard(terminal, {"TERM": "xterm"}, keyboard=terminal), started()
        else:
            rows = [Row("lr0.1", "runs/lr0.1", {"lr": 0.1}, 3, "running")]
            board = Board("sweep", tmp_path, rows, 3.0, notices=["a warning"])
            view, happening = TrialTable(board, terminal, {"TERM": "xterm"}), rows[0]
        try:
            with Stop(), view:
                view.handle(happening)
        except SystemExit:
            left += 1
        text = terminal.getvalue()
        assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l") >= 0, nth
    assert 0 < left < nth - 1  # at once while it is shown, but neither at its begin nor at its end
