"""The driver of trials where it is let down: by an executor, a disk, a request to stop. All in this process."""

import errno
import json
import sys
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import many
import pytest
from commands import TINY, digits, refusal, settle, train
from test_trials_local import CONFIG

import jitnet
from jitnet.cli import main
from jitnet.commands.support import many as many_command
from jitnet.config import Settings
from jitnet.events import Compiling
from jitnet.history.board import Row
from jitnet.training.loop import Training
from jitnet.trials import trial
from jitnet.trials.driver import Driver, board_of
from jitnet.trials.folder import STOP, SweepFolder
from jitnet.trials.plan import plan
from jitnet.trials.watch import Watch


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


@pytest.fixture
def threads():
    with ThreadPoolExecutor(1) as executor:
        yield executor


def opened(folder, **changes):
    """Return a sweep of one trial in its folder, locked."""
    settings = {name: value for name, value in CONFIG.items() if name != "network"} | {"val": 40}
    base = Settings.preset("cnn", **settings).replace(until=3, **changes)
    return SweepFolder(folder / "runs/s", plan(base, "repeat", seeds=1), [])


def task_of(sweep, epochs):
    """Return the task of a worker, as the driver makes it."""
    driver = Driver(sweep.plan, sweep, board_of(sweep.plan, sweep), None, machines=[None])
    task = driver._task(sweep.plan.trials[0], epochs)
    return task | {"data_sha256": trial.prepare([task])["data_sha256"]}


def test_a_trial_stands_still_where_it_is_asked_to_and_is_not_trained_twice(folder):
    with opened(folder) as sweep:
        task = task_of(sweep, 1)
        first = trial.run_trial(task)
        assert (first["status"], first["epoch"]) == ("paused", 1)
        assert trial.run_trial(task) | {"seconds": 0} == first | {"seconds": 0}  # as a second worker would find it
        last = trial.run_trial(task | {"epochs": 3})
        assert (last["status"], last["epoch"]) == ("done", 3) and last["weights"] != first["weights"]
        again = trial.run_trial(task | {"epochs": 3})
        assert (again["status"], again["weights"]) == ("done", last["weights"])


def test_a_run_killed_behind_its_last_epoch_is_closed(folder):
    with opened(folder) as sweep:
        task = task_of(sweep, 3)
        done = trial.run_trial(task)
        meta = folder / "runs/s/seed-0/meta.json"
        meta.write_text(json.dumps(json.loads(meta.read_text()) | {"status": "running"}))
        found = trial.run_trial(task)
    assert (found["status"], found["weights"]) == ("done", done["weights"])
    assert json.loads(meta.read_text())["status"] == "done"


def test_a_request_to_stop_is_heard_before_the_first_step(folder):
    with opened(folder) as sweep:
        task = task_of(sweep, 3)
        (sweep.path / STOP).touch()
        assert trial.run_trial(task)["status"] == "waiting" and not (sweep.path / "seed-0").exists()
        assert trial.prepare([task])["data_sha256"] == task["data_sha256"]  # and no kernel is waited for


def test_a_checkpoint_that_cannot_be_saved_is_a_failure(folder, monkeypatch):
    from jitnet.run import folder as run_folder

    with opened(folder) as sweep:
        task = task_of(sweep, 3)

        def full(*arguments, **names):
            raise OSError(errno.ENOSPC, "No space left on device")

        assert trial.run_trial(task | {"epochs": 1})["status"] == "paused"
        monkeypatch.setattr(run_folder.checkpoint, "save", full)
        found = trial.run_trial(task)
    assert found["status"] == "failed" and "No space left on device" in found["message"]


class Gone(Executor):
    """Lets the first call through, and takes no other, as a cluster whose scheduler has ended."""

    def __init__(self, inner):
        self.inner, self.calls = inner, 0

    def submit(self, fn, /, *args, **kwargs):
        self.calls += 1
        if self.calls > 1:
            raise RuntimeError("cannot schedule new futures after shutdown")
        return self.inner.submit(fn, *args, **kwargs)


def test_an_executor_that_takes_no_more_calls_is_not_asked_again(folder, threads):
    executor = Gone(threads)
    found = list(jitnet.sweep([CONFIG | {"seed": seed} for seed in range(3)], executor, folder="runs/s"))
    assert {row.status for row in found} == {"lost"} and executor.calls == 2
    assert {row.message for row in found} == {"RuntimeError: cannot schedule new futures after shutdown"}


def test_a_stop_while_kernels_are_made_ready_trains_nothing(folder):
    with opened(folder) as sweep, ThreadPoolExecutor(1) as executor:
        board = board_of(sweep.plan, sweep)
        driver = Driver(sweep.plan, sweep, board, executor, stop=lambda: True)
        list(driver.run())
        assert driver.stopping and [row.status for row in board.rows] == ["waiting"]
        assert not (sweep.path / "seed-0").exists()


def test_a_full_disk_costs_the_table_alone(folder, threads, monkeypatch):
    def full(self, rows):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SweepFolder, "write_table", full)
    with opened(folder) as sweep:
        board = board_of(sweep.plan, sweep)
        driver = Driver(sweep.plan, sweep, board, threads)
        driver._write()
        assert board.notices == []  # it is tried again
        list(driver.run())
    assert [row.status for row in board.rows] == ["done"]
    assert board.notices == [f"cannot write the table in {sweep.path}: No space left on device"]


