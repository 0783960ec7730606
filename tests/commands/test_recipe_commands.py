"""Recipes from the command line: presets, activations, optimisers, regression, the drawn schedule, exported weights."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import digits, refusal, result, rows, settle, train

from jitnet.cli import main
from jitnet.config import Settings
from jitnet.data.readers import regression
from jitnet.errors import InputError
from jitnet.storage import checkpoint


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


def table(folder: Path, name: str = "table.csv", header: str = "a,b,price\n", count: int = 140) -> Path:
    """Write a table whose price is 1000 + 300 * a - 200 * b, sorted by a."""
    rng = np.random.default_rng(0)
    a, b = np.sort(rng.normal(5, 2, count)), rng.normal(0, 1, count)
    lines = [f"{x:.6f},{y:.6f},{1000 + 300 * x - 200 * y:.4f}\n" for x, y in zip(a, b)]
    path = folder / name
    path.write_text(header + "".join(lines))
    return path


def settings_of(run: Path) -> Settings:
    return Settings.from_toml(run / "config.toml")


def test_a_preset_is_its_documents_recipe(folder):
    words = ("--arch", "dense6", "--data", "digits", "--recipe", "documents", "--ui", "quiet")
    assert main(["train", "mlp-512-512", *words, "--steps-per-epoch", "5", "--lr", "0.2", "--name", "run"]) == 0
    settings = settings_of(Path("runs/run"))
    wanted = Settings.preset(
        "mlp-512-512", architecture="dense6", data="digits", recipe="documents", steps_per_epoch=5, lr=0.2
    )
    assert settings == wanted and settings.shuffle and settings.batch_size == 16 and settings.init == "lecun"
    assert [row["step"] for row in rows(Path("runs/run"))] == ["5"]


def test_activations_for_all_layers_and_for_one(folder):
    words = ("train", "cnn", "--arch", "conv2 pool dense4:linear", "--activation", "tanh", "--data", "digits")
    assert main([*words, "--epochs", "1", "--init", "lecun", "--ui", "quiet", "--name", "run"]) == 0
    assert settings_of(Path("runs/run")).architecture == "conv2:tanh pool dense4:linear"
    assert main(["eval", "run"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--arch", "conv2 pool dense4:than"),
            "word 3 of the architecture, 'dense4:than', names the unknown activation",
        ),
        (("--momentum", "1"), "--momentum is 1: expected"),
        (("--weight-decay", "-1"), "--weight-decay is -1: expected"),
        (("--steps-per-epoch", "-1"), "--steps-per-epoch is -1: expected"),
        (("--target", "price"), "with --target expected a CSV file"),
        (("--target", "price", "--loss", "cross-entropy"), "expected mse, since the target is a number"),
    ],
)
def test_mistakes_are_one_sentence(folder, capsys, words, said):
    assert said in refusal(capsys, "train", "cnn", *words)
    assert not Path("runs").exists()


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_an_extended_run_is_the_longer_run(folder, optimizer):
    """The optimiser's state goes through the checkpoint: two epochs and two more are four, to the bit."""
    words = ("--optimizer", optimizer, "--lr", "0.01", "--schedule", "constant", "--batch-size", "16", "--shuffle")
    whole = train("whole", *words, "--epochs", "4")
    train("parts", *words, "--epochs", "2")
    assert main(["resume", "parts", "--epochs", "4", "--ui", "quiet"]) == 0
    tensors, _ = checkpoint.load(whole / "last.safetensors")
    other, _ = checkpoint.load(Path("runs/parts/last.safetensors"))
    assert any(name.startswith("optimizer.") for name in tensors)
    assert checkpoint.content_hash(tensors) == checkpoint.content_hash(other)


def test_losses_and_weight_decay_are_kept_with_the_run(folder, capsys):
    run = train("run", "--loss", "mse", "--weight-decay", "0.01", "--epochs", "1")
    again = ["train", "--config", str(run / "config.toml"), "--name", "again", "--ui", "plain"]
    assert main(again) == 0
    assert "SGD with weight decay 0.01" in (out := capsys.readouterr().out) and "loss mse" in out
    assert result(Path("runs/again")) == result(run)
    assert main(["eval", "run"]) == 0
    assert f"loss = {float(rows(run)[0]['test_loss']):.6f}" in capsys.readouterr().out


