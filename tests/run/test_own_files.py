"""No output of a command or of Python replaces a file that jitnet keeps in the folder of a run or a sweep."""

import argparse
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import digits, refusal, settle, train

from jitnet import MLP
from jitnet.cli import build_parser, main
from jitnet.errors import InputError
from jitnet.run.own_files import RUN_FILES, SWEEP_FILES, require_other
from jitnet.trials.folder import RECORD

WORDS = {  # of each command with an output; the words that name it come last
    "report": ("report", "run", "--out"),
    "play": ("play", "run", "--out"),
    "export weights": ("export", "weights", "run", "--out"),
    "export onnx": ("export", "onnx", "run", "--out"),
    "export cpp": ("export", "cpp", "run", "--out"),
    "export hub": ("export", "hub", "run", "--out"),
    "runs plot": ("runs", "plot", "run", "--out"),
    "predict": ("predict", "run", "--csv", "table.csv", "--out"),
    "train": ("train", "mlp", "--data", "synthetic", "--save"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        digits(settle(patch, folder))
        train("run", epochs=2)
    return folder


@pytest.fixture(autouse=True)
def here(made, monkeypatch):
    settle(monkeypatch, made)


def outputs(parser: argparse.ArgumentParser, name: str = ""):
    """Yield the name of each command that has an option for a file or a folder to write."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, inner in action.choices.items():
                yield from outputs(inner, f"{name} {word}".strip())
        elif {"--out", "--save"} & set(action.option_strings):
            yield name


def test_every_command_with_an_output_is_here():
    assert set(outputs(build_parser())) == set(WORDS)


@pytest.mark.parametrize("command", WORDS)
def test_a_file_of_a_run_is_not_replaced(command, capsys):
    for name in RUN_FILES:
        path = Path("runs/run", name)
        before = path.read_bytes() if path.exists() else None
        assert f"is {path}, which is a file of the run runs/run: choose another file" in refusal(
            capsys, *WORDS[command], str(path)
        )
        assert (path.read_bytes() if path.exists() else None) == before


def test_the_list_is_what_a_run_and_a_sweep_hold(tmp_path):
    assert {path.name for path in Path("runs/run").iterdir()} <= set(RUN_FILES)
    words = ("sweep", "cnn", "--grid", "lr=0.1", "--arch", "dense2", "--data", "digits", "--epochs", "1")
    assert main([*words, "--name", "swept"]) == 0
    files = {path.name for path in Path("runs/swept").iterdir() if path.is_file()}
    cold = {".compiling"}  # there if kernels were compiled
    assert set(SWEEP_FILES) - cold <= files <= set(SWEEP_FILES) and SWEEP_FILES[0] == RECORD


@pytest.mark.parametrize("way", ["link to the file", "link to the folder", "capitals", "sweep"])
def test_other_ways_to_name_such_a_file(way, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("run").mkdir()
    Path("run/meta.json" if way != "sweep" else "run/sweep.json").touch()
    path = {"capitals": "run/Config.toml", "sweep": "run/table.csv", "link to the file": "link"}.get(
        way, "other/meta.json"
    )
    if way.startswith("link"):
        os.symlink("run" if way == "link to the folder" else "run/config.toml", Path(path).parts[0])
    with pytest.raises(InputError, match="choose another file"):
        require_other(path, "--out")
    for allowed in ("run/report.html", "run/weights.npz", "last.safetensors", "run/sub/config.toml"):
        require_other(allowed, "--out")


def test_a_model_saved_in_python_does_not_replace_one_either():
    model = MLP(hidden=(2,), epochs=1).fit(np.eye(8), np.arange(8) % 2)
    with pytest.raises(InputError, match="which is a file of the run"):
        model.save("runs/run/last.safetensors")


def test_weights_in_the_place_of_a_checkpoint_leave_the_previous_one(capsys):
    """An earlier version wrote them there."""
    shutil.copytree("runs/run", "runs/lost")
    assert main(["export", "weights", "run", "--out", "w.safetensors"]) == 0
    shutil.copy("w.safetensors", "runs/lost/last.safetensors")
    capsys.readouterr()
    assert main(["eval", "lost"]) == 0
    heard = capsys.readouterr()
    assert (
        "runs/lost/last.safetensors holds no position of a training run, so it is not a checkpoint of one" in heard.err
    )
    assert "an older one is used" in heard.err and "after 1 epoch" in heard.out
    assert "is not a checkpoint of one" in refusal(capsys, "eval", "runs/lost/last.safetensors")
