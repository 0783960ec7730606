"""The kernels as a smaller host compiles them: a forced tile passes the same comparisons and sums in the same order."""

import functools

import llvmlite.binding
import pytest
from processes import ROOT, run, run_json

FORCED = ("avx2", "generic")  # whose paths the comparisons walk: six rows of a half and of a quarter register

HASHES = """
import hashlib, json
import compiled
import numpy as np
from jitnet.kernels.compiler.simd_ir import ROWS, VECTOR_BYTES

def numbers(seed, dtype, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)

hashes = {}
for dtype in (np.float32, np.float64):
    digest = hashlib.sha256()
    for M, N in ((1, 1), (6, 16), (7, 33), (8, 64), (13, 100), (20, 15)):
        a, b, init = numbers(1, dtype, 2, 3, 5, M), numbers(2, dtype, 2, 3, 5, N), numbers(3, dtype, 2, M, N)
        out = np.zeros_like(init)
        compiled.contract(a, b, init, dtype(0.3), out)
        digest.update(out.tobytes())
        rows, out = np.arange(3), np.zeros(N, dtype)
        compiled.add_rows(b[0, 0, 0], b[0, 1], numbers(4, dtype, 3), rows, 3, out)
        digest.update(out.tobytes())
    hashes[dtype.__name__] = digest.hexdigest()
print(json.dumps({"tile": [VECTOR_BYTES, ROWS], "hashes": hashes}))
"""


@functools.cache
def hashed(tile):
    return run_json(HASHES, JITNET_TILE=tile)


@pytest.mark.parametrize("tile", FORCED)
def test_the_tile_is_the_one_asked_for(tile):
    assert hashed(tile)["tile"] == {"avx2": [32, 6], "generic": [16, 6]}[tile]


@pytest.mark.skipif(
    not llvmlite.binding.get_host_cpu_features().get("fma", False), reason="without FMA a library stands in for it"
)
def test_no_bit_depends_on_the_tile():
    """The order of a sum is that of its terms. (Only dot_then_add folds as many lanes as there are.)"""
    assert hashed("avx2")["hashes"] == hashed("generic")["hashes"] == hashed("")["hashes"]


@pytest.mark.parametrize("tile", FORCED)
def test_a_smaller_tile_passes_the_same_comparisons(tile):
    code = "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    options = ["-q", "-x", "-p", "no:cacheprovider", "--hypothesis-profile=few"]
    tests = [str(ROOT / "tests" / f"test_{name}.py") for name in ("contract", "rows", "pooling")]
    run(code, *options, *tests, JITNET_TILE=tile)
