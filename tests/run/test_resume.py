"""A run that was stopped or killed at any moment ends with the bits of one that was not."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import figures
import pytest
from commands import HURRIED, TINY, digits, refusal, result, rows, settle, start, train

from jitnet.cli import main
from jitnet.storage import checkpoint

EPOCHS = 24
LONG = ("train", "cnn", *TINY, "--epochs", str(EPOCHS), "--val", "40", "--threads", "1", "--ui", "quiet", "--name")
RECIPES = {"per-sample": (), "shuffled": ("--shuffle",), "batches": ("--batch-size", "7")}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


def resume(run: str, *words: str) -> int:
    return main(["resume", run, "--ui", "quiet", *words])


def stopped(folder: Path, name: str, number: int, epoch: int, delay: float, *words: str) -> Path:
    """Start a run, send it a signal some time after an epoch is done (-1: after it has a folder), wait for its end."""
    run = folder / "runs" / name

    def due() -> bool:
        sign = run / ("meta.json" if epoch < 0 else "metrics.csv")
        return sign.exists() and sign.read_text().count("\n") > epoch + 1

    with start(folder, *LONG, name, *words, program=HURRIED) as process:
        while process.poll() is None and not due():
            time.sleep(0.0005)
        time.sleep(delay)
        process.send_signal(number)
        assert process.wait(60) in (0, -number, 128 + number), process.stderr.read()
    return run


def stop(moment: int, folder: Path, number: int) -> tuple[str, int, Path]:
    """Start the moment-th run of a campaign and stop it; return its recipe, the epoch awaited, its folder."""
    recipe, draw = list(RECIPES)[moment % len(RECIPES)], random.Random(1000 * number + moment)
    # By the run's own progress, as a clock would say something else on each machine; every eighth may come before
    # the first step. An epoch takes 5 to 15 ms.
    epoch = -1 if moment % 8 == 0 else draw.randrange(EPOCHS)
    delay = (0.4 if epoch < 0 else 0.01) * draw.random()
    return recipe, epoch, stopped(folder, f"{recipe}-{moment}", number, epoch, delay, *RECIPES[recipe])


def campaign(folder: Path, number: int, moments: int) -> None:
    wanted = {}
    for recipe, words in RECIPES.items():
        assert main([*LONG, recipe, *words]) == 0
        wanted[recipe] = result(Path("runs", recipe))

    counted = {"moments": 0, "midway": 0, "exact": 0}
    # While one is resumed here, the next are on their way; not in threads, which a kernel here would keep waiting.
    pool = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"))
    try:
        for recipe, after, run in pool.map(stop, range(moments), repeat(folder), repeat(number)):
            epoch, _, step = checkpoint.load(run / "last.safetensors")[0]["position"]
            counted["moments"] += 1  # and noted at once: a campaign may be stopped, or fail
            counted["midway"] += bool((0, 0) < (epoch, step) < (EPOCHS, 0))
            figures.note("kills", **{signal.Signals(number).name: counted})
            assert resume(str(run)) == 0
            assert result(run) == wanted[recipe], f"{recipe}, killed after epoch {after}"
            assert json.loads((run / "meta.json").read_text())["status"] == "done"
            assert not list(run.glob(".*.tmp"))
            counted["exact"] += 1
            figures.note("kills", **{signal.Signals(number).name: counted})
            shutil.rmtree(run)
    finally:
        pool.shutdown(cancel_futures=True)
    assert counted["midway"] >= moments // 3  # it was not all before the first step or after the last


@pytest.mark.parametrize(("number", "moments"), [(signal.SIGKILL, 15), (signal.SIGINT, 6)])
def test_stopped_at_random_moments(folder, number, moments):
    campaign(folder, number, moments)


@pytest.mark.slow
def test_killed_at_1000_random_moments(folder):
    campaign(folder, signal.SIGKILL, 1000)


@pytest.mark.parametrize("links", [5, pytest.param(10, marks=pytest.mark.slow)])
def test_a_chain_of_kills_with_other_threads_and_layers(folder, links):
    """Each process has another number of threads and the other threading layer, and is killed soon after a save."""
    words = ("--val", "40", "--batch-size", "37", "--shuffle", "--lr", "0.05")
    wanted = result(train("whole", *words, epochs=20 * links))
    words = ("train", "cnn", *TINY, "--epochs", str(20 * links), "--ui", "quiet", "--name", "pieces", *words)
    draw, last = random.Random(1), folder / "runs" / "pieces" / "last.safetensors"
    ends = []
    for link, threads in enumerate((1, 2, 8, 3, 4, 1, 8, 2, 4, 3)[:links]):
        layer = ("omp", "workqueue")[link % 2]
        before = last.stat().st_mtime_ns if last.exists() else 0
        with start(
            folder, *(words if link == 0 else ("resume", "pieces", "--ui", "quiet")), "--threads", str(threads),
            program=HURRIED, NUMBA_THREADING_LAYER=layer, OMP_WAIT_POLICY="passive",
        ) as process:  # fmt: skip
            while process.poll() is None and (not last.exists() or last.stat().st_mtime_ns == before):
                time.sleep(0.001)
            time.sleep(0.02 * draw.random())
            process.kill()
        ends.append(process.returncode)
    assert ends.count(-signal.SIGKILL) >= 0.8 * links, ends
    assert resume("pieces") == 0
    assert result(Path("runs/pieces")) == wanted
    figures.note("chain", kills=ends.count(-signal.SIGKILL), hashes=1)


def test_a_finished_run_says_so(folder, capsys):
    run = train("run")
    before = result(run)
    assert main(["resume", "run"]) == 0
    assert "runs/run is finished: 2 epochs are done" in capsys.readouterr().out
    assert result(run) == before
    assert resume("run") == 0
    assert capsys.readouterr().out == ""


def test_a_run_killed_behind_its_last_checkpoint_is_closed(folder):
    run = train("run")
    meta = json.loads((run / "meta.json").read_text())
    (run / "meta.json").write_text(json.dumps(meta | {"status": "running"}))
    events = (run / "events.jsonl").read_text().splitlines(keepends=True)
    (run / "events.jsonl").write_text("".join(events[:-1]))
    assert resume("run") == 0
    assert json.loads((run / "meta.json").read_text())["status"] == "done"
    assert json.loads((run / "events.jsonl").read_text().splitlines()[-1])["event"] == "RunFinished"


def test_more_epochs_go_on_at_the_last_rate(folder, capsys):
    run = train("run", epochs=9)
    assert "at least the 9" in refusal(capsys, "resume", "run", "--epochs", "8")
    assert resume("run", "--epochs", "12") == 0
    rates = [float(row["lr"]) for row in rows(run)]
    assert len(rates) == 12 and rates[8:] == [rates[8]] * 4 and rates[8] == pytest.approx(0.001)
    assert "until = 12" in (run / "config.toml").read_text()
    again = main(["train", "--config", "runs/run/config.toml", "--name", "again", "--ui", "quiet"])
    assert again == 0 and result(Path("runs/again")) == result(run)
    shorter = ["train", "--config", "runs/run/config.toml", "--epochs", "3", "--name", "shorter", "--ui", "quiet"]
    assert main(shorter) == 0 and len(rows(Path("runs/shorter"))) == 3


def test_another_schedule_plans_the_rest_anew(folder):
    run = train("run", epochs=3)
    assert resume("run", "--epochs", "6", "--schedule", "cosine") == 0
    assert [round(float(row["lr"]), 6) for row in rows(run)[3:]] == [0.035204, 0.010454, 0.001]


def test_other_data_are_refused(folder, capsys):
    train("run", epochs=9)
    digits(folder, train=199)
    assert "trained on other data (digits)" in refusal(capsys, "resume", "run", "--epochs", "12")


def test_a_damaged_checkpoint_falls_back_to_the_one_before(folder, capsys):
    run = stopped(folder, "run", signal.SIGINT, 0, 0.1)
    damage(run / "last.safetensors")
    assert main(["resume", "run", "--ui", "plain"]) == 0
    assert "runs/run/last.safetensors is not a usable checkpoint" in capsys.readouterr().err
    assert result(run) == result(train("whole", "--val", "40", epochs=24))
    damage(run / "last.safetensors")
    damage(run / "previous.safetensors")
    shown = refusal(capsys, "resume", "run")
    assert "last.safetensors" in shown and "previous.safetensors" in shown


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)


def test_a_second_process_is_refused(folder, capsys):
    long = ("train", "cnn", *TINY, "--epochs", "1000000", "--name", "run", "--ui", "plain")
    with start(folder, *long) as process:
        try:
            while not process.stdout.readline().startswith("Epoch"):
                assert process.poll() is None
            assert f"is being trained by process {process.pid} on" in refusal(capsys, "resume", "run")
        finally:
            process.kill()


def test_a_checkpoint_of_another_network_is_refused(folder, capsys):
    run, other = train("run"), train("other", "--arch", "conv3 pool dense4")
    shutil.copy(other / "last.safetensors", run / "last.safetensors")
    shown = refusal(capsys, "resume", "run", "--epochs", "5")
    assert "was trained with architecture = 'conv3 pool dense4'" in shown
    assert len(rows(run)) == 2


def test_a_checkpoint_of_a_newer_version_is_refused(folder, capsys):
    run = train("run")
    for kind in ("last", "previous"):
        path = run / f"{kind}.safetensors"
        content = path.read_bytes()
        path.write_bytes(content.replace(b'"format":"jitnet-1"', b'"format":"jitnet-2"'))
    assert "update jitnet" in refusal(capsys, "resume", "run", "--epochs", "5")


def test_weights_without_a_position_are_refused(folder, capsys):
    run = train("run")
    tensors, metadata = checkpoint.load(run / "last.safetensors")
    for name in ("last", "previous"):
        checkpoint.save(run / f"{name}.safetensors", {"conv1.weight": tensors["conv1.weight"]}, metadata)
    assert "no position" in refusal(capsys, "resume", "run", "--epochs", "5")


def edited(run: Path, name: str, value: str) -> None:
    file = run / "config.toml"
    lines = [f"{name} = {value}" if line.startswith(f"{name} = ") else line for line in file.read_text().splitlines()]
    assert f"{name} = {value}" in lines
    file.write_text("\n".join(lines) + "\n")


EDITS = {"lr": "0.2", "batch_size": "3", "seed": "4", "optimizer": '"adam"', "shuffle": "true", "val": "7",
         "augment": '"light"', "ema": "0.5"}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_edited_settings_are_refused_by_name(folder, capsys, name):
    run = train("run")
    old = json.loads(checkpoint.load(run / "last.safetensors")[1]["settings"])[name]
    edited(run, name, EDITS[name])
    said = refusal(capsys, "resume", "run", "--epochs", "5")
    value = {"true": True}.get(EDITS[name], EDITS[name].replace('"', "'"))
    assert f"runs/run/config.toml gives {name} = {value}, and runs/run was trained with {name} = {old!r}: " in said


def test_the_length_of_a_run_may_be_edited(folder):
    run = train("run")
    edited(run, "until", "3")
    assert main(["resume", "run", "--ui", "quiet"]) == 0 and len(rows(run)) == 3


def test_the_run_goes_on_where_a_folder_was_moved(folder):
    run = stopped(folder, "run", signal.SIGINT, 0, 0.02)
    os.rename(run, "elsewhere")
    assert resume("elsewhere") == 0
    assert result(Path("elsewhere")) == result(train("whole", "--val", "40", epochs=24))
