"""Start sweeps as processes, wait for their trials, and read their results."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from commands import ROOT, TINY, environment

SEEDS = 2
EPOCHS = 300  # some seconds: an epoch takes 10 ms, nearly all of it to save
LONG = ("--epochs", str(EPOCHS), "--val", "40")
PLAIN = ("--ui", "plain")


def table(folder: Path) -> dict[str, dict[str, str]]:
    """Return a sweep's table.csv by trial."""
    return {row["trial"]: row for row in csv.DictReader((folder / "table.csv").read_text().splitlines())}


def start(folder: Path, *words: str, **changes: str) -> subprocess.Popen:
    """Start a command in `folder` in its own process group, as a terminal does."""
    command = [sys.executable, "-W", "error", *words]
    return subprocess.Popen(
        command, cwd=folder, env=environment(folder, **changes), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip


def repeat(folder: Path, name: str, *words: str) -> subprocess.Popen:
    """Start `jitnet repeat` with long trials."""
    return start(
        folder, "-m", "jitnet", "repeat", "cnn", *TINY, *LONG, "--seeds", str(SEEDS), "--name", name, *PLAIN, *words
    )


def wait_for_epochs(process: subprocess.Popen, sweep: Path, epochs: int = 3) -> Path:
    """Wait until a trial has done this many; return its folder."""
    deadline = time.monotonic() + 240
    while True:
        for file in sweep.glob("seed-*/metrics.csv"):
            if file.read_text().count("\n") > epochs:
                return file.parent
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def kill_trainer(run: Path) -> int:
    """Kill the process that trains in a run folder, and return its number."""
    pid = json.loads((run / "meta.json").read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    return pid


def ended(process: subprocess.Popen, timeout: float = 180) -> tuple[int, str, str]:
    """Wait for a process; return its exit code and what it printed."""
    try:
        out, err = process.communicate(timeout=timeout)
    finally:
        end(process)
    return process.returncode, out, err


def end(process: subprocess.Popen) -> None:
    """End a process and all that it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()


__all__ = ["LONG", "PLAIN", "ROOT", "SEEDS", "end", "ended", "kill_trainer", "repeat", "start", "table"]
