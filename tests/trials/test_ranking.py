"""Which trials are ahead and which continue: by what figure, after which epoch, with ties and failures."""

import math
from types import SimpleNamespace

import pytest

from jitnet.config import Settings
from jitnet.history.board import CUT, DIVERGED, DONE, FAILED, LOST, RUNNING, STOPPED, Board, Row
from jitnet.trials.driver import Driver
from jitnet.trials.plan import plan


def halving(histories, keep=2, epochs=8, statuses=None):
    """Return a driver whose trials have these validation accuracies, by rate a list for each seed."""
    seeds = len(next(iter(histories.values())))
    base = Settings(val=10, epochs=epochs, schedule="constant")
    driver = Driver.__new__(Driver)
    driver.plan = plan(base, "sweep", {"lr": tuple(histories)}, seeds=seeds, halving=keep)
    varied = {trial.name: trial.varied for trial in driver.plan.trials}
    driver.folder = SimpleNamespace(
        epochs_of=lambda name: [{"val_accuracy": v} for v in histories[varied[name]["lr"]][varied[name]["seed"]]],
        status_of=lambda name: (statuses or {}).get(varied[name]["lr"], "stopped"),
    )
    return driver


def kept(driver, rung=1):
    """Return the rates that continue after a rung."""
    alive, dropped = driver._better(driver.plan.groups, rung)
    assert len(alive) + len(dropped) == len(driver.plan.groups)
    return [trials[0].varied["lr"] for trials in alive.values()]


def test_all_are_judged_after_the_same_epochs():
    driver = halving({0.1: [[80.0, 99.0, 99.0]], 0.2: [[90.0]]})  # the first has gone on in an earlier command
    assert kept(driver, 1) == [0.2]


@pytest.mark.parametrize("status", ["diverged", "running", ""])
def test_what_has_not_come_to_rest_as_it_should_is_behind(status):
    assert kept(halving({0.1: [[99.0]], 0.2: [[50.0]]}, statuses={0.1: status})) == [0.2]


def test_the_mean_over_seeds_decides():
    assert kept(halving({0.1: [[99.0], [10.0]], 0.2: [[60.0], [60.0]]})) == [0.2]
    assert kept(halving({0.1: [[99.0], [30.0]], 0.2: [[60.0], [60.0]]})) == [0.1]


def test_of_equal_configurations_the_first_continue():
    assert kept(halving({rate: [[90.0]] for rate in (0.3, 0.1, 0.2, 0.4)})) == [0.3, 0.1]


@pytest.mark.parametrize("keep", [2, 3, 4])
@pytest.mark.parametrize("configurations", range(1, 10))
def test_a_part_that_is_not_whole_is_rounded_up_and_was_planned_so(configurations, keep):
    driver = halving({rate / 10: [[90.0] * 16] * 2 for rate in range(1, configurations + 1)}, keep, epochs=16)
    alive, trained, before = driver.plan.groups, 0, 0
    for rung in driver.plan.rungs:
        trained += sum(map(len, alive.values())) * (rung - before)
        expected = math.ceil(len(alive) / keep)
        alive, before = driver._better(alive, rung)[0], rung
        assert len(alive) == expected
    assert driver.plan.epochs == trained


def test_validation_images_rank_and_test_images_only_without_them():
    def figure(**values):
        row = Row("a", "", {}, 9)
        for name, value in values.items():
            setattr(row, name, value)
        return row.figure

    assert figure(val_accuracy=80.0, test_accuracy=90.0, val_loss=0.1, test_loss=0.2) == 80.0
    assert figure(test_accuracy=90.0, val_loss=0.1, test_loss=0.2) == 90.0
    assert figure(val_loss=0.5, test_loss=0.2) == -0.5
    assert figure(test_loss=0.2) == -0.2 and figure(train_loss=0.2) == -math.inf


def test_of_equal_trials_the_first_is_ahead(tmp_path):
    rows = [Row(name, "", {}, 9, val_accuracy=90.0) for name in "abc"]
    board = Board("sweep", tmp_path, rows, 27.0)
    assert board.best is rows[0] and board.ranked() == rows


@pytest.mark.parametrize(
    ("status", "left"), [(DONE, 8), (DIVERGED, 8), (FAILED, 8), (LOST, 8), (STOPPED, 14), (CUT, 14)]
)
def test_no_time_is_left_for_epochs_that_are_never_trained(monkeypatch, tmp_path, status, left):
    rows = [Row("a", "", {}, 10, status, epoch=4), Row("b", "", {}, 10, RUNNING)]
    board = Board("sweep", tmp_path, rows, 20.0)
    now = board.began
    monkeypatch.setattr("jitnet.history.board.time.monotonic", lambda: now)
    board.start_clock()
    rows[1].epoch, now = 2, now + 10.0
    assert board.left_s() == pytest.approx(5.0 * left)
