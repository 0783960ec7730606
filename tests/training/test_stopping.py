"""Runs that end before their last epoch: at a target, when they no longer get better, out of time."""

import json
from pathlib import Path

import pytest
from commands import TINY, digits, refusal, result, rows, settle, train
from sample_run import epoch_done, started

from jitnet.cli import main
from jitnet.config import Settings
from jitnet.display.live.progress import DashboardState
from jitnet.display.live.screen import render_end
from jitnet.display.plain import closing_lines
from jitnet.events import RunFinished
from jitnet.training.schedule import learning_rate
from jitnet.training.stopping import out_of_time, stop_reason


def row(epoch: int, test: float, val: float | None = None):
    return epoch_done(epoch, test_accuracy=test, val_accuracy=val)


def test_the_target_is_looked_for_on_validation_images_if_there_are_any():
    settings = Settings(target_accuracy=98.0)
    assert stop_reason(settings, [row(0, 97.99)], 0.0) == "" and stop_reason(settings, [], 0.0) == ""
    assert "98.00 % on the test images" in stop_reason(settings, [row(0, 98.0)], 0.0)
    settings = settings.replace(val=100)
    assert stop_reason(settings, [row(0, 99.0, 97.0)], 0.0) == ""
    assert "98.50 % on the validation images" in stop_reason(settings, [row(0, 90.0, 98.5)], 0.0)
    assert stop_reason(Settings(), [row(0, 100.0, 100.0)], 1e9) == ""


@pytest.mark.parametrize(
    ("values", "stops"), [((90, 91, 92), False), ((92, 91), False), ((92, 91, 92), True), ((90, 92, 91, 91), True)]
)
def test_patience_counts_from_the_first_best_epoch(values, stops):
    settings = Settings(patience=2, val=10, schedule="constant")
    reason = stop_reason(settings, [row(epoch, 50.0, value) for epoch, value in enumerate(values)], 0.0)
    assert bool(reason) == stops and (not stops or "not improved for 2 epochs" in reason)


def test_of_equal_accuracies_that_of_the_lower_loss_is_better():
    """Few held-out images have the same accuracy in many epochs, while their loss still falls."""
    settings = Settings(patience=2, val=10, schedule="constant")

    def reason(*losses):
        history = [epoch_done(n, val_accuracy=90.0, val_loss=loss) for n, loss in enumerate(losses)]
        return stop_reason(settings, history, 0.0)

    assert reason(0.5, 0.4, 0.3, 0.2) == reason(0.5, 0.4, 0.3, 0.35) == "" != reason(0.5, 0.4, 0.4, 0.4)


def test_a_reason_names_what_has_not_improved():
    losses = [epoch_done(n, test_accuracy=None, val_accuracy=None, val_loss=loss) for n, loss in enumerate((2, 1, 3))]
    for history, what in ((losses, "loss"), ([row(0, 50.0, 91.0), row(1, 50.0, 90.0)], "accuracy")):
        reason = stop_reason(Settings(patience=1, val=10, schedule="constant"), history, 0.0)
        assert reason == f"the validation {what} has not improved for 1 epochs"


@pytest.mark.parametrize("schedule", ["documents", "one-cycle", "one-cycle-per-step", "cosine", "step", "constant"])
@pytest.mark.parametrize("epochs", [1, 4, 9, 50])
def test_patience_does_not_count_epochs_of_the_warm_up(schedule, epochs):
    """However little improves before the peak of the learning rate, `patience` epochs follow it."""
    settings = Settings(patience=2, val=10, schedule=schedule, epochs=epochs)
    rates = [learning_rate(settings, epoch) for epoch in range(epochs)]
    histories = [[row(n, 50.0, 90.0 - n) for n in range(done)] for done in range(1, epochs + 1)]
    ended = [bool(stop_reason(settings, history, 0.0)) for history in histories]
    first = rates.index(max(rates)) + 2  # the epoch after which it may end
    assert ended == [epoch >= max(first, 2) for epoch in range(epochs)]


def test_minutes_are_those_of_the_whole_run():
    settings = Settings(max_minutes=0.5)
    assert not out_of_time(settings, 29.9) and out_of_time(settings, 30.0) and not out_of_time(Settings(), 1e9)
    assert "0.5 minutes" in stop_reason(settings, [], 31.0)