def test_warnings_of_workers_are_told_once(folder, threads, monkeypatch):
    prepare = trial.prepare
    monkeypatch.setattr(
        "jitnet.trials.driver.prepare", lambda tasks: prepare(tasks) | {"notices": ["slow disk", "slow disk"]}
    )
    with opened(folder) as sweep:
        board = board_of(sweep.plan, sweep)
        list(Driver(sweep.plan, sweep, board, threads).run())
    assert board.notices == ["slow disk"]


def test_events_that_were_cut_back_are_read_from_their_beginning(tmp_path):
    def line(step):
        return json.dumps({"event": "StepsDone", "epoch": 0, "step_in_epoch": step, "steps_per_epoch": 10}) + "\n"

    path, row = tmp_path / "events.jsonl", Row("a", "", {}, 3)
    watch = Watch(path)
    assert not watch.read(row)
    path.write_text(line(2) + line(8))
    assert watch.read(row) and not watch.read(row)
    path.write_text(line(4))
    assert watch.read(row)


def test_a_run_is_no_folder_for_a_sweep(folder, capsys):
    train("s", epochs=1)
    words = ("repeat", "cnn", *TINY, "--epochs", "1", "--seeds", "1", "--ui", "quiet")
    assert "is a run: choose another --name" in refusal(capsys, *words, "--name", "s")


@pytest.mark.parametrize(("lr", "code", "status"), [("0.1", 0, "done"), ("1e30", 3, "diverged")])
def test_the_exit_code_says_what_became_of_all_trials(folder, monkeypatch, capsys, lr, code, status):
    @contextmanager
    def here(args, workers, threads_each):
        with ThreadPoolExecutor(1) as executor:
            yield executor, "a thread of this process", 1, None

    monkeypatch.setattr(many_command, "_engine", here)
    words = ("repeat", "cnn", *TINY, "--lr", lr, "--epochs", "1", "--seeds", "2", "--name", "s", "--ui")
    assert main([*words, "quiet"]) == code and capsys.readouterr().out == ""
    assert main([*words, "plain"]) == code
    out = capsys.readouterr().out
    assert f"2 {status}; table.csv and statistics.csv in runs/s" in out and ("last epoch" in out) == (code == 0)
    assert {row["status"] for row in many.table(folder / "runs/s").values()} == {status}


@pytest.mark.parametrize(
    ("statuses", "code", "continues"),
    [
        (["done", "done"], 0, False),
        (["done", "diverged"], 3, False),
        (["done", "lost"], 1, True),
        (["failed", "done"], 1, True),
        (["diverged", "lost"], 1, True),
        (["lost", "failed"], 1, True),
    ],
)
def test_a_command_that_continues_is_told_where_it_would_train_something(
    folder, monkeypatch, capsys, statuses, code, continues
):
    monkeypatch.setattr(Driver, "run", lambda self: ended(self, statuses))
    monkeypatch.setattr(sys, "argv", ["jitnet", "repeat", "cnn", "a b"])
    assert main(["repeat", "cnn", *TINY, "--seeds", "2", "--name", "s", "--ui", "plain"]) == code
    out = capsys.readouterr().out
    assert ("continue with what is not done: jitnet repeat cnn 'a b'\n" in out) == continues
    counts = {status: statuses.count(status) for status in statuses}
    assert f"{', '.join(f'{n} {status}' for status, n in counts.items())}; table.csv and " in out


def ended(driver, statuses):
    """Stand for the training of all trials."""
    for row, status in zip(driver.board.rows, statuses, strict=True):
        row.status = status
    return iter(driver.board.rows)


def test_the_same_command_has_the_same_folder_and_no_other_has_it(folder, monkeypatch):
    monkeypatch.setattr(Driver, "run", lambda self: ended(self, ["done"] * len(self.board.rows)))
    few = (*TINY, "--ui", "quiet")
    for words in (("repeat", "cnn"), ("repeat", "cnn", "--val", "9"), ("sweep", "cnn", "--grid", "epochs=1,2")):
        before = set(folder.glob("runs/*"))
        assert main([*words, *few]) == 0
        (made,) = set(folder.glob("runs/*")) - before
        assert made.name.startswith(f"{words[0]}-cnn-")
        assert main([*words, *few]) == 0 and set(folder.glob("runs/*")) == before | {made}


@pytest.mark.parametrize(("verbose", "lines"), [(None, 1), (0, 0)])
def test_a_sweep_in_python_says_that_its_workers_compile(folder, threads, monkeypatch, capsys, verbose, lines):
    seen, compile, compilation = Event(), Training.compile, SweepFolder.compilation

    def slowly(self):
        yield Compiling(name="k", index=0, total=1, cached=False, seconds=2.0, left_s=7.0)
        seen.wait(60)
        yield from compile(self)

    def looked(self):
        found = compilation(self)
        if found is not None:
            seen.set()
        return found

    monkeypatch.setattr(Training, "compile", slowly)
    monkeypatch.setattr(SweepFolder, "compilation", looked)
    (row,) = jitnet.sweep([CONFIG], threads, folder="runs/s", verbose=verbose)
    told = capsys.readouterr().err
    assert row.status == "done" and told.count("jitnet compiles its kernels") == lines == told.count("\n")


def test_a_column_is_there_once_where_epochs_are_varied(folder, threads):
    list(jitnet.sweep([CONFIG | {"epochs": epochs} for epochs in (1, 2)], threads, folder="runs/s"))
    head, *lines = (line.split(",") for line in (folder / "runs/s/table.csv").read_text().splitlines())
    assert len(set(head)) == len(head)
    assert [(line[head.index("epochs")], line[head.index("epochs_done")]) for line in lines] == [("1", "1"), ("2", "2")]
