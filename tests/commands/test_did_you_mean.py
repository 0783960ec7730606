"""A misspelt name of any kind is refused, and the sentence names what was probably meant."""

import random

import pytest
from commands import refusal, settle
from run_folders import write_run

from jitnet.cli import build_parser, main
from jitnet.commands import COMMANDS
from jitnet.config import CHOICES, PRESETS, SETTINGS
from jitnet.errors import did_you_mean

SLIPS = {  # command line: what is meant
    "trian cnn": "train",
    "evaluate latest": "eval",
    "predcit latest x.png": "predict",
    "runs lst": "list",
    "runs remame a b": "rename",
    "data fecth": "fetch",
    "export wieghts latest": "weights",
    "train cnn --batchsize 64": "--batch-size",
    "train cnn --batch_size 64": "--batch-size",
    "train cnn --learning-rate 0.1": "--lr",
    "train cnn --learning_rate=0.1": "--lr",
    "train cnn --epoch-s 3": "--epochs",
    "train cnn --learnin-rate 3": "--lr",
    "train cnn --max-iters 3": "--epochs",
    "train cnn --optimiser adam": "--optimizer",
    "train cnn --init hee": "he",
    "train cnn --schedule cosin": "cosine",
    "train cnn --ui plane": "plain",
    "train ccn": "cnn",
    "train mlp-512": "mlp-512-512",
    "summary mpl": "mlp",
    "sweep cnn --grid learning_rate=0.1,0.2": "lr",
    "sweep cnn --grid optimzer=sgd,adam": "optimizer",
    "train cnn --data mnits": "mnist",
    "train cnn --data fashon": "fashion",
    "runs list --sort acuracy": "accuracy",
    "runs list --filter acuracy>3": "accuracy",
    "runs show my-rnu": "my-run",
    "eval refrence-cnn": "reference-cnn",
    "eval my-run --ofline": "--offline",
    "resume my-run --epoches 3": "--epochs",
    "runs list --srot accuracy": "--sort",
    "runs compare my-run my-run --markdwon": "--markdown",
    "export weights my-run --out w.npz --wieghts raw": "--weights",
    "data fetch --ofline": "--offline",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    settle(monkeypatch, tmp_path)
    write_run(tmp_path / "runs", "my-run", [90.0])


@pytest.mark.parametrize("words", SLIPS)
def test_a_slip_is_named(capsys, words):
    assert f"did you mean {SLIPS[words]!r}?" in refusal(capsys, *words.split())


@pytest.mark.parametrize(("words", "known"), [(["runs"], "list, show"), (["completion"], "bash, zsh, fish")])
def test_what_is_required_is_named_with_its_choices(capsys, words, known):
    assert f", one of {known}" in refusal(capsys, *words)


def test_settings_of_a_file(tmp_path, capsys):
    (tmp_path / "bad.toml").write_text("batchsize = 3\n")
    assert "did you mean 'batch_size'?" in refusal(capsys, "train", "--config", "bad.toml")


@pytest.mark.parametrize(
    "known", [[*COMMANDS], [*PRESETS], [*SETTINGS], *map(list, CHOICES.values())], ids=lambda k: k[0]
)
def test_one_wrong_letter_of_a_long_name_is_always_found(known):
    """Names of six letters and more; a shorter one may be as near to another."""
    rng = random.Random(0)
    for name in (name for name in known if len(name) >= 6):
        for place in range(len(name)):
            wrong = name[:place] + rng.choice("qxz") + name[place + 1 :]
            as_near = [each for each in known if len(each) == len(name) and sum(map(str.__ne__, each, wrong)) <= 1]
            assert did_you_mean(wrong, known) in {f"; did you mean {each!r}?" for each in as_near}, wrong


def test_the_beginning_of_a_name_is_enough_if_it_is_that_of_one_alone():
    known = ["weight_decay", "warm_up", "lr", "val"]
    for word, meant in (("weight", "weight_decay"), ("warm", "warm_up"), ("learning", "lr"), ("validation", "val")):
        assert did_you_mean(word, known) == f"; did you mean {meant!r}?"
    for word in ("we", "weight"):  # two letters are too few, and the other is the beginning of two names
        assert did_you_mean(word, ["weight_decay", "weight_scale"]) == ""


def test_what_is_like_nothing_gets_no_advice(capsys):
    assert "did you mean" not in refusal(capsys, "train", "cnn", "--frobnicate")
    assert "did you mean" not in refusal(capsys, "xyzzy")


def test_what_was_right_is_still_right():
    parser = build_parser()
    assert parser.parse_args(["train", "cnn", "--batch", "64"]).batch_size == "64"  # an option may be shortened
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert not ended.value.code
