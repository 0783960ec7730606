"""Run Python in a fresh process, since threading layer, tile and compilation are fixed on import."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_OPTIONS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
HELPERS = tuple(ROOT / folder for folder in _OPTIONS["pythonpath"])  # the root too: where pytest finds modules


def environment_with(**changes: str) -> dict[str, str]:
    """Return this process's environment with some changes, in which jitnet and the tests' helpers are found."""
    paths = [*map(str, HELPERS), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))} | changes


def run(code: str, *arguments: str, **environment: str) -> str:
    """Return what a process prints that runs `code` with warnings as errors and sees jitnet and the tests' helpers."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env=environment_with(**environment),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run_json(code: str, *arguments: str, **environment: str):
    """Return the JSON that the process prints."""
    return json.loads(run(code, *arguments, **environment))
