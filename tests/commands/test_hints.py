"""What a refusal says beyond "it is wrong": where words go, what is there, and what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import TINY, digits, environment, refusal, rows, settle, train

from jitnet.cli import main
from jitnet.errors import InputError
from jitnet.run.manage import remove


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


@pytest.mark.parametrize("word", ["-1,2,3", "-dash.png"])
def test_a_word_that_begins_with_a_minus(folder, capsys, word):
    assert "begins with a minus comes last, after --; see" in refusal(capsys, "predict", "run", word)
    assert "there is no run 'run'" in refusal(capsys, "predict", "run", "--", word)


@pytest.mark.parametrize(
    "words", ["train --epochs 1 mlp", "summary --batch 8 mlp", "import weights w.npz --name r mlp"]
)
def test_one_that_may_be_left_out_may_come_after_options(folder, capsys, words):
    command, *rest = words.split()
    if command == "import":
        assert "w.npz" in refusal(capsys, command, *rest, "--data", "digits")
        assert "'mlpp' is given: expected one of" in refusal(capsys, command, *rest[:-1], "mlpp")
        assert "unrecognized arguments: cnn" in refusal(
            capsys, command, "weights", "w.npz", "mlp", "--name", "r", "cnn"
        )
    elif command == "train":
        assert main([command, *rest, "--data", "digits", "--hidden", "4", "--ui", "quiet"]) == 0


def test_options_before_a_kind(folder, capsys):
    said = refusal(capsys, "export", "--out", "z.onnx", "onnx", "run")
    assert "'z.onnx' is given: expected one of weights, cpp, onnx, hub; options come after it" in said


def test_a_folder_of_the_runs_that_is_none(folder, capsys):
    Path("runs/empty").mkdir(parents=True)
    assert "runs/empty is a folder without meta.json, so it is not a run" in refusal(capsys, "eval", "empty")


def test_a_folder_that_cannot_be_read_is_not_called_empty(folder, capsys, monkeypatch):
    run = train("run")

    def denied(function):
        def check(path, *arguments):
            if str(path).startswith(closed):
                raise PermissionError(13, "Permission denied", str(path))
            return function(path, *arguments)

        return check

    monkeypatch.setattr(os, "lstat", denied(os.lstat))
    monkeypatch.setattr(Path, "iterdir", denied(Path.iterdir))
    monkeypatch.setattr("jitnet.setting.read_small", denied(lambda path: Path(path).read_bytes()))
    closed = str(run)
    assert "cannot read the settings runs/run/config.toml: Permission denied" in refusal(capsys, "eval", "run")
    assert main(["runs", "list"]) == 0
    heard = capsys.readouterr()
    assert "runs/run/meta.json: Permission denied" in heard.err and "damaged" in heard.out
    closed = "runs"
    for command in ("runs list", "eval latest", "eval other"):
        said = refusal(capsys, *command.split())
        assert "cannot read" in said and "Permission denied" in said


@pytest.mark.parametrize("at", ["before", "while"])
def test_a_run_that_cannot_be_removed_keeps_its_name(folder, monkeypatch, at):
    run = train("run")

    def fail(*arguments):
        raise PermissionError(13, "Permission denied")

    if at == "before":
        monkeypatch.setattr(os, "access", lambda *arguments: False)
    else:
        monkeypatch.setattr(shutil, "rmtree", fail)
    with pytest.raises(InputError, match="cannot change runs/run: Permission denied"):
        remove(run, Path("runs"))
    assert [path.name for path in Path("runs").iterdir()] == ["run"] and len(rows(run)) == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
@pytest.mark.parametrize(("to", "why"), [("> /dev/full", "No space left on device"), (">&-", "it is closed")])
def test_a_training_whose_output_is_lost_says_so(folder, to, why):
    words = f"{sys.executable} -m jitnet train cnn --epochs 2 --name run {to}"
    tiny = [each for each in TINY if " " not in each and each != "--arch"]
    done = subprocess.run(
        ["sh", "-c", f"{words} --arch 'conv2 pool dense4' {' '.join(tiny)}"], env=environment(folder), cwd=folder,
        capture_output=True, text=True,
    )  # fmt: skip
    said = f"warning: the output cannot be written ({why}): the training continues without it, and the exit code is 1\n"
    assert done.returncode == 1 and done.stderr == said and len(rows(folder / "runs/run")) == 2


@pytest.mark.parametrize("words", ["train cnn --epochs 1 --data synthetic --limit 50", "doctor"])
def test_a_working_directory_that_was_removed(folder, words):
    code = "import os, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); from jitnet.cli import main; "
    done = subprocess.run(
        [sys.executable, "-c", code + f"sys.exit(main({words.split()!r}))"], env=environment(folder), cwd=folder,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2 and "the working directory is no longer there: change to another one" in done.stderr


def test_a_closed_standard_input(folder, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert "- is given and standard input is closed" in refusal(capsys, "predict", "run", "-")


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
def test_half_precision_names_what_to_do(folder, capsys, dtype):
    entry = f'{{"w":{{"dtype":"{dtype}","shape":[1],"data_offsets":[0,2]}}}}'.encode()
    Path("half.safetensors").write_bytes(len(entry).to_bytes(8, "little") + entry + b"\0\0")
    said = refusal(capsys, "import", "weights", "half.safetensors", "mlp", "--data", "digits")
    assert "in PyTorch `model.float()` before saving" in said
