"""What a driver keeps of its trials while they train, and what it finds again of an earlier command."""

import json
from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from run_folders import write_run

from jitnet.config import Settings
from jitnet.errors import InputError
from jitnet.history.board import DIVERGED, DONE, STOPPED, WAITING, Row
from jitnet.trials.driver import Driver
from jitnet.trials.folder import STOP, SweepFolder
from jitnet.trials.plan import _between, _check, parse_values, plan, plan_of
from jitnet.trials.watch import Watch

BASE = Settings(epochs=3, val=10, schedule="constant")


def steps(epoch, done):
    event = {"event": "StepsDone", "epoch": epoch, "step": 9, "step_in_epoch": done, "steps_per_epoch": 10}
    return json.dumps(event).encode() + b"\n"


def test_a_line_that_is_not_whole_yet_is_read_when_it_is(tmp_path):
    path, row = tmp_path / "events.jsonl", Row("a", "", {}, 9)
    path.write_bytes(steps(1, 1))
    watch = Watch(path)  # what is there already is of an earlier command
    assert not watch.read(row) and row.status == WAITING
    line = steps(2, 5)
    path.write_bytes(steps(1, 1) + line[:20])
    assert not watch.read(row) and row.status == WAITING
    path.write_bytes(steps(1, 1) + line + line[:20])
    assert watch.read(row) and (row.epoch, row.fraction) == (2, 0.5)


def test_events_that_a_resume_cut_back_are_read_from_the_start(tmp_path):
    path, row = tmp_path / "events.jsonl", Row("a", "", {}, 9)
    path.write_bytes(steps(1, 1) + steps(2, 5))
    watch = Watch(path)
    path.write_bytes(steps(1, 7))
    assert watch.read(row) and (row.epoch, row.fraction) == (1, 0.7)


@pytest.mark.parametrize(("low", "high"), [(1e-4, 0.123456), (0.0, 0.123456), (0.123456, 0.2), (0.123446, 9.0)])
def test_what_is_drawn_is_between_its_bounds(low, high):
    drawn = [_between(share, "lr", low, high) for share in (0.0, 1e-6, 0.5, 1 - 1e-6, 1.0)]
    assert min(drawn) >= low and max(drawn) <= high and drawn[-1] == high


def test_a_trial_ends_after_its_own_epochs():
    made = plan(BASE.replace(until=3), "sweep", dict([parse_values("epochs=2,5")]))
    assert [trial.settings.until for trial in made.trials] == [2, 5] and made.epochs == 7.0


def test_a_halving_of_one_is_none():
    with pytest.raises(InputError, match="--halving is 1: expected a whole number from 2"):
        _check(BASE, {"lr": (0.1, 0.2)}, {}, 1, 0, 1)  # of a plan the rungs would never end


@pytest.mark.parametrize("change", [{"data": "d"}, {"target": "t"}, {"label": "l"}, {"skip_damaged": True}])
def test_configurations_have_the_same_data(change):
    with pytest.raises(InputError, match=f"differ in {next(iter(change))}: trials on other data"):
        plan_of([{"lr": 0.1, "epochs": 3}, {"lr": 0.2, "epochs": 3, **change}])


def test_a_stop_of_an_earlier_command_is_over(tmp_path):
    for _ in range(2):
        with SweepFolder(tmp_path / "s", plan(BASE, "repeat"), []) as sweep:
            assert not (sweep.path / STOP).exists()
            sweep.request_stop()
            assert (sweep.path / STOP).exists()


def test_a_refused_sweep_leaves_its_folder_free(tmp_path):
    write_run(tmp_path / "s", "seed-0", [90.0, 91.0, 92.0], 'val = 10\nschedule = "constant"\nnetwork = "cnn"')
    with pytest.raises(InputError, match="was trained with other settings"):
        SweepFolder(tmp_path / "s", plan(BASE.replace(lr=0.5), "repeat"), [])
    other = plan(BASE.replace(lr=0.5, seed=5), "repeat")
    with SweepFolder(tmp_path / "s", other, []) as sweep:
        with pytest.raises(InputError):
            SweepFolder(tmp_path / "s", other, [])
        assert sweep.plan is other


@pytest.mark.parametrize(("status", "kept"), [("done", DONE), ("diverged", DIVERGED), ("stopped", STOPPED)])
def test_a_trial_is_found_as_it_was_left(status, kept):
    line = {"weights": "ab", "host": "h", "message": "m", "attempts": "2"}
    driver = Driver.__new__(Driver)
    driver.folder = SimpleNamespace(epochs_of=lambda name: [], status_of=lambda name: status, kept=lambda name: line)
    row = Row("a", "", {}, 9)
    driver._restore(row)
    over = kept in (DONE, DIVERGED)
    assert (row.status, row.weights, row.host, row.message) == (kept, *(("ab", "h", "m") if over else ("", "", "")))
    assert row.attempts == (2 if over else 0)


def test_the_message_of_an_earlier_try_is_gone_when_the_trial_comes_back():
    driver, row, future = Driver.__new__(Driver), Row("a", "", {}, 9, message="its worker was killed"), Future()
    driver._watched = {"a": None}
    future.set_result({"status": DONE, "epoch": 9})
    assert not driver._record(row, future)
    assert (row.status, row.epoch, row.message, row.fraction) == (DONE, 9, "", 0.0) and not driver._watched


def test_the_table_is_written_while_trials_train_once_a_second(monkeypatch):
    written = []
    driver = Driver.__new__(Driver)
    driver.folder, driver.board, driver._wrote = (
        SimpleNamespace(write_table=written.append),
        SimpleNamespace(rows=[]),
        0.0,
    )
    for now, last, expected in ((100.0, False, 1), (100.9, False, 1), (101.0, False, 2), (101.1, True, 3)):
        monkeypatch.setattr("jitnet.trials.driver.time.monotonic", lambda now=now: now)
        driver._write(last)
        assert len(written) == expected
