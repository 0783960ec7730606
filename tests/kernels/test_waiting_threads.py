"""Waiting threads give way: the setting must be there before OpenMP starts, and a user's own must stay."""

import os

import pytest
from processes import ROOT, run

SHOW = "import os, jitnet.kernels.compiler.decorators; print(os.environ.get('GOMP_SPINCOUNT'))"
CLEAN = {"OMP_WAIT_POLICY": None, "GOMP_SPINCOUNT": None}


def shown(monkeypatch, **environment):
    for name, value in (CLEAN | environment).items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    return run(SHOW).strip()


def test_waiting_is_short_unless_the_user_says_otherwise(monkeypatch):
    assert 0 < int(shown(monkeypatch)) <= 5000
    assert shown(monkeypatch, GOMP_SPINCOUNT="7") == "7"
    assert shown(monkeypatch, OMP_WAIT_POLICY="active") == "None"


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="reads /proc")
def test_openmp_is_not_loaded_before_the_setting():
    """GNU's OpenMP reads its environment once, when it is loaded."""
    run(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\nimport jitnet.kernels.compiler.decorators\n"
        "assert 'libgomp' not in open('/proc/self/maps').read()"
    )
