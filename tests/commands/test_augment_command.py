"""`jitnet augment`: the images are drawn, the changes named, and bad input is one sentence."""

import numpy as np
import pytest
from commands import digits, refusal, settle

from jitnet.cli import main
from jitnet.data import load
from jitnet.training.augmentation import augmented


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path), side=8)
    return tmp_path


def test_each_image_is_drawn_as_it_is_and_as_changed(capsys):
    assert main(["augment", "shift=2,rotate=10", "--data", "digits", "--images", "2", "--epochs", "3"]) == 0
    shown = capsys.readouterr().out
    assert "first 3 epochs (shift 2, rotate 10)" in shown
    assert sum(not line.strip() for line in shown.splitlines()) >= 2 and any("█" in line for line in shown.splitlines())
    assert main(["augment", "shift=2,rotate=10", "--data", "digits", "--images", "2", "--epochs", "3"]) == 0
    assert capsys.readouterr().out == shown
    assert main(["augment", "shift=0", "--data", "digits", "--images", "1", "--epochs", "1"]) == 0
    shown = capsys.readouterr().out
    assert "(no change)" in shown
    for line in shown.splitlines()[1:]:
        line = line.rstrip().ljust(20)
        assert line[2:10] == line[12:20]


@pytest.mark.parametrize(("images", "epochs", "seed"), [(2, 3, 0), (1, 2, 7), (100, 1, 0)])
def test_what_is_drawn_is_what_training_makes_of_the_first_images(monkeypatch, images, epochs, seed):
    drawn = []
    monkeypatch.setattr("jitnet.commands.augment.print_images", lambda out, shown: drawn.append(np.stack(shown)))
    words = ["--images", str(images), "--epochs", str(epochs), "--seed", str(seed)]
    assert main(["augment", "strong", "--data", "digits", *words]) == 0
    given, rows = load("digits").x_train[..., None], np.arange(images)
    made = [augmented(given, rows, "strong", seed, epoch)[rows] for epoch in range(epochs)]
    assert np.array_equal(np.stack(drawn), np.stack([given[rows], *made], axis=1))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("much",), "the augmentation has 'much'"),
        (("light", "--images", "0"), "--images is 0: expected 1 to 100"),
        (("light", "--images", "101"), "--images is 101: expected 1 to 100"),
        (("light", "--epochs", "0"), "--epochs is 0: expected 1 to 20"),
        (("light", "--epochs", "21"), "--epochs is 21: expected 1 to 20"),
        (("light", "--seed", "-1"), "--seed is -1: expected 0 to"),
        (("light", "--seed", str(2**63)), f"--seed is {2**63}: expected 0 to"),
    ],
)
def test_refusals(capsys, words, sentence):
    assert sentence in refusal(capsys, "augment", *words, "--data", "digits")
