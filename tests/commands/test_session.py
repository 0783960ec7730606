"""What `train` and `resume` make of the events of a training: their order in the view, the time, the exit code."""

from types import SimpleNamespace

import pytest
from sample_run import epoch_done

from jitnet.commands.support import session
from jitnet.display import Quiet
from jitnet.events import CheckpointSaved, Diverged, Interrupted, RunFinished, Warned

SAVED = CheckpointSaved(path="p", kind="last", epoch=0, step=1, seconds=0.1)
FINISHED = RunFinished(test_accuracy=90.0, val_accuracy=None, elapsed_s=1.0)
DIVERGED = Diverged(epoch=0, step=1, lr=0.1, message="m")


def interrupted(name="SIGINT"):
    return Interrupted(signal=name, epoch=0, step=1, resume="")


class Folder:
    """Keeps the events that it is given, and saves a checkpoint after each event."""

    def __init__(self, save_failed=False):
        self.kept, self.drawing, self.save_failed = [], [], save_failed
        self.note_drawing = self.drawing.append

    def handle(self, event):
        self.kept.append(event)
        return [SAVED]


class View(Quiet):
    """Keeps what it shows, and is paused for some calls of `wait`."""

    drawing_s = 1.25

    def __init__(self, broken=False, pauses=0):
        self.seen, self.broken, self.pauses, self.seconds = [], broken, pauses, 0.0
        self.handle = self.seen.append

    @property
    def paused(self):
        return self.pauses > 0

    def wait(self):
        self.pauses -= 1
        self.seconds += 2.0


@pytest.fixture
def follow(monkeypatch):
    """Return a function that follows events, and the list of what is not part of the time of training."""

    def follow(events, view, folder, notices=(), logs=()):
        monkeypatch.setattr(session, "train", lambda run, signal_name: iter(events))
        monkeypatch.setattr(session.time, "perf_counter", lambda: view.seconds)
        left = []
        run = SimpleNamespace(folder=folder, training=SimpleNamespace(leave_out=left.append))
        return session.follow(run, view, list(notices), logs), left

    return follow


@pytest.mark.parametrize(
    ("event", "last"), [(epoch_done(0), False), (interrupted(), True), (FINISHED, True), (DIVERGED, False)]
)
def test_the_line_that_closes_a_run_comes_after_that_of_its_checkpoint(follow, event, last):
    view, folder = View(), Folder()
    follow([event], view, folder, ["careful"])
    assert view.seen[:2] == [Warned(message="careful"), SAVED] and folder.kept == [view.seen[0], event]
    assert view.seen[2:] == ([SAVED, event] if last else [event, SAVED])


@pytest.mark.parametrize(
    ("event", "fails", "broken", "code"),
    [
        (FINISHED, False, False, 0),
        (FINISHED, True, False, 1),
        (FINISHED, False, True, 1),
        (DIVERGED, True, True, 3),
        (interrupted("SIGINT"), False, False, 130),
        (interrupted("SIGTERM"), True, True, 143),
    ],
)
def test_the_exit_code_is_that_of_the_end_or_else_of_the_files(follow, event, fails, broken, code):
    assert follow([epoch_done(0), event], View(broken), Folder(fails))[0] == code


def test_a_pause_is_left_out_and_the_time_of_drawing_kept(follow):
    folder = Folder()
    assert follow([epoch_done(0), epoch_done(1), FINISHED], View(pauses=3), folder) == (0, [6.0, 0.0, 0.0])
    assert folder.drawing == [1.25]


def test_a_log_that_fails_gets_no_more_and_the_others_all(follow):
    good, asked = [], []

    def bad(event):
        asked.append(event)
        raise OSError("first line\nsecond")

    view = View()
    assert follow([epoch_done(0), FINISHED], view, Folder(), logs=[bad, good.append])[0] == 0
    assert good == [epoch_done(0), FINISHED] and asked == good[:1]
    (warned,) = (event for event in view.seen if isinstance(event, Warned))
    assert warned.message.endswith(" failed and is omitted from now on: first line")
