"""An option that another one makes meaningless is refused by name, never ignored."""

import pytest
from commands import digits, jitnet, refusal, settle

from jitnet.cli import main

COMMON = ("--arch", "dense2", "--epochs", "1", "--ui", "quiet")
CASES = {
    "mlp --data t.csv --target y --label a": "--label is given with --target, which is the column that is learned",
    "mlp --data t.csv --target y --target-accuracy 50": "--target-accuracy is given with --target, which is a number",
    "mlp --data digits --label a": "a label column is given with digits, which is not a table: omit --label",
    "mlp --data synthetic --limit 100 --label a": "a label column is given with built-in, which is not a table",
    "mlp --data digits --skip-damaged": "digits has no class folders, of which files could be skipped",
    "mlp --data digits --momentum 0.5 --optimizer adam": "--momentum is given with --optimizer adam, which has no such",
    "mlp --data digits --momentum 0.5 --optimizer sgd": "--momentum is given with --optimizer sgd",
    "mlp --data digits --augment shift=6": "shifts images of 6x6 pixels out of sight: expected a shift below 6",
    "mlp --config empty.toml": "a network is given twice",
    "--config empty.toml": "empty.toml is not a TOML file of settings (it has no settings)",
    "--config comment.toml": "comment.toml is not a TOML file of settings (it has no settings)",
}
SWEEPS = {
    "--grid lr=0.1,0.2 --lr 0.3": "--lr is given with other values to try of it: omit it",
    "--grid hidden=4,5 --hidden 6": "is given with other values to try of it: omit it",
    "--random 2 --range lr=0.1:0.2 --lr 0.3": "--lr is given with other values to try of it: omit it",
    "--grid lr=0.1 --random 3": "--random is 3, and --grid has 1 in all: omit --random, or add --range",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    (tmp_path / "t.csv").write_text("a,b,y\n" + "".join(f"{i},{i % 3},{2 * i}\n" for i in range(40)))
    (tmp_path / "empty.toml").touch()
    (tmp_path / "comment.toml").write_text("# lr = 0.1\n")
    return tmp_path


@pytest.mark.parametrize("words", CASES)
def test_it_is_refused(folder, capsys, words):
    common = () if "--config" in words else COMMON
    assert CASES[words] in refusal(capsys, "train", *words.split(), *common)


@pytest.mark.parametrize("words", SWEEPS)
def test_a_sweep_refuses_it(folder, capsys, words):
    common = ("--epochs", "1", "--data", "digits")
    assert SWEEPS[words] in refusal(capsys, "sweep", "mlp", *words.split(), *common)


def test_those_with_an_effect_are_taken(folder):
    for words in ("--optimizer nesterov --momentum 0.5", "--augment shift=5", "--no-skip-damaged"):
        assert main(["train", "mlp", "--data", "digits", *words.split(), *COMMON]) == 0
    words = "sweep mlp --hidden 4 --grid optimizer=momentum,adam --momentum 0.5 --epochs 1 --data digits --ui quiet"
    assert jitnet(folder, *words.split()).returncode == 0