def test_a_regression_from_a_table_to_its_error(folder, capsys):
    path = table(folder)
    words = ("train", "mlp", "--hidden", "12", "--data", str(path), "--target", "price", "--optimizer", "adam")
    recipe = ("--lr", "0.02", "--batch-size", "10", "--epochs", "60", "--init", "lecun", "--schedule", "cosine")
    assert main([*words, *recipe, "--ui", "plain", "--name", "run"]) == 0
    shown = capsys.readouterr().out
    last = rows(Path("runs/run"))[-1]
    rmse = float(last["test_loss"]) ** 0.5
    assert last["test_accuracy"] == "" and f"Final RMSE of test set = {rmse:.6g}" in shown
    assert f"rmse = {rmse:.6g}" in [line for line in shown.splitlines() if line.startswith("Epoch")][-1]
    assert rmse < 0.15 * regression.load(str(path), "price").unit ** 0.5
    assert main(["eval", "run"]) == 0 and f"rmse = {rmse:.6g}" in capsys.readouterr().out
    assert "approximates 'price' from numbers, not from image.png" in refusal(capsys, "predict", "run", "image.png")
    Path("rows.csv").write_text("1,0.5\n2,-3\n")
    assert main(["predict", "run", "--csv", "rows.csv", "--json"]) == 0
    expected = json.loads(capsys.readouterr().out)["answers"]
    for words in (["1,0.5", "2,-3"], ["1", "0.5"]):
        assert main(["predict", "run", "--json", *words]) == 0
        answers = json.loads(capsys.readouterr().out)["answers"]
        assert [each["value"] for each in answers] == [each["value"] for each in expected][: len(answers)]
    for words in (["1"], ["1,2,3"], ["1,nan"], ["1,2", "3"], ["1", "2", "3"]):
        assert "numbers are given" in refusal(capsys, "predict", "run", *words)
    assert "both IMAGE files and --csv are given" in refusal(capsys, "predict", "run", "1", "--csv", "rows.csv")
    assert "is a regression of 'price': expected a run that classifies images, which `jitnet errors` needs" in refusal(
        capsys, "errors", "run"
    )
    assert "is a regression of 'price': expected a run that classifies images, which `jitnet trace` needs" in refusal(
        capsys, "trace", "run"
    )
    assert "is a regression, measured on" in refusal(capsys, "eval", "run", "--data", "digits")


def test_a_table_is_read_with_and_without_names(folder):
    named = regression.load(str(table(folder)), "price")
    bare = regression.load(str(table(folder, "bare.csv", "")), "3")
    assert named.sha256 == bare.sha256 == regression.load(str(table(folder)), "3").sha256
    assert named.x_train.shape == (120, 1, 2) and named.x_test.shape == (20, 1, 2) and named.classes == 1
    assert named.x_train.dtype == named.y_train.dtype == np.float32
    assert np.allclose(named.x_train.mean(axis=0), 0, atol=1e-6) and np.allclose(
        named.x_train.std(axis=0), 1, atol=1e-5
    )
    assert named.y_test.min() < -1 and named.y_test.max() > 1, "the test rows of a sorted table come from all of it"


@pytest.mark.parametrize(
    ("text", "target", "said"),
    [
        ("a,b\n" + "1,2\n" * 9, "c", "--target is 'c': expected a column of .*, a number from 1 to 2 or one of a, b"),
        ("a,b\n" + "1,2\n" * 9, "3", "--target is '3'"),
        ("a,b\n1,2\n1,x\n", "a", "has 'x' in line 3, column 2: expected a finite number"),
        ("a,b\n1,2\n1,nan\n", "a", "has 'nan' in line 3, column 2"),
        ("a,b\n1,2\n1\n", "a", "has 1 column in line 3: expected 2"),
        ("a,b\n" + "1,2\n" * 6, "a", "has 6 rows of 2 columns: expected at least 7"),
        ("a\n" + "1\n" * 9, "a", "has 9 rows of 1 columns"),
        ("a,b\n\n" + "1,2\n \n" * 6, "a", "has 6 rows of 2 columns"),  # blank lines are none
        ("", "a", "has no rows of numbers"),
    ],
)
def test_tables_that_are_refused(tmp_path, text, target, said):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        regression.load(str(tmp_path / "t.csv"), target)


def test_the_schedule_is_drawn(capsys):
    assert main(["schedule", "--schedule", "documents"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10 and lines[1].startswith("epoch  1 lr = 0.000010 ")
    bars = [len(line.split()[-1]) for line in lines[1:]]
    assert bars.index(max(bars)) == 3 and max(bars) == 50 and min(bars) == 1
    assert main(["schedule", "mlp-512-512", "--epochs", "2", "--schedule", "step"]) == 0
    assert "lr = 0.100000" in capsys.readouterr().out
    assert "no network called" in refusal(capsys, "schedule", "lenet")


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_weights_are_exported_as_out_in(folder, suffix):
    run, out = train("run", "--epochs", "1"), folder / f"w.{suffix}"
    assert main(["export", "weights", "run", "--out", str(out)]) == 0
    found = dict(np.load(out)) if suffix == "npz" else checkpoint.load(out)[0]
    own, _ = checkpoint.load(run / "last.safetensors")
    assert found["dense1.weight"].shape == (4, 18) and found["conv1.weight"].shape == (2, 1, 3, 3)
    assert found["conv1.bias"].shape == (2, 6, 6) and found["dense2.bias"].shape == (3,)
    assert np.array_equal(found["dense1.weight"], own["dense1.weight"].T)
    assert found["conv1.weight"][1, 0, 2, 0] == own["conv1.weight"][2, 0, 0, 1]


def test_an_export_to_another_kind_of_file_is_refused(folder, capsys):
    train("run", "--epochs", "1")
    assert "--out is 'w.txt'" in refusal(capsys, "export", "weights", "run", "--out", "w.txt")


def test_the_events_of_a_preset_count_its_steps(folder, capsys):
    words = ("--arch", "dense4", "--data", "digits", "--steps-per-epoch", "3", "--ui", "json")
    assert main(["train", "mlp-512-512", *words]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    started = next(event for event in events if event["event"] == "RunStarted")
    assert started["steps_per_epoch"] == 3
