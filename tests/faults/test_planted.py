"""Each planted fault fails the test that is named next to it, and that test passes without it."""

import subprocess
import sys

import planted
import pytest
from processes import ROOT


@pytest.mark.parametrize("fault", planted.FAULTS, ids=lambda fault: fault[0])
def test_each_fault_can_still_be_planted(fault):
    _, file, text, instead, test = fault
    assert (ROOT / file).read_text().count(text) >= 1 and text != instead
    path, name = test.split("::")
    assert f"def {name}(" in (ROOT / path).read_text()


@pytest.mark.slow
def test_each_fault_is_caught():
    done = subprocess.run([sys.executable, "-m", "tests.campaigns.planted"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
