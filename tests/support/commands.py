"""Run jitnet as its users do, on digits so small that a run takes a second."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from data_files import write_idx

from jitnet.cli import main
from jitnet.kernels.compiler import cache
from jitnet.storage import checkpoint

ROOT = Path(__file__).resolve().parents[2]
HURRIED = (str(Path(__file__).with_name("hurried.py")),)
TIMES = ("train_s", "eval_s", "images_per_s", "elapsed_s")  # the columns of metrics.csv that no two runs share
TINY = ("--arch", "conv2 pool dense4", "--recipe", "documents", "--init", "he", "--lr", "0.1", "--data", "digits")


def digits(folder: Path, train: int = 200, test: int = 60, side: int = 6) -> Path:
    """Write a set of three easy classes as the four IDX files of `folder`/digits."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 256, (3, side, side))
    made = {}
    for part, count in (("train", train), ("test", test)):
        labels = rng.integers(0, 3, count).astype(np.uint8)
        made[f"x_{part}"] = np.clip(drawn[labels] + rng.normal(0, 90, (count, side, side)), 0, 255).astype(np.uint8)
        made[f"y_{part}"] = labels
    return write_idx(folder / "digits", made)


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """Return an environment without a trace of its user, but for the kernels that are compiled already."""
    ours = ("JITNET_", "NUMBA_", "XDG_", "KERAS_", "CI", "TTY_", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    compiled = {"NUMBA_CACHE_DIR": str(cache.CACHE_FOLDER.parent)} if cache.CACHE_FOLDER else {}
    return kept | compiled | {"HOME": str(folder), "PYTHONPATH": str(ROOT)} | changes


def settle(monkeypatch, folder: Path) -> Path:
    """Make this process a user whose home and working folder is `folder`."""
    for name in set(os.environ) - set(wanted := environment(folder)):
        monkeypatch.delenv(name)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    return folder


def start(folder: Path, *words: str, program: tuple[str, ...] = ("-m", "jitnet"), **changes: str) -> subprocess.Popen:
    """Start a jitnet process in `folder`; warnings are errors."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", *program, *words],
        cwd=folder,
        env=environment(folder, **changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def jitnet(folder: Path, *words: str, **changes: str) -> subprocess.CompletedProcess:
    """Run jitnet in `folder` to its end."""
    with start(folder, *words, **changes) as process:
        out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def train(name: str, *words: str, network: str = "cnn", epochs: int = 2) -> Path:
    """Train in this process and working folder; return the run folder."""
    assert main(["train", network, *TINY, "--epochs", str(epochs), "--name", name, "--ui", "quiet", *words]) == 0
    return Path("runs", name)


def rows(run: Path) -> list[dict[str, str]]:
    """Return metrics.csv."""
    return list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))


def weights(run: Path) -> str:
    """Return the identity of parameters, position and loss sum."""
    return checkpoint.content_hash(checkpoint.load(run / "last.safetensors")[0])


def result(run: Path) -> tuple:
    """Return all of a run that must not depend on time, threads or interruptions."""
    table = [{name: cell for name, cell in row.items() if name not in TIMES} for row in rows(run)]
    best = run / "best.safetensors"
    return weights(run), table, checkpoint.content_hash(checkpoint.load(best)[0]) if best.exists() else None


def refusal(capsys, *words: str) -> str:
    """Return the one sentence with which a command refuses."""
    capsys.readouterr()
    assert main(list(words)) == 2
    shown = capsys.readouterr()
    lines = [line for line in shown.err.splitlines() if not line.startswith("jitnet compiles ")]  # once a machine
    assert shown.out == "" and len(lines) == 1 and lines[0].startswith("jitnet: "), shown
    return lines[0] + "\n"
