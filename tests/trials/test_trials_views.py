"""The table of trials as text: on a terminal of any size, in a pipe, as JSON."""

import io
import json
import re

import pytest

from jitnet.display.live.frame import ASCII, UNICODE
from jitnet.display.trial_table import render
from jitnet.display.trials import open_trials_view, outcome
from jitnet.events import Compiling
from jitnet.history.board import Board, Row


@pytest.fixture
def board(tmp_path):
    rows = [Row(f"lr-0.{k}_seed-0", "", {"lr": k / 10, "seed": 0}, 9) for k in range(1, 9)]
    states = ["done", "running", "diverged", "lost", "failed", "cut", "waiting", "waiting"]
    for row, status in zip(rows, states):
        row.status = status
    rows[0].epoch, rows[0].test_accuracy, rows[0].train_loss = 9, 98.125, 0.0625
    rows[1].epoch, rows[1].fraction, rows[1].test_accuracy, rows[1].train_loss = 4, 0.5, 98.75, 0.5
    rows[2].message = "the loss is nan at step 7"
    rows[3].message = "its worker was killed 3 times"
    return Board("sweep cnn", tmp_path / "runs", rows, 72.0, engine="2 processes, 1 thread each", preparing=False)


def text(board, width, height, glyphs=UNICODE):
    return ["".join(piece for piece, _ in line) for line in render(board, width, height, glyphs).lines]


def test_every_trial_has_a_line_and_the_best_a_star(board):
    lines = text(board, 110, 40)
    assert len(lines) == 1 + 1 + 8 + 1 + 2
    assert "sweep cnn" in lines[0] and "1 running" in lines[0]
    assert "★ lr-0.2_seed-0" in lines[3] and "running" in lines[3] and "4/9" in lines[3] and "98.75" in lines[3]
    assert "★" not in lines[2] and "diverged" in lines[4] and "nan at step 7" in lines[4]
    assert "its worker was killed 3 times" in lines[5]
    assert "5 of 8, best 98.75 % (lr-0.2_seed-0)" in lines[-2]
    assert "2 processes, 1 thread each" in lines[-1]


@pytest.mark.parametrize(("width", "height"), [(110, 9), (80, 12), (60, 24), (40, 8), (20, 5)])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_it_fits_terminals_of_any_size(board, width, height, glyphs):
    lines = text(board, width, height, glyphs)
    assert len(lines) <= height and {len(line) for line in lines} == {width}


def test_what_matters_stays_when_not_all_fits(board):
    shown = "\n".join(text(board, 110, 10))
    assert "lr-0.2_seed-0" in shown and "diverged" in shown and "and 5 more" in shown
    assert "waiting" not in shown


def test_a_hostile_message_moves_no_cursor(board):
    board.rows[2].message = "\x1b[2Jgone"
    assert not any("\x1b" in line for line in text(board, 110, 40))


def test_plain_lines_say_each_thing_once(board):
    out, errors, now = io.StringIO(), io.StringIO(), 0.0
    board.notices = ["MNIST could not be had"]
    with open_trials_view("plain", board, out, errors, {}, lambda: now) as view:
        for row in (*board.rows, *board.rows, None):
            view.handle(row)
        now += 31.0
        view.handle(None)
    lines = out.getvalue().splitlines()
    assert lines[0] == f"sweep cnn: 8 trials of 9 epochs in {board.path}"
    assert lines[2] == (
        "lr-0.1_seed-0: done, 9 epochs, avg loss = 0.062500, accuracy = 98.12 % (5 of 8, best 98.75 % (lr-0.2_seed-0))"
    )
    assert lines[-1].startswith("1 running: 5 of 8")
    assert len(lines) == 2 + 5 + 1 and errors.getvalue() == "warning: MNIST could not be had\n"


@pytest.mark.parametrize(
    ("epochs", "planned", "told"),
    [
        ([1], 1.0, "1 trial of 1 epoch"),
        ([1, 2], 3.0, "2 trials of up to 2 epochs"),
        ([4, 4], 6.0, "2 trials of up to 4"),
    ],
)
def test_the_first_line_tells_how_long_trials_are(tmp_path, epochs, planned, told):
    """Of a sweep over epochs, and of a halving, it once told the first trial's."""
    rows = [Row(f"seed-{seed}", "", {"seed": seed}, each) for seed, each in enumerate(epochs)]
    out = io.StringIO()
    with open_trials_view("plain", Board("sweep cnn", tmp_path, rows, planned), out, io.StringIO(), {}):
        assert out.getvalue().startswith(f"sweep cnn: {told}")


