"""`jitnet augment`: the images are drawn, the changes named, and bad input is one sentence."""

import pytest
from commands import digits, refusal, settle

from jitnet.cli import main


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


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("much",), "the augmentation has 'much'"),
        (("light", "--images", "0"), "--images is 0: expected 1 to 100"),
        (("light", "--seed", "-1"), "--seed is -1: expected 0 to"),
    ],
)
def test_refusals(capsys, words, sentence):
    assert sentence in refusal(capsys, "augment", *words, "--data", "digits")
