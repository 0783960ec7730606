"""What a system may lack or refuse: locks, a cache, a size of memory, room on a disk, a name."""

import errno
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from commands import digits, settle, train

from jitnet import cli
from jitnet.cli import main
from jitnet.commands import summary
from jitnet.commands.support import session
from jitnet.errors import InputError
from jitnet.events import Warned
from jitnet.kernels.compiler import cache, decorators
from jitnet.machine import memory
from jitnet.model.architecture import Dense
from jitnet.model.network import Network
from jitnet.run import RunFolder, lock, names
from jitnet.training import compilation
from jitnet.training.compilation import compile_kernels


def test_without_locks_nobody_is_kept_out_and_nobody_is_called_dead(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "fcntl", None)
    first, second = lock.Lock(tmp_path), lock.Lock(tmp_path)
    assert lock.is_held(tmp_path) and f"process {os.getpid()} on " in (tmp_path / ".lock").read_text()
    for each in (first, second, first):
        each.release()
    assert lock.is_held(tmp_path)


def test_a_file_system_without_locks_lets_everybody_in(tmp_path, monkeypatch):
    def none(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", none)
    held = lock.Lock(tmp_path)
    assert lock.is_held(tmp_path)
    held.release()


@pytest.mark.parametrize(("name", "tries"), [("mine", 1), (None, 2)])
def test_a_name_that_is_taken_in_the_last_moment(tmp_path, monkeypatch, name, tries):
    """Between the look and the rename: a given name is refused, one of ours is drawn again."""
    rename, asked = os.rename, []

    def late(source, target):
        asked.append(target)
        if len(asked) == 1:
            Path(target, "config.toml").parent.mkdir()
            Path(target, "config.toml").touch()
        rename(source, target)

    monkeypatch.setattr(names.os, "rename", late)
    hidden = tmp_path / ".hidden"
    hidden.mkdir()
    (hidden / "meta.json").touch()
    if name:
        with pytest.raises(InputError, match=r"there is a run 'mine' in .* already: choose another --name"):
            names.publish(hidden, tmp_path, "cnn", name)
    else:
        assert (names.publish(hidden, tmp_path, "cnn", name) / "meta.json").exists()
    assert len(asked) == tries and (asked[0] / "config.toml").exists() and not (asked[0] / "meta.json").exists()


def test_a_rename_that_fails_for_another_reason_is_told(tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(names.os, "rename", refuse)
    with pytest.raises(OSError, match="Read-only"):
        names.publish(tmp_path / ".hidden", tmp_path, "cnn", None)


def test_without_a_cache_the_user_is_told_first(monkeypatch):
    """Once, although what draws digits or measures the machine is compiled apart."""
    monkeypatch.setattr(cache, "CACHE_FOLDER", None)
    monkeypatch.setattr(compilation, "_warned", set())
    arguments = Network((Dense(3),), (2, 2, 1)), 1, np.zeros((1, 2, 2, 1), np.uint8)
    first = next(compile_kernels(*arguments))
    assert isinstance(first, Warned) and "set JITNET_CACHE_DIR to one that is" in first.message
    assert not isinstance(next(compile_kernels(*arguments)), Warned)


def test_code_that_cannot_be_saved_is_used_and_warned_of_once(monkeypatch):
    """As on a full disk; numba lets the error end the command."""
    monkeypatch.setattr(cache, "UNSAVED", [])
    monkeypatch.setattr(compilation, "_warned", set())
    made = decorators.serial_kernel(add_one)
    monkeypatch.setattr(made._cache, "_cache_file", SimpleNamespace(load=lambda key: None, save=full_disk))
    assert made(2) == 3 and made(2.5) == 3.5
    assert cache.UNSAVED == ["No space left on device"] * 2
    said = [event.message for event in compilation._with_warnings(iter(())) if isinstance(event, Warned)]
    assert len(said) == 1 and f"in {cache.CACHE_FOLDER} (No space left on device)" in said[0]
    assert "set JITNET_CACHE_DIR to another folder" in said[0]
    assert list(compilation._with_warnings(iter(()))) == []


def add_one(x):
    return x + 1


def full_disk(*arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_memory_of_a_system_that_does_not_say(tmp_path, monkeypatch):
    monkeypatch.delattr(memory.os, "sysconf")
    assert memory.available(tmp_path) is None
    (tmp_path / memory._LIMITS[0]).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / memory._LIMITS[0]).write_text("4096\n")
    assert memory.available(tmp_path) == 4096


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "jitnet: No space left on device: free some space and run it again\n"), (errno.EPIPE, "")],
)
def test_an_output_that_ends_is_no_traceback(tmp_path, monkeypatch, capsys, number, said):
    def fail(args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(summary, "run", fail)
    with open(tmp_path / "out", "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert cli.main(["summary", "cnn"]) == 1
        out.write("nobody reads this")
    assert (tmp_path / "out").read_text() == "" and capsys.readouterr().err == said


def test_other_errors_of_the_system_are_one_sentence(monkeypatch, capsys):
    def fail(args):
        raise PermissionError(errno.EACCES, "Permission denied", "digits.npz")

    monkeypatch.setattr(summary, "run", fail)
    assert cli.main(["summary", "cnn"]) == 2
    said = "jitnet: Permission denied (digits.npz): check the file and its permissions\n"
    assert capsys.readouterr().err == said


def test_a_second_signal_ends_at_once():
    with session.Stop() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.signal == signal.SIGTERM
        with pytest.raises(SystemExit) as ended:
            signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 128 + signal.SIGTERM


def test_the_losses_of_a_run_are_a_figure_or_shown_or_both(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    digits(settle(monkeypatch, tmp_path))
    run = train("run", epochs=1)
    capsys.readouterr()
    session.plot_losses(run, False, tmp_path / "losses.svg")
    assert capsys.readouterr().out == "" and (tmp_path / "losses.svg").read_text().count("<svg") == 1
    session.plot_losses(run, True, None)
    assert "loss" in capsys.readouterr().out


def test_a_folder_that_is_only_read_is_not_locked(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    run = train("run", epochs=1)
    with RunFolder.open("run", run.parent) as reader, RunFolder.open("run", run.parent, lock=True):
        assert reader.meta["status"] == "done"


def test_a_folder_that_cannot_be_locked_is_one_sentence(tmp_path, monkeypatch, capsys):
    digits(settle(monkeypatch, tmp_path))
    run = train("run", epochs=1)
    (run / ".lock").unlink()
    (run / ".lock").mkdir()
    assert main(["resume", "run", "--epochs", "2", "--ui", "quiet"]) == 2
    assert "cannot train in" in capsys.readouterr().err
