"""`jitnet train` from its words to the files it leaves, and what `eval` and `predict` then say."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import ROOT, TINY, digits, environment, jitnet, refusal, result, rows, settle, start, train, weights

from jitnet.cli import main
from jitnet.data.sources.known import MNIST
from jitnet.run.metrics import COLUMNS
from jitnet.storage import checkpoint
from jitnet.training.coach import BUSY

EPOCH = re.compile(r"Epoch +\d+ lr = \d\.\d{6} avg loss = \d+\.\d{6} accuracy = \d+\.\d\d")
CLOSING = (r"Final accuracy of test set = \d+\.\d\d", r"Total execution time: \d+\.\d\d minutes \(.*\)")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


def lines_of_epochs(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("Epoch")]


def test_end_to_end(folder):
    words = ("train", "cnn", *TINY, "--epochs", "3", "--val", "40", "--name", "run")
    shown = jitnet(folder, *words)
    assert shown.returncode == 0 and shown.stderr == ""
    epochs = lines_of_epochs(shown.stdout)
    assert len(epochs) == 3 and all(EPOCH.match(line) for line in epochs)
    closing, _, following = shown.stdout.partition("Next:\n")
    assert "jitnet report runs/run --open" in following
    for line, pattern in zip(closing.splitlines()[-2:], CLOSING):
        assert re.fullmatch(pattern, line)
    run = folder / "runs" / "run"
    assert {path.name for path in run.iterdir()} == {
        ".lock", "meta.json", "config.toml", "metrics.csv", "steps.jsonl", "events.jsonl",
        "last.safetensors", "previous.safetensors", "best.safetensors",
    }  # fmt: skip
    assert list(rows(run)[0]) == list(COLUMNS) and [row["epoch"] for row in rows(run)] == ["0", "1", "2"]
    meta = json.loads((run / "meta.json").read_text())
    assert meta["status"] == "done" and meta["data"] == "digits" and meta["argv"][1:] == list(words)
    assert main([*words[:-1], "here", "--ui", "quiet"]) == 0
    assert result(Path("runs/here")) == result(run)


def test_its_settings_repeat_a_run(folder):
    run = train("run", "--shuffle", "--seed", "7", "--batch-size", "7", "--val", "30", "--schedule", "cosine")
    assert main(["train", "--config", str(run / "config.toml"), "--name", "again", "--ui", "quiet"]) == 0
    assert result(Path("runs/again")) == result(run)
    assert (Path("runs/again") / "config.toml").read_bytes() == (run / "config.toml").read_bytes()


def test_options_overrule_a_config(folder):
    run = train("run")
    assert main(["train", "--config", str(run / "config.toml"), "--seed", "3", "--name", "b", "--ui", "quiet"]) == 0
    assert result(Path("runs/b")) == result(train("c", "--seed", "3")) != result(run)


def test_no_run_changes_with_the_number_of_threads(folder):
    for recipe in ((), ("--batch-size", "7")):
        hashes = set()
        for threads in ("1", "2", "4"):
            name = f"run{len(recipe)}-{threads}"
            words = ("train", "cnn", *TINY, "--epochs", "2", *recipe, "--threads", threads, "--name", name)
            shown = jitnet(folder, *words)
            assert shown.returncode == 0, shown.stderr
            assert f"runs on {threads} thread{'' if threads == '1' else 's'} (" in shown.stdout
            hashes.add(str(result(folder / "runs" / name)))
        assert len(hashes) == 1


def test_workqueue_gives_the_bits_of_omp(folder):
    words = ("train", "cnn", *TINY, "--epochs", "2", "--batch-size", "7", "--threads", "2", "--name")
    shown = jitnet(folder, *words, "slow", NUMBA_THREADING_LAYER="workqueue")
    assert shown.returncode == 0 and "runs on 2 threads (workqueue)" in shown.stdout
    assert result(folder / "runs" / "slow") == result(train("run", "--batch-size", "7"))


@pytest.mark.parametrize(
    ("words", "steps", "images"),
    [
        ("", 200, 200),
        ("--batch-size 64", 4, 200),
        ("--batch-size 0", 1, 200),
        ("--batch-size 1000", 1, 200),
        ("--batch-size 7", 29, 200),
        ("--limit 20", 20, 20),
        ("--limit 20 --val 5 --batch-size 7", 3, 15),
    ],
)
def test_steps_and_images(folder, capsys, words, steps, images):
    assert main(["train", "cnn", *TINY, "--epochs", "1", "--ui", "json", *words.split()]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    started = next(event for event in events if event["event"] == "RunStarted")
    assert (started["steps_per_epoch"], started["train_images"]) == (steps, images)
    assert sum(event["images"] for event in events if event["event"] == "StepsDone") == images
    assert events[-1]["event"] == "RunFinished"


@pytest.mark.parametrize(
    "words",
    ["--shuffle", "--seed 1", "--bias channel", "--init lecun", "--init documents", "--schedule constant",
     "--arch dense4", "--limit 150", "--val 50", "--lr 0.2", "--batch-size 2"],
)  # fmt: skip
def test_each_option_changes_the_result(folder, words):
    assert weights(train("other", *words.split())) != weights(train("plain"))


def test_hidden_is_the_architecture_of_an_mlp(folder):
    common = ["train", "mlp", "--data", "digits", "--epochs", "1", "--ui", "quiet"]
    assert main([*common, "--hidden", "5,4", "--name", "a"]) == 0
    assert main([*common, "--arch", "dense5 dense4", "--name", "b"]) == 0
    assert weights(Path("runs/a")) == weights(Path("runs/b"))


def test_json_is_one_event_a_line(folder, capsys):
    assert main(["train", "cnn", *TINY, "--epochs", "2", "--ui", "json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    events = [event for event in events if event.get("kind") != BUSY]  # advice on a busy machine only
    assert [event["kind"] for event in events if event["event"] == "Advised"] == ["rate too high"]
    names = [event["event"] for event in events]
    order = [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]
    epoch = ["StepsDone", "EpochDone", "CheckpointSaved"]  # no Progress in a short evaluation
    order = [event for event in order if event != "PeakMeasured"]  # omitted on a busy machine
    assert order == ["RunStarted", "Compiling", *epoch, "Advised", *epoch, "RunFinished"]


def test_quiet_is_silent(folder, capsys):
    train("run")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("view", ["json", "plain"])
def test_training_outlives_its_reader(folder, view):
    words = ("train", "cnn", *TINY, "--epochs", "30", "--name", "run", "--ui", view)
    with start(folder, *words) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 1 and process.stderr.read() == ""
    assert len(rows(folder / "runs" / "run")) == 30


def test_synthetic_says_so_everywhere(folder):
    words = ("train", "cnn", "--arch", "conv2 pool dense10", "--limit", "300", "--epochs", "1", "--offline")
    shown = jitnet(folder, *words)
    assert shown.returncode == 0
    assert "MNIST could not be had" in shown.stderr and "synthetic digits are used" in shown.stderr
    assert "data    synthetic digits, not MNIST: 300 training" in shown.stdout
    assert all(line.endswith("(synthetic digits)") for line in lines_of_epochs(shown.stdout))
    assert re.search(r"^Final accuracy of test set = .*\(synthetic digits\)$", shown.stdout, re.MULTILINE)
    (run,) = (folder / "runs").iterdir()
    assert "-cnn-synthetic-" in run.name
    assert json.loads((run / "meta.json").read_text())["data"] == "synthetic"
    assert checkpoint.load(run / "last.safetensors")[1]["data"] == "synthetic"
    measured = jitnet(folder, "eval", "latest", "--offline")
    assert measured.returncode == 0 and measured.stdout.count("synthetic digits") == 2
    assert measured.stderr.count("latest is") == measured.stderr.count(
        "\n"
    )  # and nothing of MNIST, which is not searched
    elsewhere = np.zeros((28, 28), np.uint8)
    elsewhere[4:24, 13:15] = 255
    np.save(folder / "one.npy", elsewhere)
    seen = jitnet(folder, "predict", "latest", "one.npy")
    assert seen.returncode == 0 and seen.stdout.splitlines()[0].endswith("(trained on synthetic digits)")


def test_mnist_offline_is_refused_with_all_that_helps(folder, capsys):
    assert main(["train", "cnn", "--data", "mnist", "--offline", "--ui", "quiet"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("jitnet: MNIST was not found")
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"):
        assert name in shown
    for words in (*MNIST.sha256.values(), *MNIST.mirrors, ".keras", "MNIST/raw", "JITNET_DATA=FOLDER", ".cache"):
        assert words in shown
    assert not Path("runs").exists()


def test_eval_and_predict(folder, capsys):
    run = train("run", "--val", "40", epochs=6)
    last = rows(run)[-1]
    capsys.readouterr()
    assert main(["eval", "run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "runs/run after 6 epochs, on 60 test images of digits"
    assert lines[1] == f"loss = {float(last['test_loss']):.6f} accuracy = {float(last['test_accuracy']):.2f} %"
    assert main(["eval", "run", "--best"]) == 0
    assert " epochs, on 60 test images" in capsys.readouterr().out
    assert main(["predict", "run", "digits/t10k-images-idx3-ubyte"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert last == "by runs/run after 6 epochs, trained on digits"
    assert len(lines) == 60 and lines[0].startswith("digits/t10k-images-idx3-ubyte[0]: ")
    ranked = re.fullmatch(r".*: (\d)    (\d) +([\d.]+) %  (\d) +([\d.]+) %  (\d) +([\d.]+) %", lines[0])
    assert ranked and ranked[1] == ranked[2] and 99 < sum(map(float, ranked.group(3, 5, 7))) < 101


def test_what_eval_and_predict_refuse(folder, capsys):
    train("run")
    digits(folder / "other", side=8)
    assert "expected (6, 6, 1)" in refusal(capsys, "eval", "run", "--data", "other/digits")
    assert "no data set 'nowhere'" in refusal(capsys, "eval", "run", "--data", "nowhere")
    np.save("blank.npy", np.zeros((6, 6), np.uint8))
    Path("text.png").write_text("not an image")
    Path("empty.npy").touch()
    for name, said in (
        ("missing.png", "is not a file"),
        ("blank.npy", "the image is blank"),
        ("text.png", "an image"),
        ("empty.npy", "is empty"),
    ):
        assert main(["predict", "run", name]) == 1
        line, last = capsys.readouterr().out.splitlines()
        assert line.startswith(f"{name}: no answer: ") and said in line and last.endswith("; 1 of 1 have no answer")
    assert "best.safetensors" in refusal(capsys, "predict", "run", "blank.npy", "--best")


def test_the_loss_over_time_is_plotted_after_training(folder, capsys):
    train("run", "--plot")
    out = capsys.readouterr().out
    assert "loss of a sample of steps" in out and "A run" in out and "seconds of training" in out


def test_a_plot_that_cannot_be_is_refused_before_training(folder, capsys, monkeypatch):
    words = ("train", "cnn", *TINY)
    assert "ends in .svg or .png" in refusal(capsys, *words, "--save", "loss.gif")
    assert "the folder nowhere does not exist" in refusal(capsys, *words, "--save", "nowhere/loss.svg")
    assert "--plot is given with --ui json" in refusal(capsys, *words, "--plot", "--ui", "json")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    assert "pip install 'jitnet[plot]'" in refusal(capsys, *words, "--save", "loss.svg")
    assert not Path("runs").exists()


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib, the extra `plot`, is not here")
@pytest.mark.filterwarnings("default")
def test_the_loss_over_time_is_saved(folder):
    train("run", "--save", "loss.svg")
    assert Path("loss.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize("view", ["plain", "json"])
def test_a_divergence_keeps_the_last_good_checkpoint(folder, capsys, view):
    words = ("train", "cnn", *TINY, "--epochs", "3", "--lr", "1e30", "--schedule", "constant", "--name", "run")
    assert main([*words, "--ui", view]) == 3
    out, err = capsys.readouterr()
    said = err if view == "plain" else out.splitlines()[-1]
    assert "Diverged" in said and said.count("a smaller --lr") == 1 and said.count("\n") == (view == "plain")
    run = Path("runs/run")
    assert json.loads((run / "events.jsonl").read_text().splitlines()[-1])["event"] == "Diverged"
    assert json.loads((run / "meta.json").read_text())["status"] == "diverged"
    assert checkpoint.load(run / "last.safetensors")[0]["position"].tolist() == [0, 0, 0]  # load refuses a NaN
    assert rows(run) == []
    assert main(["resume", "run", "--ui", "quiet"]) == 3
    config = run / "config.toml"
    config.write_text(config.read_text().replace("lr = 1e+30", "lr = 0.1"))
    assert main(["resume", "run", "--ui", "quiet"]) == 0
    assert result(run) == result(train("tame", "--schedule", "constant", epochs=3))


def test_a_result_on_other_data_says_what_it_was_trained_on(folder, capsys):
    run = train("run")
    meta = json.loads((run / "meta.json").read_text())
    (run / "meta.json").write_text(json.dumps(meta | {"data": "synthetic"}))
    assert main(["eval", "run", "--data", "digits"]) == 0
    assert capsys.readouterr().out.count("(trained on synthetic digits)") == 2


def test_threads_in_the_environment(folder):
    words = ("train", "cnn", *TINY, "--epochs", "1")
    assert "runs on 3 threads" in jitnet(folder, *words, NUMBA_NUM_THREADS="3").stdout
    assert "runs on 2 threads" in jitnet(folder, *words, "--threads", "2", NUMBA_NUM_THREADS="3").stdout
    bad = jitnet(folder, *words, NUMBA_NUM_THREADS="many")
    assert bad.returncode == 2 and "NUMBA_NUM_THREADS is 'many'" in bad.stderr


def test_it_runs_from_a_bare_checkout(folder):
    shown = subprocess.run(
        [sys.executable, "-W", "error", "-m", "jitnet", "train", "cnn", *TINY, "--data", str(folder / "digits"),
         "--epochs", "1", "--runs-dir", str(folder / "runs")],
        cwd=ROOT, env=environment(folder, PYTHONPATH=""), capture_output=True, text=True,
    )  # fmt: skip
    assert shown.returncode == 0 and shown.stderr == ""
