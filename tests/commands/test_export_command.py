"""`jitnet export`: what it says it has written, and what it writes of a run that is not as today's."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import digits, refusal, settle, train

from jitnet.cli import main
from jitnet.export.onnx import protobuf
from jitnet.storage import checkpoint


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run with averaged weights."""
    folder = tmp_path_factory.mktemp("export")
    with pytest.MonkeyPatch.context() as patch:
        digits(settle(patch, folder))
        train("run", "--seed", "5", "--ema", "0.9", epochs=2)
    return folder


@pytest.fixture(autouse=True)
def here(made, monkeypatch):
    settle(monkeypatch, made)


def said(capsys, *words: str) -> str:
    """Return the last line that an export prints."""
    capsys.readouterr()
    assert main(["export", *words]) == 0
    return capsys.readouterr().out.splitlines()[-1]


def test_each_export_says_after_how_many_epochs_and_with_which_weights(capsys):
    for words, weights in (([], "averaged"), (["--weights", "raw"], "raw")):
        after = f"runs/run after 2 epochs, {weights} weights is in"
        assert (
            said(capsys, "weights", "run", "--out", "w.npz", *words)
            == f"the {weights} weights of runs/run are in w.npz"
        )
        line = said(capsys, "onnx", "run", "--out", "m.onnx", *words)
        assert line == f"{after} m.onnx, {Path('m.onnx').stat().st_size:,} bytes"
        assert said(capsys, "hub", "run", "--out", "card", *words).startswith(f"{after} card: ")
        assert said(capsys, "cpp", "run", "--out", "twin", *words) == f"{after} twin, see twin/README.md"


def test_the_initial_weights_are_those_of_the_seed_after_no_epoch(capsys):
    assert said(capsys, "cpp", "run", "--out", "twin", "--initial").startswith("runs/run after 0 epochs")
    found = checkpoint.load("twin/model.safetensors")[0]
    train("begun", "--seed", "5", "--ema", "0.9", "--lr", "1e-30", epochs=1)
    own = checkpoint.load("runs/begun/last.safetensors")[0]  # which has learnt nothing
    names = [name for name in own if name.partition(".")[2] in ("weight", "bias")]
    assert len(names) == 6 and all(np.abs(found[name] - own[name]).max() < 1e-20 for name in names)


@pytest.mark.parametrize(("kind", "out"), [("onnx", "nowhere/m.onnx"), ("weights", "nowhere/w.npz")])
def test_a_file_that_cannot_be_written_is_one_sentence(capsys, kind, out):
    shown = refusal(capsys, "export", kind, "run", "--out", out)
    assert "cannot" in shown and out in shown and "choose another" in shown


def test_a_regression_that_did_not_keep_its_scales_has_those_of_its_table():
    x = np.random.default_rng(0).normal(5, 2, (70, 2))
    Path("t.csv").write_text("\n".join(["a,b,y", *(f"{a},{b},{3 * a}" for a, b in x)]) + "\n")
    words = "mlp --hidden 4 --data t.csv --target y --epochs 1 --ui quiet --name table"
    assert main(["train", *words.split()]) == 0
    old = Path(shutil.copytree("runs/table", "runs/old")) / "meta.json"
    meta = json.loads(old.read_text())
    meta["record"] = {name: value for name, value in meta["record"].items() if name not in ("means", "deviations")}
    old.write_text(json.dumps(meta))
    for name in ("table", "old"):
        assert main(["export", "onnx", name, "--out", f"{name}.onnx"]) == 0
    graphs = [protobuf.decode("Model", Path(f"{name}.onnx").read_bytes())["graph"] for name in ("table", "old")]
    assert graphs[0] == graphs[1]
