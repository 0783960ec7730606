"""The run folder: made whole or not at all, exact after any kill, and honest about what it could not save."""

import csv
import errno
import itertools
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import figures
import numpy as np
import pytest
from processes import HELPERS

from jitnet import __version__
from jitnet.config import Settings
from jitnet.errors import InputError
from jitnet.events import CheckpointSaved, Diverged, EpochDone, Interrupted, RunFinished, RunStarted, StepsDone, Warned
from jitnet.run import RunFolder
from jitnet.run.names import check_name, find_run, list_runs
from jitnet.storage import checkpoint

META = {
    "schema": 1,
    "argv": ["jitnet", "train", "cnn"],
    "threads": 2,
    "layer": "omp",
    "data": "synthetic",
    "data_sha256": "ab" * 32,
    "seed": 0,
    "parent": "",
}
STEPS = 10  # in an epoch


def state(epoch: int, step_in_epoch: int) -> dict[str, np.ndarray]:
    step = epoch * STEPS + step_in_epoch
    weight = np.full(50, step, np.float32)
    return {"w": weight, "position": np.array([epoch, step_in_epoch, step]), "loss_sum": np.array([step / 3])}


def steps_done(epoch: int, step_in_epoch: int, elapsed_s: float = 0.0) -> StepsDone:
    return StepsDone(
        epoch=epoch,
        step=epoch * STEPS + step_in_epoch,
        step_in_epoch=step_in_epoch,
        steps_per_epoch=STEPS,
        images=1,
        lr=1e-3,
        call_loss=1 / 3,
        epoch_loss=0.5,
        seconds=0.25,
        elapsed_s=elapsed_s,
        snapshot=lambda: state(epoch, step_in_epoch),
    )


def epoch_done(epoch: int, val_accuracy: float | None = None, elapsed_s: float = 0.0) -> EpochDone:
    return EpochDone(
        epoch=epoch,
        step=(epoch + 1) * STEPS,
        lr=1e-3 / 3,
        train_loss=0.1 + 0.2,
        val_loss=None if val_accuracy is None else 0.25,
        val_accuracy=val_accuracy,
        test_loss=1e-20,
        test_accuracy=91.13,
        train_s=2.5,
        eval_s=0.5,
        images_per_s=1e5 / 3,
        elapsed_s=elapsed_s,
        data="synthetic",
        snapshot=lambda: state(epoch + 1, 0),
    )


STARTED = RunStarted(
    title="cnn",
    run="",
    architecture="dense10",
    parameters=1,
    macs=1,
    step_macs=1,
    data="synthetic",
    source="",
    train_images=1,
    val_images=0,
    test_images=1,
    recipe="",
    epochs=9,
    batch_size=1,
    steps_per_epoch=STEPS,
    threads=4,
    layer="tbb",
)
FINISHED = RunFinished(test_accuracy=95.49, val_accuracy=None, elapsed_s=1.0)


def create(runs_dir, title="cnn-synthetic", **options) -> RunFolder:
    options = {"settings": Settings(epochs=3, lr=0.1), "meta": META, "tensors": state(0, 0)} | options
    return RunFolder.create(runs_dir, title, **options)


def records(run: RunFolder, log: str = "events.jsonl") -> list[dict]:
    return [json.loads(line) for line in (run.path / log).read_text().splitlines()]


def position(run: RunFolder, kind: str = "last") -> list[int]:
    return run.load(kind)[0]["position"].tolist()


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# Making and finding


