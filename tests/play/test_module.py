"""The WebAssembly module in the repository is what kernels.c compiles to."""

import pytest

from jitnet.play import build_module

MADE = (build_module.WEB / "kernels.txt").read_text().splitlines()


def test_the_module_was_made_from_these_sources():
    assert MADE[0] == build_module.sources(), "run python -m jitnet.play.build_module"


def test_this_clang_makes_the_same_module():
    if tool := build_module.missing():
        pytest.skip(f"{tool} was not found")
    if build_module.compiler() != MADE[1]:
        pytest.skip(f"the module was made by {MADE[1]}")
    assert build_module.compiled() == (build_module.WEB / "kernels.wasm").read_bytes()