def test_json_is_a_line_for_each_change(board):
    out = io.StringIO()
    with open_trials_view("json", board, out, io.StringIO(), {}) as view:
        view.handle(board.rows[0])
        view.handle(None)
    first, change, last = map(json.loads, out.getvalue().splitlines())
    assert (first["event"], change["event"], last["event"]) == ("TrialsPlanned", "TrialChanged", "TrialsEnded")
    assert change["name"] == "lr-0.1_seed-0" and change["test_accuracy"] == 98.125 and len(last["rows"]) == 8


def test_the_live_table_stays_on_the_screen_and_gives_the_cursor_back(board):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    with open_trials_view("live", board, out, io.StringIO(), {"TERM": "xterm-256color"}) as view:
        view.handle(board.rows[0])
    shown = out.getvalue()
    assert shown.startswith("\x1b[?25l") and shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")
    assert "lr-0.8_seed-0" in shown[shown.rfind("\x1b[?25h") :]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_live_table_is_drawn_in_its_time_and_stays_whole(board, monkeypatch):
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setenv("LINES", "12")
    now, out = [0.0], Terminal()
    with open_trials_view("live", board, out, io.StringIO(), {"TERM": "xterm"}, lambda: now[0]) as view:
        view.handle(board.rows[0])
        first = len(out.getvalue())
        view.handle(board.rows[1])  # too early for another frame
        assert len(out.getvalue()) == first
        board.notices.append("MNIST could not be had\x1b[2J")
        view.handle(None)
        told = out.getvalue()[first:]
        assert told.count("MNIST could not be had\\x1b[2J\n") == 1 and "\x1b[2J" not in told
        view._console.size = (70, 12)
        before, now[0] = len(out.getvalue()), 1.0
        view.handle(None)
        narrow = [len(line) for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue()[before:]).split("\n")]
        assert 70 in narrow and max(narrow) == 70
        before = len(out.getvalue())
    shown = out.getvalue()[before:]
    places = [shown.index(row.name) for row in board.rows]  # all of them, the best first
    assert places[1] < places[0] < min(places[2:]) and places[2:] == sorted(places[2:])
    assert [row.name for row in board.rows] == sorted(row.name for row in board.rows)  # of the table no row moves


def test_json_has_a_record_for_each_thing(board):
    board.notices, out = ["MNIST could not be had"], io.StringIO()
    with open_trials_view("json", board, out, io.StringIO(), {}) as view:
        view.handle(board.rows[2])
        view.handle(None)
    records = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [record["event"] for record in records] == ["TrialsPlanned", "Warned", "TrialChanged", "TrialsEnded"]
    assert records[2]["message"] == "the loss is nan at step 7" and len(records[3]["rows"]) == 8


def test_quiet_says_warnings_alone(board, capsys):
    board.notices, errors = ["MNIST could not be had"], io.StringIO()
    with open_trials_view("quiet", board, io.StringIO(), errors, {}) as view:
        for row in board.rows:
            view.handle(row)
    assert errors.getvalue() == "warning: MNIST could not be had\n" and capsys.readouterr().out == ""


def test_a_trial_of_numbers_tells_its_error(board):
    board.rows[0].test_accuracy, board.rows[0].test_loss = None, 0.25
    assert outcome(board.rows[0]).endswith("avg loss = 0.062500, rmse = 0.5")


@pytest.mark.parametrize(
    ("ui", "told", "times"),
    [
        ("plain", "jitnet compiles its kernels, about 42 s left", 1),
        ("json", '"event": "Compiling"', 2),
        ("quiet", "ompil", 0),
    ],
)
def test_workers_that_compile_are_announced(board, ui, told, times):
    board.preparing, out = True, io.StringIO()
    with open_trials_view(ui, board, out, io.StringIO(), {}) as view:
        view.handle(None)
        for seconds in (0.4, 2.0, 2.0):
            board.compiling = Compiling(name="k", index=0, total=2, cached=False, seconds=seconds, left_s=42.0)
            view.handle(None)
    assert out.getvalue().count(told) == times
    assert "compiling kernels, about 42 s left" in text(board, 110, 40)[0]
    board.compiling = Compiling(name="", index=2, total=2, cached=False, seconds=9.0)
    assert "preparing data and kernels" in text(board, 110, 40)[0]