def test_a_new_run_is_complete(tmp_path):
    runs_dir = tmp_path / "deep" / "runs"
    with create(runs_dir) as run:
        assert run.path.parent == runs_dir and not run.save_failed
        date, time, *title, token = run.path.name.split("-")
        assert (len(date), len(time), title, len(token)) == (8, 6, ["cnn", "synthetic"], 4)
        logs = ["events.jsonl", "last.safetensors", "meta.json", "metrics.csv", "steps.jsonl"]
        assert tree(run.path) == [".lock", "config.toml", *logs]
        assert tree(runs_dir) == sorted([run.path.name, *(f"{run.path.name}/{name}" for name in tree(run.path))])
        assert Settings.from_toml(run.path / "config.toml") == run.settings
        meta = json.loads((run.path / "meta.json").read_text())
        assert meta == run.meta and META.items() <= meta.items()
        assert meta["status"] == "running" and meta["pid"] == os.getpid() and meta["host"] and meta["created"]
        assert (run.path / "metrics.csv").read_text() == (
            "epoch,step,lr,train_loss,val_loss,val_accuracy,test_loss,test_accuracy,"
            "train_s,eval_s,images_per_s,elapsed_s\n"
        )
        tensors, metadata = run.load("last")
        assert checkpoint.content_hash(tensors) == checkpoint.content_hash(state(0, 0))
        assert metadata.pop("saved") and metadata.pop("sha256")
        assert Settings.from_values(json.loads(metadata.pop("settings")), "it") == run.settings
        assert metadata == {
            "format": "jitnet-1",
            "bias": "position",
            "image": "",  # this meta.json names neither image nor classes
            "classes": "[]",
            "classes_dtype": "<i8",
            "jitnet": __version__,
            "title": "cnn-synthetic",
            "architecture": run.settings.architecture,
            "data": "synthetic",
            "data_sha256": "ab" * 32,
            "elapsed_s": "0.0",
            "train_s": "0.0",
        }


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "/abs",
        "..\\x",
        "%2e%2e",
        "a\0b",
        "a\n",
        "x" * 65,
        "-rf",
        ".hidden",
        "a b",
        "é",
        "latest",
    ],
)
def test_bad_names_are_refused_and_nothing_is_made(tmp_path, name):
    with pytest.raises(InputError, match="a run cannot be called"):
        create(tmp_path / "runs", name=name)
    assert tree(tmp_path) == []


@pytest.mark.parametrize("name", ["a", "A.b_c-9", "x" * 64, "0"])
def test_good_names(tmp_path, name):
    assert check_name(name) == name
    with create(tmp_path, name=name) as run:
        assert run.path == tmp_path / name


@pytest.mark.parametrize("kind", ["run", "empty folder", "file", "dangling link"])
def test_a_taken_name_is_refused_and_untouched(tmp_path, kind):
    taken = tmp_path / "mine"
    if kind == "run":
        create(tmp_path, name="mine").__exit__(None, None, None)
    elif kind == "empty folder":
        taken.mkdir()
    elif kind == "file":
        taken.write_text("x")
    else:
        taken.symlink_to("nowhere")
    before = tree(tmp_path)
    with pytest.raises(InputError, match=r"'mine'.*already.*--name"):
        create(tmp_path, name="mine")
    assert tree(tmp_path) == before


def test_a_runs_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot create a run in .*file.*--runs-dir DIR"):
        create(tmp_path / "file")
    assert tree(tmp_path) == ["file"]


@pytest.mark.parametrize("name", ["open", "fsync", "replace", "rename"])
def test_a_failing_disk_leaves_nothing_half_made(tmp_path, monkeypatch, name):
    """Whichever call fails, from the first to the last of its kind."""
    for fail_at in itertools.count(1):
        calls = 0
        real = getattr(os, name)

        def fail(*args, fail_at=fail_at, real=real, **options):
            nonlocal calls
            calls += 1
            if calls == fail_at:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(os, name, fail)
            try:
                create(tmp_path).__exit__(None, None, None)
                break
            except InputError as error:
                assert "No space left" in str(error) and "--runs-dir" in str(error)
        assert tree(tmp_path) == []
    assert fail_at > 1


RACE = """
import sys, time
sys.path[:0] = {tests!r}
from test_runfolder import create
print("ready", flush=True)
sys.stdin.readline()
try:
    with create(sys.argv[1], name="same") as run:
        print(run.path.name, flush=True)
        sys.stdin.readline()
except Exception as error:
    print(type(error).__name__, error, flush=True)
"""


