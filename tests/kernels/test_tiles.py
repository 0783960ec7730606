"""The kernels as a smaller host compiles them: a forced tile passes the same comparisons and sums in the same order."""

import functools

import nets
import pytest
from processes import ROOT, run, run_json
from test_races import CHECK

from jitnet.kernels.compiler.tile import HOST, TILE

SHAPES = {"avx2": [32, 6], "neon": [16, 8], "generic": [16, 6]}  # bytes of a vector, rows of a tile
OTHERS = [tile for tile in SHAPES if tile != TILE]  # all tests run on this machine's own tile anyway
DOUBLE = "neon"  # the tile that is compiled for float64 too: each dtype takes 20 s, and their code is one

# What is proved of the drivers, in short: each tile compiles them again, which takes longer than these tests.
GUARDS = (
    "faults/test_faults.py::test_activations_that_overflow_are_never_a_success",
    "faults/test_faults.py::test_a_bad_parameter_is_never_a_success",
    "faults/test_bounds.py::test_indexed_code_stays_inside_in_plain_python",
    *(
        f"faults/test_bounds.py::test_no_region_of_a_network_is_left[{nets.IDS[n]}-{size}]"
        for n in (9, 16, 19)
        for size in (1, 4)
    ),
    "training/test_threads.py::test_no_bit_depends_on_the_number_of_threads[omp]",
)

HASHES = """
import hashlib, json, sys
import compiled
import numpy as np
from jitnet.kernels.compiler.tile import ROWS, VECTOR_BYTES

def numbers(seed, dtype, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)

hashes = {}
for dtype in map(np.dtype, sys.argv[1:]):
    digest = hashlib.sha256()
    for M, N in ((1, 1), (6, 16), (7, 33), (8, 64), (13, 100), (20, 15)):
        a, b, init = numbers(1, dtype, 2, 3, 5, M), numbers(2, dtype, 2, 3, 5, N), numbers(3, dtype, 2, M, N)
        out = np.zeros_like(init)
        compiled.contract(a, b, init, dtype.type(0.3), out)
        digest.update(out.tobytes())
        rows, out = np.arange(3), np.zeros(N, dtype)
        compiled.add_rows(b[0, 0, 0], b[0, 1], numbers(4, dtype, 3), rows, 3, out)
        digest.update(out.tobytes())
    hashes[dtype.name] = digest.hexdigest()
print(json.dumps({"tile": [VECTOR_BYTES, ROWS], "hashes": hashes}))
"""


@functools.cache
def hashed(tile):
    return run_json(HASHES, "float32", *(["float64"] if tile in ("", DOUBLE) else []), JITNET_TILE=tile)


@pytest.mark.parametrize("tile", OTHERS)
def test_the_tile_is_the_one_asked_for(tile):
    assert hashed(tile)["tile"] == SHAPES[tile]


@pytest.mark.skipif(HOST == "generic", reason="this processor has no FMA instruction: a library stands in for it")
def test_no_bit_depends_on_the_tile():
    """The order of a sum is that of its terms. (Only dots_then_add folds as many lanes as there are.)"""
    own = hashed("")["hashes"]
    for tile in OTHERS:
        assert hashed(tile)["hashes"].items() <= own.items()
    assert DOUBLE == TILE or hashed(DOUBLE)["hashes"] == own


def run_tests(tile, *tests, chosen=""):
    code = "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    options = ["-q", "-x", "-p", "no:cacheprovider", "--hypothesis-profile=few", "-k", chosen]
    run(code, *options, *(str(ROOT / "tests" / test) for test in tests), JITNET_TILE=tile)


@pytest.mark.parametrize("tile", OTHERS)
def test_a_smaller_tile_passes_the_same_comparisons(tile):
    nan = ("test_one_nan_at_each_place_of_a_window", "test_a_row_of_some_channels")
    lost = (f"faults/test_not_finite.py::{name}" for name in nan)
    files = ("kernels/test_contract.py", "kernels/test_rows.py", "kernels/test_pool_rows.py")
    run_tests(tile, *files, *lost, chosen="" if tile == DOUBLE else "not float64")


@pytest.mark.parametrize("tile", OTHERS)
def test_another_tile_keeps_the_guards_of_the_drivers(tile):
    """What is not finite is seen, regions are not left, and no bit depends on the number of threads."""
    run_tests(tile, *GUARDS)


@pytest.mark.parametrize("tile", OTHERS)
def test_another_tile_has_no_race(tile):
    """In plain Python, whose vectors are as long as the tile's: in order, each item alone, and permuted."""
    assert all(run_json(CHECK, "2", NUMBA_DISABLE_JIT="1", JITNET_TILE=tile)["caught"].values())
