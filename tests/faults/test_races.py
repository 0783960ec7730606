"""No schedule of a `prange` changes a bit: each element has one writer, and nobody reads what another item writes."""

import ast
import functools

import figures
import pytest
from processes import ROOT, run_json

FEW = 6  # schedules: permuted, and each item alone, by turns
CHECK = "import sys, race_cases, schedules\nschedules.main(race_cases.CASES, race_cases.PLANTED, int(sys.argv[1]))"


@functools.cache
def checked(schedules):
    return run_json(CHECK, str(schedules), NUMBA_DISABLE_JIT="1")


def parallel_kernels():
    """Return the names of all functions in which a `prange` stands."""
    return {
        function.name
        for path in (ROOT / "kernels").rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        and any(isinstance(node, ast.Name) and node.id == "prange" for node in ast.walk(function))
    }


def test_every_parallel_kernel_has_the_same_bits_under_every_schedule():
    found = checked(FEW)
    reached = {name for name, items in found["items"].items() if items > 1}
    missing = parallel_kernels() - reached
    assert not missing, f"add to tests/campaigns/race_cases.py, with more than one item: {missing}"


@pytest.mark.slow
def test_200_schedules():
    found = checked(200)
    planted = found["caught"].values()
    assert all(planted)
    figures.note(
        "races", kernels=len(parallel_kernels()), schedules=found["schedules"], planted=len(planted),
        caught=sum(map(bool, planted)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("race", "said"),
    [
        ("two items add to one element", "add_to_few: two items write the same element"),
        ("an item reads what another writes", "gives other bits"),
        ("pieces that overlap by one", "overlap_by_one: two items write the same element"),
        ("a sum in order of arrival", "gives other bits"),
        ("one scratch for all", "share_scratch: two items write the same element"),
    ],
)
def test_a_planted_race_is_caught(race, said):
    assert said in checked(FEW)["caught"][race]