def test_of_processes_that_race_for_a_name_one_gets_it(tmp_path):
    command = [sys.executable, "-c", RACE.format(tests=[str(Path(__file__).parent), *map(str, HELPERS)]), str(tmp_path)]
    root = Path(__file__).resolve().parents[2]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": root}
    children = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    answers = sorted(child.stdout.readline() for child in children)
    assert answers.pop() == "same\n" and all(a.startswith("InputError there is a run 'same'") for a in answers)
    with pytest.raises(InputError, match=r"same is being trained by process \d+ on "):
        RunFolder.open("same", tmp_path, lock=True)
    for child in children:
        child.kill()  # the owner too: nothing but the kernel gives its lock back
        child.communicate()
    assert [path.name for path in tmp_path.iterdir()] == ["same"]
    with RunFolder.open("same", tmp_path, lock=True) as run:
        assert position(run) == [0, 0, 0]


def test_the_lock(tmp_path):
    with create(tmp_path, name="a") as run:
        with pytest.raises(InputError, match=f"process {os.getpid()} on "):
            RunFolder.open("a", tmp_path, lock=True)
        assert RunFolder.open("a", tmp_path).path == run.path  # reading needs none
        (run.path / ".last.safetensors.1234.tmp").write_text("litter of a kill")
    with RunFolder.open("a", tmp_path, lock=True) as run:
        assert not list(run.path.glob("*.tmp")) and not list(run.path.glob(".*.tmp"))


def test_open_by_name_path_and_latest(tmp_path):
    for name in ("b", "c", "a"):
        create(tmp_path, name=name).__exit__(None, None, None)
    (tmp_path / ".new-1234").mkdir()
    (tmp_path / ".new-1234" / "meta.json").write_text("{}")
    (tmp_path / "d").mkdir()
    assert [path.name for path in list_runs(tmp_path)] == ["a", "c", "b"]
    assert RunFolder.open("latest", tmp_path).path.name == "a"
    assert RunFolder.open("b", tmp_path).meta["title"] == "cnn-synthetic"
    assert RunFolder.open(tmp_path / "c", "elsewhere").settings.lr == 0.1
    for bad in ("nope", "x" * 300, "a\0", "../.."):
        with pytest.raises(InputError, match=r"there is no run .* a, c, b|folder without meta\.json"):
            RunFolder.open(bad, tmp_path)
    with pytest.raises(InputError, match=r"without meta\.json"):
        RunFolder.open(tmp_path / "d", tmp_path)
    with pytest.raises(InputError, match="there are none; `jitnet train`"):
        RunFolder.open("latest", tmp_path / "d")


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("meta.json", "{", "damaged"),
        ("meta.json", "[" * 100_000, "damaged"),
        ("meta.json", "[]", "damaged"),
        ("meta.json", '{"schema": 1, "status": 3}', "damaged"),
        ("meta.json", '{"schema":2,"status":"","title":"","data":"","created":""}', "schema 2.*update"),
        ("config.toml", "epochs = ", "not a TOML file"),
        ("config.toml", None, "cannot read"),
    ],
)
def test_damaged_descriptions_are_refused(tmp_path, file, text, words):
    create(tmp_path, name="a").__exit__(None, None, None)
    if text is None:
        (tmp_path / "a" / file).unlink()
    else:
        (tmp_path / "a" / file).write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        RunFolder.open("a", tmp_path, lock=True)
    assert file in str(caught.value)
    with pytest.raises(InputError, match=words):  # and not "locked": the first try gave the lock back
        RunFolder.open("a", tmp_path, lock=True)


def test_the_newest_valid_checkpoint_is_loaded(tmp_path):
    with create(tmp_path) as run:
        run.handle(epoch_done(0))
        tensors, metadata, path, warnings = run.load_newest()
        assert tensors["position"][0] == 1 and path.name == "last.safetensors" and warnings == []
        path.write_bytes(path.read_bytes()[:-1])
        tensors, metadata, path, warnings = run.load_newest()
        assert tensors["position"][0] == 0 and path.name == "previous.safetensors" and metadata["title"]
        assert len(warnings) == 1 and "last.safetensors" in warnings[0] and "truncated" in warnings[0]
        path.unlink()
        with pytest.raises(InputError, match=r"no valid checkpoint: .*last.*truncated.*previous.*no such file"):
            run.load_newest()


