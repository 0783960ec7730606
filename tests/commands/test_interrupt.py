"""Ctrl-C in the first moments, before a command has its own handlers: no traceback, and the shell's exit code."""

import os
import signal
import subprocess
import sys

import pytest
from commands import TINY, digits, environment

from jitnet.cli import main

# Send the signal when a module is about to be imported: the later, the more is there already.
AT_IMPORT = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # also if the parent ignored it
at, how, *words = sys.argv[1:]
class Finder:
    def find_spec(name, path=None, target=None):
        if name == at:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder)
sys.argv = ["jitnet", *words]
if how == "module":
    runpy.run_module("jitnet", run_name="__main__", alter_sys=True)
else:
    from jitnet.__main__ import start
    start()
"""
MODULES = ("jitnet.cli", "argparse", "jitnet.commands", "jitnet.errors", "jitnet.machine", "jitnet.commands.train",
           "jitnet.config", "numba", "llvmlite", "jitnet.kernels", "jitnet.data.dataset")  # fmt: skip


@pytest.mark.parametrize("how", ["module", "script"])
@pytest.mark.parametrize("at", MODULES)
def test_the_first_moments(tmp_path, at, how):
    digits(tmp_path)
    words = ["train", "cnn", *TINY]
    done = subprocess.run([sys.executable, "-c", AT_IMPORT, at, how, *words], cwd=tmp_path,
                          env=environment(tmp_path), capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 130 and done.stderr == "" and done.stdout == "", (done.returncode, done.stderr)


def test_an_ignored_signal_stays_ignored(tmp_path):
    code = AT_IMPORT.replace("signal.default_int_handler", "signal.SIG_IGN")
    done = subprocess.run([sys.executable, "-c", code, "jitnet.cli", "script", "train", "cnn", "--data", "nowhere"],
                          cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 2 and "there is no data set" in done.stderr


def test_just_before_and_after_the_command(monkeypatch):
    """In a child, since `process` leaves Ctrl-C ignored."""
    code = """
import os, signal, sys
from jitnet import cli
signal.signal(signal.SIGINT, signal.default_int_handler)
def interrupted(argv=None):
    os.kill(os.getpid(), signal.SIGINT)
    raise AssertionError
cli.main = interrupted
cli.process()
"""
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True)
    assert done.returncode == 130 and done.stderr == ""


def test_main_returns_130(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("jitnet.commands.runs.run", lambda args: signal.raise_signal(signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main(["runs", "list"]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
