"""`jitnet import`: which settings, names and tensors of a file a run takes, and what it says and refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import digits, refusal, settle, train

from jitnet.cli import main
from jitnet.config import Settings
from jitnet.run.trained import open_trained


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run with its own settings, and its files; other data of the same form."""
    folder = tmp_path_factory.mktemp("import")
    with pytest.MonkeyPatch.context() as patch:
        digits(settle(patch, folder))
        digits(folder / "other", test=40)
        train("run", "--seed", "7", "--batch-size", "4", "--bias", "channel", epochs=1)
        for kind, name in (("weights", "w.npz"), ("onnx", "m.onnx")):
            assert main(["export", kind, "run", "--out", name]) == 0
    return folder


@pytest.fixture(autouse=True)
def here(made, monkeypatch):
    settle(monkeypatch, made)


FILES = {"weights": "w.npz", "onnx": "m.onnx"}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("data", ["digits", "other/digits"])
def test_the_settings_are_those_of_the_file_but_for_what_is_given(kind, data):
    name = f"{kind}-{data.replace('/', '-')}"
    words = [] if data == "digits" else ["--data", data]
    assert main(["import", kind, FILES[kind], "--name", name, *words]) == 0
    own, made = (Settings.from_toml(Path("runs", run, "config.toml")) for run in ("run", name))
    assert made == own.replace(data=data)
    meta = json.loads(Path("runs", name, "meta.json").read_text())
    assert (meta["imported"], meta["status"]) == (FILES[kind], "stopped")
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 6, 1), np.uint8)
    networks = [open_trained(run).network for run in ("run", name)]
    assert networks[0].logits(images).tobytes() == networks[1].logits(images).tobytes()


def test_names_are_mapped_and_what_is_not_needed_is_named(capsys):
    given = dict(np.load("w.npz"))
    ours = {"conv1": "features.0", "dense1": "classifier.1", "dense2": "out"}
    layers = {
        f"{theirs}.{part}": given[f"{name}.{part}"] for name, theirs in ours.items() for part in ("weight", "bias")
    }
    np.savez("theirs.npz", **layers, spare=np.zeros(3), left=np.zeros(2))
    words = ("import", "weights", "theirs.npz", "cnn", "--arch", "conv2 pool dense4", "--bias", "channel")
    mapped = ",".join(f"{name}={theirs}" for name, theirs in ours.items())
    more = ("--data", "digits", "--layout", "jitnet", "--name", "mapped")
    capsys.readouterr()
    assert main([*words, *more, "--map", mapped]) == 0
    assert "warning: not needed of theirs.npz: left, spare\n" in capsys.readouterr().err
    assert np.array_equal(open_trained("mapped").network.params, open_trained("run").network.params)


@pytest.mark.parametrize("word", ["conv1", "conv1=", "=conv1", "="])
def test_a_name_without_its_other_half_is_refused(capsys, word):
    for text in (word, f"dense1=dense1,{word}"):
        assert f"--map has {word!r}: expected OURS=THEIRS" in refusal(
            capsys, "import", "weights", "w.npz", "--map", text
        )


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("NETWORK", ["cnn"]),
        ("--arch", ["--arch", "conv2"]),
        ("--map", ["--map", "conv1=a"]),
        ("--layout", ["--layout", "torch"]),
        ("--bias", ["--bias", "channel"]),
    ],
)
def test_what_an_onnx_file_states_itself_is_not_given(capsys, option, words):
    assert f"{option} is given with an ONNX file" in refusal(capsys, "import", "onnx", "m.onnx", *words)


def test_what_is_assumed_of_the_inputs_is_said(monkeypatch, capsys):
    monkeypatch.setattr("jitnet.commands.importing.assumed", lambda *_: "it is assumed")
    capsys.readouterr()
    assert main(["import", "onnx", "m.onnx", "--name", "assumed"]) == 0
    assert "warning: it is assumed\n" in capsys.readouterr().err