# Training


def test_a_whole_run(tmp_path):
    with create(tmp_path, meta={**META, "data": "\x1b\udc80"}) as run:
        assert run.handle(STARTED) == []
        assert json.loads((run.path / "meta.json").read_text())["threads"] == 4
        caused = [run.handle(epoch_done(epoch)) for epoch in range(3)]
        assert run.handle(FINISHED) == [] and not run.save_failed
        path = str(run.path / "last.safetensors")
        for epoch, (event,) in enumerate(caused):
            assert isinstance(event, CheckpointSaved) and 0 < event.seconds < 60
            assert (event.path, event.kind, event.epoch, event.step) == (
                path,
                "last",
                epoch,
                (epoch + 1) * STEPS,
            )
        shown = ["RunStarted", *["EpochDone", "CheckpointSaved"] * 3, "RunFinished"]
        assert [record["event"] for record in records(run)] == shown
        assert json.loads((run.path / "meta.json").read_text())["status"] == "done"
        assert position(run) == [3, 0, 30] and position(run, "previous") == [2, 0, 20]
        assert run.load("last")[1]["data"] == r"\x1b\udc80"
        with pytest.raises(InputError, match="no such file"):
            run.load("best")
        rows = list(csv.DictReader((run.path / "metrics.csv").read_text().splitlines()))
        assert [row["epoch"] for row in rows] == ["0", "1", "2"] and rows[0]["val_loss"] == ""
        assert float(rows[0]["train_loss"]) == 0.1 + 0.2 and float(rows[0]["images_per_s"]) == 1e5 / 3


def test_best_is_kept_by_validation_only(tmp_path):
    with create(tmp_path) as run:
        kinds = []
        for epoch, accuracy in enumerate([None, 90.0, 90.0, 91.5, 10.0]):
            kinds.append([event.kind for event in run.handle(epoch_done(epoch, accuracy))])
        assert kinds == [["last"], ["best", "last"], ["last"], ["best", "last"], ["last"]]
        assert position(run, "best") == [4, 0, 40] and run.load("best")[1]["val_accuracy"] == "91.5"
    with RunFolder.open("latest", tmp_path, lock=True) as run:
        run.rewind(5, 50)
        assert [event.kind for event in run.handle(epoch_done(5, 91.5))] == ["last"]
        assert [event.kind for event in run.handle(epoch_done(6, 91.6))] == ["best", "last"]


def test_steps_are_sampled_and_saved_by_the_clock(tmp_path):
    with create(tmp_path, save_every_s=1.0) as run:
        saved = [step for step in range(1, 81) if run.handle(steps_done(0, step, elapsed_s=step / 4))]
        assert saved == list(range(4, 81, 4))
        rows = records(run, "steps.jsonl")
        assert [row["step"] for row in rows] == [*range(1, 41), *range(42, 81, 2)]  # the first ones all
        assert rows[0] == {"epoch": 0, "step": 1, "loss": 1 / 3, "lr": 1e-3, "t": 0.25}
        assert sum(record["event"] == "StepsDone" for record in records(run)) == len(rows)
        metadata = run.load("last")[1]
        assert metadata["elapsed_s"] == "20.0" and metadata["train_s"] == "20.0"
        run.handle(epoch_done(0))
        assert run.load("last")[1]["train_s"] == "0.0"


def test_steps_jsonl_stays_small_in_a_long_run(tmp_path):
    """Ten hours, a call every two seconds."""
    with create(tmp_path, save_every_s=1e9) as run:
        for second in range(0, 36_000, 2):
            run.handle(steps_done(0, 1, elapsed_s=float(second)))
        assert 3000 < len(records(run, "steps.jsonl")) < 6000


