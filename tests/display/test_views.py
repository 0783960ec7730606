"""Which view is opened, and that every view keeps the same promises."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from sample_run import events

from jitnet.display import CHOICES, Quiet, choose, open_view
from jitnet.display.jsonlines import JsonLines
from jitnet.display.live.dashboard import Dashboard
from jitnet.display.plain import Plain

XTERM = {"TERM": "xterm-256color"}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("ui", "terminal", "environ", "expected"),
    [
        ("auto", True, XTERM, "live"),
        ("auto", True, {}, "live"),
        ("auto", False, XTERM, "plain"),
        ("auto", True, {"TERM": "dumb"}, "plain"),
        ("auto", True, {"TERM": "unknown"}, "plain"),
        ("auto", True, {**XTERM, "CI": "true"}, "plain"),
        ("auto", True, {**XTERM, "CI": "false"}, "live"),
        ("auto", True, {**XTERM, "CI": "true", "FORCE_COLOR": "1"}, "plain"),
        ("auto", False, {**XTERM, "FORCE_COLOR": "1"}, "plain"),
        ("auto", False, {**XTERM, "TTY_COMPATIBLE": "1"}, "plain"),
        ("auto", True, {**XTERM, "TTY_COMPATIBLE": "0"}, "plain"),
        ("auto", True, {**XTERM, "TTY_INTERACTIVE": "0"}, "plain"),
        ("auto", False, {**XTERM, "TTY_INTERACTIVE": "1"}, "plain"),
        ("auto", True, {**XTERM, "CI": "true", "TTY_INTERACTIVE": "1"}, "live"),
        ("auto", True, {**XTERM, "NO_COLOR": "1"}, "live"),
        ("live", True, {**XTERM, "CI": "true"}, "live"),
        ("live", True, {**XTERM, "TTY_INTERACTIVE": "0"}, "live"),
        ("live", False, XTERM, "plain"),
        ("live", True, {"TERM": "dumb"}, "plain"),
        ("plain", True, XTERM, "plain"),
        ("json", True, XTERM, "json"),
        ("quiet", True, XTERM, "quiet"),
    ],
)
def test_choice(ui, terminal, environ, expected):
    assert choose(ui, terminal, environ) == expected
    stream = Terminal() if terminal else io.StringIO()
    kinds = {"live": Dashboard, "plain": Plain, "json": JsonLines, "quiet": Quiet}
    assert type(open_view(ui, stream, io.StringIO(), environ)) is kinds[expected]


def test_an_unknown_view_is_refused():
    with pytest.raises(ValueError, match="expected one of auto, live, plain, json, quiet"):
        open_view("fancy")


def test_live_without_a_terminal_says_so():
    errors = io.StringIO()
    open_view("live", io.StringIO(), errors, XTERM)
    assert "needs a terminal" in errors.getvalue()


@pytest.mark.parametrize("ui", CHOICES)
def test_every_view_shows_a_run_and_lets_errors_through(ui):
    with open_view(ui, io.StringIO(), io.StringIO(), XTERM) as view:
        for event in events(val=91.2):
            view.handle(event)
    assert not view.broken and view.drawing_s >= 0.0
    with pytest.raises(ZeroDivisionError), open_view(ui, Terminal(), io.StringIO(), XTERM):
        raise ZeroDivisionError


def test_colour_is_apart_from_animation(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Terminal()
    with open_view("auto", out, io.StringIO(), XTERM) as view:
        for event in events():
            view.handle(event)
    assert "\x1b[?25l" in out.getvalue() and "\x1b[38" not in out.getvalue()


def test_quiet_is_quiet(capsys):
    with open_view("quiet") as view:
        for event in events():
            view.handle(event)
    assert capsys.readouterr() == ("", "")


def test_plain_lines_need_no_rich():
    code = "import sys, jitnet.display as v; v.open_view('plain'); sys.exit('rich' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0
