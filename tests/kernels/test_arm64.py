"""Vectors of 16 bytes give the same weights everywhere: those recorded of NEON, on an emulated Arm and here."""

import json
import subprocess
import sys

import arm64
import pytest
from processes import ROOT, run


def test_the_tile_of_neon_gives_the_recorded_weights():
    code = (ROOT / arm64.WEIGHTS).read_text().replace("__file__", repr(str(ROOT / arm64.WEIGHTS)))
    found = json.loads(run(code, JITNET_TILE="neon").splitlines()[-1])
    assert found == json.loads(arm64.HASHES.read_text())


@pytest.mark.slow
def test_an_emulated_arm_passes_the_numeric_tests(tmp_path):
    done = subprocess.run([sys.executable, "-m", "tests.campaigns.arm64", str(tmp_path)], cwd=ROOT)
    assert done.returncode == 0