def test_saving_is_every_five_seconds_by_default(tmp_path):
    with create(tmp_path) as run:
        assert [step for step in range(1, 50) if run.handle(steps_done(0, step, step / 4))] == [20, 40]


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_an_interrupt_saves_at_once(tmp_path, signal):
    stop = Interrupted(signal=signal, epoch=0, step=3, resume="jitnet resume x")
    with create(tmp_path) as run:
        assert run.handle(stop) == []  # before the first step there is nothing newer than the file
        run.handle(steps_done(0, 3))
        (event,) = run.handle(stop)
        assert isinstance(event, CheckpointSaved) and position(run) == [0, 3, 3]
        assert json.loads((run.path / "meta.json").read_text())["status"] == "stopped"
        assert run.handle(stop) == []  # it is saved already


def test_divergence_saves_nothing(tmp_path):
    with create(tmp_path) as run:
        run.handle(steps_done(0, 3))
        before = (run.path / "last.safetensors").read_bytes()
        assert run.handle(Diverged(epoch=0, step=3, lr=1e6, message="NaN")) == []
        assert (run.path / "last.safetensors").read_bytes() == before
        assert json.loads((run.path / "meta.json").read_text())["status"] == "diverged"


# Failing disks


@pytest.fixture
def full_disk(monkeypatch):
    """Call it with True and every fsync fails, with False and the disk is well again."""

    def switch(broken: bool) -> None:
        def fail(_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.undo()
        if broken:
            monkeypatch.setattr(os, "fsync", fail)

    return switch


def test_a_failed_save_warns_and_is_tried_again(tmp_path, full_disk):
    with create(tmp_path, save_every_s=1.0) as run:
        run.handle(steps_done(0, 1, 0.25))
        full_disk(True)
        (warning,) = run.handle(steps_done(0, 4, 1.0))
        assert isinstance(warning, Warned) and "No space left" in warning.message and "again" in warning.message
        assert run.save_failed and position(run) == [0, 0, 0]
        assert run.handle(steps_done(0, 5, 1.5)) == []  # not at once, but when the next save is due
        full_disk(False)
        (event,) = run.handle(steps_done(0, 8, 2.0))
        assert isinstance(event, CheckpointSaved) and not run.save_failed and position(run) == [0, 8, 8]
        assert [r["event"] for r in records(run) if r["event"] != "StepsDone"] == [
            "Warned",
            "CheckpointSaved",
        ]


def test_an_epoch_whose_row_is_not_on_the_disk_is_not_in_a_checkpoint(tmp_path, full_disk):
    with create(tmp_path) as run:
        full_disk(True)
        warnings = run.handle(epoch_done(0, 50.0))
        assert all(isinstance(event, Warned) and "metrics.csv" in event.message for event in warnings)
        assert len(warnings) == 2 and run.save_failed
        assert position(run) == [0, 0, 0] and not (run.path / "best.safetensors").exists()
        full_disk(False)
        assert [event.kind for event in run.handle(FINISHED)] == [
            "best",
            "last",
        ]  # the end is the last chance
        assert not run.save_failed and position(run) == [1, 0, 10]
        assert len((run.path / "metrics.csv").read_text().splitlines()) == 2


def test_the_final_save_that_failed_is_known(tmp_path, full_disk):
    with create(tmp_path) as run:
        full_disk(True)
        run.handle(epoch_done(0))
        warnings = run.handle(FINISHED)
        assert run.save_failed and any("meta.json" in event.message for event in warnings)


def test_a_state_that_cannot_be_saved_is_a_warning(tmp_path):
    with create(tmp_path, save_every_s=0.0) as run:
        bad = steps_done(0, 1)
        object.__setattr__(bad, "snapshot", lambda: {"w": np.array([np.nan])})
        (warning,) = run.handle(bad)
        assert "not finite" in warning.message and run.save_failed and position(run) == [0, 0, 0]


def test_logs_that_cannot_be_written_warn_once_and_catch_up(tmp_path):
    with create(tmp_path) as run:
        log, away = run.path / "events.jsonl", run.path / "away"
        log.rename(away)
        (warning,) = run.handle(Warned(message="one"))
        assert "cannot write the logs" in warning.message
        assert run.handle(Warned(message="two")) == []
        away.rename(log)
        assert run.handle(Warned(message="three")) == []
        assert [r["message"] for r in records(run) if "logs" not in r["message"]] == ["one", "two", "three"]


# Resuming


def trained(tmp_path) -> RunFolder:
    """A run of two epochs and five steps, with a checkpoint at the end of epoch 1."""
    run = create(tmp_path, name="a")
    run.handle(STARTED)
    for epoch in range(2):
        run.handle(steps_done(epoch, 5, elapsed_s=10.0 * epoch + 1))
        run.handle(epoch_done(epoch, elapsed_s=10.0 * epoch + 9))
    run.handle(steps_done(2, 5, elapsed_s=21.0))
    return run


@pytest.mark.parametrize("torn", [b"", b'{"event": "StepsDone", "st', b"2,30,0.0003", b"\0" * 300, b"\xff\n", b"[]\n"])
def test_rewind_cuts_what_is_newer_or_torn(tmp_path, torn):
    with trained(tmp_path) as run:
        path = run.path
    for log in ("metrics.csv", "steps.jsonl", "events.jsonl"):
        (path / log).write_bytes((path / log).read_bytes() + torn)
    with RunFolder.open("a", tmp_path, lock=True) as run:
        tensors, _, _, _ = run.load_newest()
        epoch, _, step = tensors["position"].tolist()
        history = run.rewind(epoch, step)
        assert history == (epoch_done(0, elapsed_s=9.0), epoch_done(1, elapsed_s=19.0))
        assert history[0].snapshot() == {}
        assert len((path / "metrics.csv").read_text().splitlines()) == 3
        assert [row["step"] for row in records(run, "steps.jsonl")] == [5, 15]
        kept = ["StepsDone", "EpochDone", "CheckpointSaved"]
        assert [record["event"] for record in records(run)] == ["RunStarted", *kept, *kept]
        assert run.rewind(epoch, step) == history  # twice is once
        run.handle(epoch_done(2))
        assert len((path / "metrics.csv").read_text().splitlines()) == 4
        assert run.rewind(0, 0) == () and [record["event"] for record in records(run)] == ["RunStarted"]


def test_a_kill_between_row_and_checkpoint_repeats_the_epoch(tmp_path):
    with trained(tmp_path) as run:
        old = (run.path / "last.safetensors").read_bytes()
        run.handle(epoch_done(2))
        (run.path / "last.safetensors").write_bytes(old)
    with RunFolder.open("a", tmp_path, lock=True) as run:
        assert len(run.rewind(2, 20)) == 2
        run.handle(epoch_done(2))
        assert [row.split(",")[0] for row in (run.path / "metrics.csv").read_text().splitlines()[1:]] == [*"012"]


def test_seconds_of_a_broken_epoch_are_carried_over(tmp_path):
    with create(tmp_path, name="a", save_every_s=0.0) as run:
        run.handle(steps_done(0, 1))
        run.handle(steps_done(0, 2))
    with RunFolder.open("a", tmp_path, lock=True, save_every_s=0.0) as run:
        run.rewind(0, 2)
        run.handle(steps_done(0, 3))
        assert run.load("last")[1]["train_s"] == "0.75"


def test_a_damaged_row_that_is_needed_is_told(tmp_path):
    with trained(tmp_path) as run:
        metrics = run.path / "metrics.csv"
        for damage in ("0,10\n", "x" * 9 + "\n", "0,10,x,0.3,,,1,9,2,0,3,9\n", "0.5" + ",1" * 11 + "\n"):
            metrics.write_text(metrics.read_text().splitlines(keepends=True)[0] + damage)
            with pytest.raises(InputError, match=r"line 2 of .*metrics\.csv is damaged .*: fix it, or delete"):
                run.rewind(2, 20)
        metrics.unlink()
        (run.path / "steps.jsonl").unlink()
        assert run.rewind(2, 20) == ()
        assert run.handle(epoch_done(2)) != [] and len(metrics.read_text().splitlines()) == 2


def test_a_damaged_best_is_told_and_replaced(tmp_path):
    with create(tmp_path, name="a") as run:
        run.handle(epoch_done(0, 90.0))
        (run.path / "best.safetensors").write_bytes(b"x")
    with RunFolder.open("a", tmp_path, lock=True) as run:
        run.rewind(1, 10)
        (warning,) = run.handle(STARTED)
        assert isinstance(warning, Warned) and "best.safetensors" in warning.message
        assert [event.kind for event in run.handle(epoch_done(1, 80.0))] == ["best", "last"]


def test_a_run_that_cannot_be_written_is_refused(tmp_path, monkeypatch, full_disk):
    with trained(tmp_path) as run:
        full_disk(True)
        with pytest.raises(InputError, match=r"cannot train in .*No space left"):
            run.rewind(2, 20)


KILLED = """
import itertools, os, shutil, signal, sys
sys.path[:0] = {tests!r}
from pathlib import Path
from test_runfolder import create, epoch_done, steps_done

def arm(kill_at):
    calls = 0
    def wrap(real):
        def call(*args, **options):
            nonlocal calls
            calls += 1
            if calls == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **options)
        return call
    for name in ("open", "write", "fsync", "close", "link", "replace", "unlink"):
        setattr(os, name, wrap(getattr(os, name)))

for kill_at in itertools.count(1):
    child = os.fork()
    if child == 0:
        run = create(sys.argv[1], name=f"at-{{kill_at}}", save_every_s=0.0)
        arm(kill_at)
        for epoch in range(2):
            run.handle(steps_done(epoch, 5))
            run.handle(epoch_done(epoch, 50.0 + epoch))
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
"""


def test_a_kill_anywhere_resumes_with_all_rows_and_no_litter(tmp_path):
    script = KILLED.format(tests=[str(Path(__file__).parent), *map(str, HELPERS)])
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, cwd=root, timeout=100)
    runs = list_runs(tmp_path)
    assert len(runs) > 50
    for path in runs:
        with RunFolder.open(path, tmp_path, lock=True) as run:
            assert not list(path.glob(".*.tmp"))
            epoch, _, step = run.load_newest()[0]["position"].tolist()
            assert [row.epoch for row in run.rewind(epoch, step)] == list(range(epoch))
            for todo in range(epoch, 2):
                run.handle(epoch_done(todo, 50.0 + todo))
            assert position(run) == position(run, "best") == [2, 0, 20]
            assert [row[0] for row in (path / "metrics.csv").read_text().splitlines()] == ["e", "0", "1"]


