"""Files that version 0.1.0 wrote, at commit e9219d7, are still read: runs, a sweep, models and exports."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import ROOT, refusal, rows, settle

import jitnet
from jitnet import CNN
from jitnet.cli import main
from jitnet.config import Settings
from jitnet.data import load
from jitnet.storage import checkpoint
from jitnet.trials.plan import plan, plan_of

OLD = ROOT / "tests" / "support" / "old"
ARCH = ("cnn", "--arch", "conv2 pool dense4", "--data", "digits")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    shutil.copytree(OLD, tmp_path, dirs_exist_ok=True)
    return settle(monkeypatch, tmp_path)


def said(capsys, *words):
    capsys.readouterr()
    assert main([*words]) == 0
    return capsys.readouterr().out


def test_runs_and_sweeps_are_listed_and_shown(folder, capsys):
    assert {"sgd", "adam"} <= set(said(capsys, "runs", "list").split())
    assert "83.33" in said(capsys, "runs", "show", "sgd") and "adam" in said(capsys, "runs", "show", "adam")
    assert "lr-0.05_seed-0" in said(capsys, "runs", "compare", "sweep")


def test_what_is_done_is_not_trained_again(folder, capsys):
    assert "sgd is finished: 2 epochs are done" in said(capsys, "resume", "sgd")
    words = (
        "--recipe",
        "documents",
        "--init",
        "he",
        "--grid",
        "lr=0.05,0.1",
        "--epochs",
        "1",
        "--name",
        "sweep",
        "--workers",
        "1",
    )
    before = [path.read_bytes() for path in sorted(folder.glob("runs/sweep/*/last.safetensors"))]
    assert "2 done" in said(capsys, "sweep", *ARCH, *words, "--ui", "plain")
    assert [path.read_bytes() for path in sorted(folder.glob("runs/sweep/*/last.safetensors"))] == before


def test_sweeps_keep_their_identity():
    """A setting that is added later must not give the same command another folder."""
    assert plan(Settings.preset("cnn"), "sweep", {"lr": (0.05, 0.1)}).identity == "f09a67e0"
    assert plan(Settings.preset("mlp-512-512", val=100), "repeat", seeds=3).identity == "0386d796"
    assert plan_of([{"lr": 0.1}, {"lr": 0.2}]).identity == "4abcb257"


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_runs_are_measured_continued_and_used(folder, capsys, name):
    accuracy = float(rows(Path("runs", name))[-1]["test_accuracy"])
    assert f"accuracy = {accuracy:.2f}" in said(capsys, "eval", name)
    assert said(capsys, "predict", name, "digits/t10k-images-idx3-ubyte").count("t10k-images") == 30
    assert main(["resume", name, "--epochs", "3", "--ui", "quiet"]) == 0
    assert len(rows(Path("runs", name))) == 3
    if name == "adam":
        assert "after" in said(capsys, "eval", name, "--best")


def test_exported_weights_are_imported(folder, capsys):
    wanted = said(capsys, "eval", "sgd").splitlines()[-1]
    assert main(["import", "weights", "weights.safetensors", *ARCH, "--name", "a"]) == 0
    assert main(["import", "weights", "weights.npz", *ARCH, "--name", "b", "--layout", "jitnet"]) == 0
    assert main(["import", "weights", "cpp/model.safetensors", *ARCH, "--name", "c"]) == 0
    assert [said(capsys, "eval", name).splitlines()[-1] for name in "abc"] == [wanted] * 3
    assert "give --layout torch for PyTorch" in refusal(capsys, "import", "weights", "weights.npz", *ARCH)


@pytest.mark.parametrize("name", ["model.safetensors", "model.npz"])
def test_models_are_loaded(folder, capsys, name):
    data = load("digits", offline=True)
    for model in (CNN.load(name), jitnet.load(name)):
        assert np.allclose(model.predict_proba(data.x_test), np.load("predictions.npy"), atol=1e-6)
    assert "accuracy = 83.33" in said(capsys, "eval", name, "--data", "digits")
    assert "does not state its data: expected --data SET" in refusal(capsys, "eval", name)


def test_checkpoints_are_loaded_in_their_run_folder(folder):
    model = jitnet.load("runs/adam/best.safetensors")
    tensors, _ = checkpoint.load("runs/adam/best.safetensors")
    assert (model.optimizer, model.lr, len(model.history_)) == ("adam", 0.01, tensors["position"][0])
    assert all(np.array_equal(array, tensors[name]) for name, array in model.network_.tensors().items())
    shutil.copy("runs/adam/best.safetensors", "alone.safetensors")
    with pytest.raises(jitnet.errors.InputError, match="does not describe the network"):
        jitnet.load("alone.safetensors")
