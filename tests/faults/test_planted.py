"""Each planted fault fails the test that is named next to it, and that test passes without it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import figures
import planted
import pytest
from processes import ROOT

ROOMS = ("jitnet", "kernels", "tests", "pyproject.toml")


def run_test(checkout: Path, file: str, test: str) -> int:
    """Return pytest's exit code (1: a test failed) in a copy of the sources; kernels are not compiled again."""
    environ = {"NUMBA_DISABLE_JIT": str(int(file.startswith("kernels/"))), "JITNET_CACHE_DIR": str(checkout / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-W", "ignore::RuntimeWarning", test],
        cwd=checkout, capture_output=True,
        env=os.environ | environ | {"NUMBA_CACHE_DIR": "", "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=300,
    )  # fmt: skip
    return done.returncode


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    copy = tmp_path_factory.mktemp("checkout")
    for name in ROOMS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    return copy


@pytest.mark.parametrize("fault", planted.FAULTS, ids=lambda fault: fault[0])
def test_each_fault_can_still_be_planted(fault):
    _, file, text, instead, test = fault
    assert (ROOT / file).read_text().count(text) >= 1 and text != instead
    path, name = test.split("::")
    assert f"def {name}(" in (ROOT / path).read_text()


@pytest.mark.slow
def test_the_named_tests_pass_without_a_fault(checkout):
    for file, test in sorted({(fault[1], fault[4]) for fault in planted.FAULTS}):
        assert run_test(checkout, file, test) == 0, test


@pytest.mark.slow
def test_each_fault_is_caught(checkout):
    missed = []
    for what, file, text, instead, test in planted.FAULTS:
        path = checkout / file
        whole = path.read_text()
        path.write_text(whole.replace(text, instead, 1))
        try:
            if run_test(checkout, file, test) != 1:
                missed.append(what)
        finally:
            path.write_text(whole)
    figures.note("planted", faults=len(planted.FAULTS), caught=len(planted.FAULTS) - len(missed))
    assert not missed