PIECES = ["..", ".", "/", "\\", "~", "%2e", "\0", "\n", "\r", "\t", " ", "-", "--", "*", "$(x)", "`x`", "|", ";", ":",
          "\x1b[2J", "é", "𝒳", "\u202e", "\ud800", "CON", "NUL", "latest", "runs",
          "a" * 70, "etc", "passwd", "x"]  # fmt: skip


def hostile_names(count: int) -> Iterator[str]:
    draw = random.Random(0)
    for _ in range(count):
        yield "".join(draw.choices(PIECES, k=draw.randint(1, 6)))


def test_10_000_hostile_names_leave_nothing_outside(tmp_path, monkeypatch):
    """Refused, or a folder of exactly that name in the runs folder and nowhere else."""
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    runs = tmp_path / "runs"
    taken = set()
    for name in hostile_names(10_000):
        try:
            check_name(name)
        except InputError as error:
            assert str(error).isprintable()
            with pytest.raises(InputError):  # nor does it lead to a file as the name of a run that is there
                find_run(name, runs)
        else:
            taken.add(name)
    for name in sorted(taken)[:40]:
        create(runs, name=name).__exit__(None, None, None)
    assert sorted(path.name for path in runs.iterdir()) == sorted(taken)[:40]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "runs"] and not list(Path().iterdir())
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name) for name in taken)
    figures.note("names", names=10_000, escapes=0)
