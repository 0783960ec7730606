"""Commands whose standard output was closed before they began: they do their work and print nothing."""

import sys

import pytest
from commands import settle
from run_folders import write_run

from jitnet.cli import main

COMMANDS = [
    "", "schedule cnn", "summary cnn", "summary cnn --json", "summary mlp --kernels", "data status", "data clear",
    "runs list", "runs show run", "runs compare run run", "runs plot run", "doctor",
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_without_an_output_ends_as_ever(tmp_path, monkeypatch, capsys, words):
    settle(monkeypatch, tmp_path)
    write_run(tmp_path / "runs", "run", [90.0, 91.0])
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        assert main(words.split()) == 0
    assert capsys.readouterr() == ("", "")