def test_views_say_why():
    end = RunFinished(test_accuracy=98.0, val_accuracy=None, elapsed_s=6.0, stop_reason="the target is reached")
    assert closing_lines(end)[-1] == "Stopped early: the target is reached"
    state = DashboardState()
    state.apply(started())
    state.apply(end)
    assert any("the target is reached" in text for line in render_end(state, 80).lines for text, _ in line)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return digits(settle(monkeypatch, tmp_path)).parent


def meta(run: Path) -> dict:
    return json.loads((run / "meta.json").read_text())


def test_a_target_ends_the_run_and_epochs_lifts_it(folder, capsys):
    whole = train("whole", epochs=5)
    reached = float(rows(whole)[1]["test_accuracy"])
    run = train("target", "--target-accuracy", str(min(reached, float(rows(whole)[0]["test_accuracy"]))), epochs=5)
    assert len(rows(run)) == 1 and meta(run)["status"] == "done" and "is reached" in meta(run)["stop_reason"]
    assert main(["resume", "target"]) == 0
    shown = capsys.readouterr().out
    assert "finished after 1 of 5 epochs: the target" in shown and "--epochs 5 would continue it" in shown
    assert main(["runs", "show", "target"]) == 0 and "is reached" in capsys.readouterr().out
    assert main(["resume", "target", "--epochs", "5", "--ui", "quiet"]) == 0
    assert result(run) == result(whole) and "stop_reason" not in meta(run)


def test_patience_survives_a_stop(folder, monkeypatch):
    """A run that is interrupted after every epoch ends in the same epoch, with the same bits."""
    words = ("--val", "40", "--patience", "1", "--lr", "0.4", "--schedule", "constant")
    whole = train("whole", *words, epochs=40)
    assert 2 <= len(rows(whole)) < 40 and "has not improved for 1 epochs" in meta(whole)["stop_reason"]
    from jitnet.commands.support import session

    real = session.train

    def interrupted(run, stop_signal):
        for event in real(run, stop_signal):
            yield event
            if type(event).__name__ == "EpochDone":
                stop_signal.__self__.signal = session.signal.SIGINT

    monkeypatch.setattr(session, "train", interrupted)
    tiny = [*TINY, "--name", "cut", "--ui", "quiet", "--epochs", "40"]
    code, times = main(["train", "cnn", *tiny, *words]), 0
    while code == 130:
        times += 1
        code = main(["resume", "cut", "--ui", "quiet"])
    assert code == 0 and times >= 1 and result(Path("runs/cut")) == result(whole)
    assert meta(Path("runs/cut"))["stop_reason"] == meta(whole)["stop_reason"]


def test_time_ends_a_run_inside_an_epoch_and_it_goes_on_exactly(folder, monkeypatch, capsys):
    whole = train("whole", epochs=3)
    monkeypatch.setattr("jitnet.training.pace.FIRST_CALL_MACS", 1.0)  # calls of one image
    monkeypatch.setattr("jitnet.training.pace.CALL_S", 1e-9)
    spent = iter(range(10**6))
    with monkeypatch.context() as patch:
        patch.setattr("jitnet.training.loop.Training._elapsed", lambda self: next(spent) * 0.3)
        run = train("short", "--max-minutes", "1", epochs=3)
    assert rows(run) == [] and "--max-minutes are over" in meta(run)["stop_reason"] and meta(run)["status"] == "done"
    ends = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines() if "RunFinished" in line]
    assert len(ends) == 1 and 0 < ends[0]["test_accuracy"] <= 100  # of the parameters it stopped with
    assert main(["resume", "short", "--epochs", "3", "--ui", "quiet"]) == 0
    assert result(run) == result(whole)


def test_what_is_refused(folder, capsys):
    for words, said in (
        (("--target-accuracy", "101"), "--target-accuracy is 101"),
        (("--target-accuracy", "nan"), "--target-accuracy is nan"),
        (("--patience", "-1"), "--patience is -1"),
        (("--patience", "2"), "give `--val N`"),
        (("--max-minutes", "-1"), "--max-minutes is -1"),
        (("--max-minutes", "inf"), "--max-minutes is inf"),
    ):
        assert said in refusal(capsys, "train", "cnn", *TINY, "--ui", "quiet", *words)
