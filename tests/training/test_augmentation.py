"""Runs that are augmented: recorded, resumed to the same bits, refused where it means nothing."""

import numpy as np
import pytest
from commands import digits, refusal, result, settle, train

from jitnet import MLP
from jitnet.cli import main
from jitnet.config import Settings
from jitnet.errors import InputError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


@pytest.mark.parametrize("words", [(), ("--batch-size", "7", "--shuffle"), ("--kernels", "simple", "--dropout", "0.2")])
def test_a_resume_gives_the_same_bits(folder, words):
    words = ("--augment", "medium", "--schedule", "constant", *words)
    whole, pieces = train("whole", *words, epochs=3), train("pieces", *words, epochs=1)
    assert main(["resume", str(pieces), "--epochs", "3", "--ui", "quiet"]) == 0
    assert result(pieces)[0] == result(whole)[0]
    assert Settings.from_toml(whole / "config.toml").augment == "medium"
    assert result(train("plain", *words[2:], epochs=3))[0] != result(whole)[0]


def test_large_batches_are_augmented_too(folder):
    digits(folder / "many", train=600)
    words = ("--data", "many/digits", "--batch-size", "600", "--optimizer", "adam")
    changed, plain = train("changed", *words, "--augment", "light", epochs=1), train("plain", *words, epochs=1)
    assert result(changed)[0] != result(plain)[0]


def test_the_header_names_it(folder, capsys):
    assert main(["train", "cnn", "--data", "digits", "--augment", "shift=1", "--epochs", "1", "--ui", "plain"]) == 0
    assert "augmented (shift=1)" in " ".join(capsys.readouterr().out.split())


def test_what_means_nothing_is_refused(folder, capsys):
    assert "the augmentation has 'much'" in refusal(capsys, "train", "cnn", "--data", "digits", "--augment", "much")
    with pytest.raises(InputError, match="expected images of at least 2x2 pixels"):
        MLP(augment="light", epochs=1).fit(np.random.default_rng(0).random((20, 5)), np.arange(20) % 2)
