"""What a sweep's folder keeps of its trials, and which of them it does not continue."""

import csv
from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from run_folders import META, write_run

from jitnet.config import Settings
from jitnet.errors import InputError
from jitnet.history.sweep_record import read_table
from jitnet.trials import trial
from jitnet.trials.dask_engine import _check
from jitnet.trials.driver import Driver, board_of
from jitnet.trials.folder import SweepFolder
from jitnet.trials.plan import plan

ACCURACIES = {"seed-0": 100 / 3, "seed-1": 200 / 3}


@pytest.fixture
def sweep(tmp_path):
    """A sweep's folder with two seeds of an epoch each."""
    for name, accuracy in ACCURACIES.items():
        write_run(tmp_path / "s", name, [accuracy], f"seed = {name[-1]}")
    with SweepFolder(tmp_path / "s", plan(Settings(epochs=1), "repeat", seeds=2), []) as opened:
        yield opened


@pytest.mark.parametrize(("digest", "refused"), [(META["data_sha256"], False), ("cd" * 32, True)])
def test_trials_go_on_with_the_data_they_began_with_alone(sweep, digest, refused):
    answer = Future()
    answer.set_result(digest)
    driver = Driver(sweep.plan, sweep, board_of(sweep.plan, sweep), None, machines=[lambda *words: answer])
    if refused:
        with pytest.raises(InputError, match="was trained on other data"):
            next(driver.run())
    assert refused or next(driver.run()) is None


def test_other_data_of_any_trial_are_refused(tmp_path):
    write_run(tmp_path / "s", "seed-0", [90.0], "seed = 0")
    write_run(tmp_path / "s", "seed-1", [90.0], "seed = 1", data_sha256="cd" * 32)
    with SweepFolder(tmp_path / "s", plan(Settings(epochs=1), "repeat", seeds=2), []) as sweep:
        for digest in (META["data_sha256"], "cd" * 32):
            with pytest.raises(InputError, match="was trained on other data"):
                sweep.require_data(digest)


@pytest.mark.parametrize("change", ["lr = 0.5", "batch_size = 8", "seed = 1", "val = 9"])
def test_trials_of_any_other_setting_are_refused(tmp_path, change):
    write_run(tmp_path / "s", "seed-0", [90.0], change)  # of one epoch
    with pytest.raises(InputError, match="was trained with other settings"):
        SweepFolder(tmp_path / "s", plan(Settings(epochs=1), "repeat", seeds=1), [])


def test_a_trial_that_was_resumed_for_longer_is_the_same(tmp_path):
    write_run(tmp_path / "s", "seed-0", [90.0], "until = 7")
    with SweepFolder(tmp_path / "s", plan(Settings(epochs=1), "repeat", seeds=1), []) as sweep:
        assert sweep.status_of("seed-0") == "done"


def test_no_digit_is_lost_in_the_tables(sweep):
    rows = board_of(sweep.plan, sweep).rows
    for row in rows:
        row.test_accuracy = ACCURACIES[row.name]
    sweep.write_table(rows)
    lines = read_table(sweep.path / "table.csv")
    assert {line["trial"]: float(line["test_accuracy"]) for line in lines} == ACCURACIES


def test_statistics_are_those_of_all_seeds(sweep):
    sweep.write_statistics()
    lines = list(csv.DictReader((sweep.path / "statistics.csv").read_text().splitlines()))
    (line,) = (line for line in lines if line["figure"] == "test_accuracy")
    found = {name: float(line[name]) for name in ("n", "mean", "min", "max")}
    assert found == {"n": 2, "mean": 50.0, "min": 100 / 3, "max": 200 / 3}


@pytest.mark.parametrize("change", [{"data": "e"}, {"target": "t"}, {"label": "y"}, {"skip_damaged": True}])
def test_trials_share_data_only_where_all_that_chooses_them_is_equal(monkeypatch, change):
    def loaded(settings, offline, warn):
        return SimpleNamespace(asked={name: getattr(settings, name) for name in ("data", *change)})

    monkeypatch.setattr(trial.start, "load_data", loaded)
    base = Settings(data="d", lr=0.1)
    trial._load.cache_clear()
    try:
        first, _ = trial._data(base, False)
        assert trial._data(base.replace(lr=0.2, seed=3), False)[0] is first
        assert trial._data(base.replace(**change), False)[0].asked == first.asked | change
    finally:
        trial._load.cache_clear()


def test_data_and_kernels_are_made_ready_once_on_each_machine():
    workers = {"tcp://10.0.0.1:4001": 1, "tcp://10.0.0.1:4002": 1, "tcp://10.0.0.2:4001": 1}
    client = SimpleNamespace(nthreads=lambda: workers, wait_for_workers=lambda *words, **options: None)
    chosen = _check(client, "tcp://10.0.0.1:8786")
    assert sorted(address.rpartition(":")[0] for address in chosen) == ["tcp://10.0.0.1", "tcp://10.0.0.2"]
    assert set(chosen) <= set(workers)
