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


LOST = {  # code that gets Ctrl-C where Python would print the exception and go on
    "a destructor": "type('A', (), {'__del__': lambda self: stop()})()",
    "a finalizer": "weakref.finalize(kept := type('A', (), {})(), stop); del kept",
    "a weak reference": "seen = weakref.ref(kept := type('A', (), {})(), stop); del kept",
    "a callback of C": "ctypes.CFUNCTYPE(None)(stop)()",
    "a callback of LLVM": "ctypes.CFUNCTYPE(None)(_raw_object_cache_notify)()",
    "the import of an extension": "ExtensionFileLoader(stop).exec_module(); time.sleep(20)",
    "a callback of the garbage collector": "gc.callbacks.append(stop); gc.collect()",
}


@pytest.mark.parametrize("place", LOST)
def test_an_interrupt_that_python_would_lose_comes_again(place):
    code = f"""
import ctypes, gc, os, signal, sys, time, weakref
from jitnet import cli
signal.signal(signal.SIGINT, signal.default_int_handler)
def stop(*arguments):
    gc.callbacks.clear()
    signal.raise_signal(signal.SIGINT)
def _raw_object_cache_notify():
    stop()
    print("loaded")  # LLVM would crash if this were cut off
class ExtensionFileLoader:
    def __init__(self, init):
        self.init = init
    def exec_module(self):  # as NumPy's C code
        try:
            self.init()
        except BaseException:
            raise ImportError
def main():
    {LOST[place]}
    time.sleep(20)
cli.main = main
cli.process()
"""
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, timeout=15)
    assert done.returncode == 130 and done.stderr == "" and done.stdout == "loaded\n" * ("LLVM" in place), done


HIDDEN = {  # it comes again when the session has taken over; or was taken for another error before
    "a callback": "ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGINT))()",
    "except": "try: signal.raise_signal(signal.SIGINT)\n    except: pass",
}


@pytest.mark.parametrize("place", HIDDEN)
def test_an_interrupt_before_a_training_stops_it_when_it_begins(tmp_path, place):
    digits(tmp_path)
    code = f"""
import ctypes, signal, sys, time
from jitnet import cli
from jitnet.commands.support import session, signals
signal.signal(signal.SIGINT, signal.default_int_handler)
signals._MOMENT_S = 0.2
begin = session.follow
def interrupted(*arguments):
    {HIDDEN[place]}
    return begin(*arguments)
session.follow = interrupted
sys.argv = ["jitnet", "train", "mlp", "--hidden", "4", "--data", "digits", "--epochs", "100000", "--name", "run"]
cli.process()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(tmp_path), capture_output=True,
                          text=True, timeout=120)  # fmt: skip
    assert done.returncode == 130 and "Exception" not in done.stderr and "jitnet resume" in done.stdout, done


def test_what_an_interrupt_left_half_made_is_destroyed_in_silence():
    code = """
import signal
from jitnet import cli
signal.signal(signal.SIGINT, signal.default_int_handler)
class Half:
    def __init__(self):
        signal.raise_signal(signal.SIGINT)
    def __del__(self):
        self.missing
cli.main = Half
cli.process()
"""
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True)
    assert done.returncode == 130 and done.stderr == "", done.stderr
