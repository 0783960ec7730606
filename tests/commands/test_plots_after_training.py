"""`jitnet train --plot` and `--save`: the losses are drawn where that is wanted, of a training that ended well."""

from pathlib import Path

import pytest
from commands import TINY, digits, settle

from jitnet.cli import main
from jitnet.commands.support import session


@pytest.mark.parametrize(
    ("words", "code", "drawn"),
    [
        ([], 0, None),
        (["--plot"], 0, (True, None)),
        (["--save", "loss.svg"], 0, (False, Path("loss.svg"))),
        (["--plot", "--save", "loss.png"], 0, (True, Path("loss.png"))),
        (["--plot", "--save", "loss.png"], 3, None),
        (["--plot"], 130, None),
    ],
)
def test_losses_are_drawn_if_that_is_wanted_and_the_training_ended_well(tmp_path, monkeypatch, words, code, drawn):
    digits(settle(monkeypatch, tmp_path))
    made = []
    monkeypatch.setattr("jitnet.commands.train.require_figure", lambda path: None)
    monkeypatch.setattr(session, "follow", lambda *_: code)
    monkeypatch.setattr(session, "plot_losses", lambda path, *wanted: made.append((path.name, *wanted)))
    assert main(["train", "cnn", *TINY, "--name", "run", "--ui", "quiet", *words]) == code
    assert made == ([] if drawn is None else [("run", *drawn)])
