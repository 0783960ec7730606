"""The folder for a model hub: its card can be read, and its loader answers as jitnet does, without jitnet."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from commands import digits, refusal, settle, train

import jitnet
from jitnet import CNN
from jitnet.cli import main
from jitnet.export.hub import predict as loader
from jitnet.export.hub.predict import predict
from jitnet.model.architecture import ACTIVATIONS
from jitnet.model.reference import activate

ARCHITECTURES = [
    " ",
    "dense5:gelu dense4:leaky-relu",
    "conv3:tanh pool dense4:sigmoid",
    "conv3 pool conv4:linear pool conv2:gelu",
    "conv3 avgpool conv2:gelu avgpool",
]


@pytest.mark.parametrize("bias", ["position", "channel"])
@pytest.mark.parametrize("hidden", ARCHITECTURES)
def test_numpy_and_safetensors_alone_predict_the_same(hidden, bias, tmp_path):
    """The small example: another program reads the file that save() wrote."""
    pytest.importorskip("safetensors")
    images = np.random.default_rng(1).integers(0, 256, (40, 7, 6, 2), dtype=np.uint8)
    model = CNN(hidden, bias=bias, epochs=1).fit(images, np.arange(40) % 3)
    model.network_.params[:] = np.random.default_rng(0).normal(size=model.network_.params.size)
    model.save(tmp_path / "m.safetensors")
    for given in (images, (images / 255).astype(np.float32)):
        assert (predict(tmp_path / "m.safetensors", given) == model.predict(images)).all()


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_the_loader_has_the_activations_of_jitnet(kind):
    z = np.linspace(-6, 6, 241)
    np.testing.assert_allclose(loader.ACTIVATIONS[kind](z), activate(kind, z), rtol=1e-12, atol=1e-15)


@pytest.fixture
def home(tmp_path, monkeypatch):
    settle(monkeypatch, tmp_path)
    digits(tmp_path)
    return tmp_path


def test_a_run_becomes_a_folder_for_a_hub(home, capsys):
    train("a", "--val", "50")
    assert main(["export", "hub", "a", "--out", "card", "--licence", "cc-by-4.0"]) == 0
    assert {path.name for path in (home / "card").iterdir()} == {
        "model.safetensors",
        "config.json",
        "README.md",
        "predict.py",
    }
    text = (home / "card" / "README.md").read_text()
    accuracy = jitnet.load("a").history_[-1].test_accuracy
    assert (
        text.startswith("---\n") and 'license: "cc-by-4.0"' in text and f"| test accuracy | {accuracy:.2f}% |" in text
    )
    assert f'name: "test accuracy", value: {accuracy / 100:.6g}' in text and "| data | digits, SHA-256 " in text
    assert json.loads((home / "card" / "config.json").read_text())["id2label"] == {"0": "0", "1": "1", "2": "2"}
    assert main(["export", "hub", "a", "--out", "card"]) == 0  # over an older export
    assert "states no licence" in capsys.readouterr().err
    (home / "card" / "mine.txt").touch()
    assert "holds other files" in refusal(capsys, "export", "hub", "a", "--out", "card")


def test_the_loader_of_the_folder_is_a_program(home):
    pytest.importorskip("safetensors")
    train("a")
    assert main(["export", "hub", "a", "--out", "card"]) == 0
    images = np.random.default_rng(0).integers(0, 256, (9, 6, 6), dtype=np.uint8)
    np.save(home / "x.npy", images)
    words = [sys.executable, "card/predict.py", "card/model.safetensors", "x.npy"]
    done = subprocess.run(words, env=os.environ | {"PYTHONPATH": ""}, capture_output=True, text=True)
    assert done.stdout.split() == [str(label) for label in jitnet.load("card/model.safetensors").predict(images)], done


def test_the_head_of_a_card_is_yaml(home):
    yaml = pytest.importorskip("yaml")
    train("a")
    assert main(["export", "hub", "a", "--out", "card"]) == 0
    head = yaml.safe_load((home / "card" / "README.md").read_text().split("---\n")[1])
    assert head["license"] == "unknown" and head["model-index"][0]["results"][0]["metrics"][0]["type"] == "accuracy"
