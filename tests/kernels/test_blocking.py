"""The loops around the register tiles, in plain Python: tiles cover each element once, and nothing outside."""

import inspect
import types

import numpy as np
import pytest
from shapes import DTYPES

from jitnet.kernels.compiler import interpreted
from jitnet.kernels.compiler.simd_rows import MOST_VECTORS
from jitnet.kernels.compiler.simd_tile import TALL
from jitnet.kernels.compiler.tile import (
    PART_ROWS,
    ROW_OUTPUTS,
    ROWS,
    THREE_ROWS,
    VECTOR_BYTES,
    WIDE_ROWS,
    processor_for,
    tile_of,
)
from jitnet.kernels.fast import contraction as contract_file
from jitnet.kernels.fast import conv_rows as conv_rows_file
from jitnet.kernels.fast import vector_rows as rows_file

LANES = VECTOR_BYTES // 4
EXTENTS = sorted({1, 3, LANES - 1, LANES, LANES + 1, 2 * LANES, 3 * LANES - 1, 4 * LANES, 5 * LANES + 2, 7 * LANES + 1})


def walked(primitive, **tiles):
    """Return a primitive's Python with other functions in place of those that write machine code."""
    function = inspect.getclosurevars(primitive._defn).nonlocals["made"].function
    return types.FunctionType(function.__code__, function.__globals__ | {"lane_count": interpreted.lane_count} | tiles)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("N", EXTENTS)
@pytest.mark.parametrize("M", [1, 2, WIDE_ROWS + 1, ROWS, ROWS + 1, TALL, TALL + 1, 29])
def test_tiles_cover_a_product_once(dtype, M, N):
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize

    def tile(vectors, most, part):
        def count(out, init, a, b, scale, r, i, j, rows, kept=0):
            assert 1 <= rows <= most and i + rows <= M
            whole = 2 if vectors == 3 else vectors  # the third may overlap the second
            assert lanes > N if part else (j >= 0 and j + whole * lanes <= N)
            assert 0 <= kept < lanes and (out[r, i : i + rows, j : j + kept] == 1).all()
            out[r, i : i + rows, j + kept : j + vectors * lanes] += 1

        return count

    out = np.zeros((2, M, N), dtype)
    contract = walked(
        contract_file.contract,
        tile_four_vectors=tile(4, WIDE_ROWS, False),
        tile_three_vectors=tile(3, THREE_ROWS, False),
        tile_two_vectors=tile(2, ROWS, False),
        tile_one_vector=tile(1, TALL, False),
        tile_part_vector=tile(1, PART_ROWS, True),
    )
    contract(None, None, None, None, out)
    assert (out == 1).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("W", [1, 3, 7, 8, 14, 15, 29])
@pytest.mark.parametrize(("first", "stop"), [(0, 1), (0, LANES), (3, 2 * LANES), (LANES, 5 * LANES + 2)])
def test_outputs_cover_a_row_of_some_filters_once(dtype, W, first, stop):
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    OC, y, place = stop + 1, 2, 5

    def tile(vectors, most):
        def outputs(x, weight, init, out, y, w, o, place, count):
            assert 1 <= count <= most and w + count <= W and first <= o and o + vectors * lanes <= stop
            assert np.array_equal(init, bias)  # with one for each position
            for n in range(count):
                out[place + n * OC :][: vectors * lanes] += 1

        return outputs

    def contract(a, b, init, scale, out):
        assert out.shape[2] < lanes or not any(ROW_OUTPUTS)
        out += 1

    row = walked(
        conv_rows_file.conv2d_row,
        outputs_of_two_vectors=tile(2, ROW_OUTPUTS[1]),
        outputs_of_one_vector=tile(1, ROW_OUTPUTS[0]),
        contract=contract,
        strided=interpreted.strided,
    )
    out = np.zeros(place + W * OC, dtype)
    x, weight, bias = np.zeros((6, W + 2, 2), dtype), np.zeros((3, 3, 2, OC), dtype), np.arange(4 * W * OC, dtype=dtype)
    bias = bias.reshape(4, W, OC)
    row(x, weight, bias, y, first, stop, out, place)
    assert not out[:place].any()
    found = out[place:].reshape(W, OC)
    assert (found[:, first:stop] == 1).all() and not found[:, :first].any() and not found[:, stop:].any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [*EXTENTS, 8 * LANES, 8 * LANES + 1, 20 * LANES])
def test_blocks_cover_a_row_once(dtype, size):
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize

    def block(bias, weight, factors, rows, count, j, vectors, out):
        assert 1 <= vectors <= MOST_VECTORS and j + (vectors - 1) * lanes < size
        out[j : j + vectors * lanes] += 1

    out = np.zeros(size, dtype)
    walked(rows_file.add_rows, add_rows_block=block)(None, None, None, None, 0, out)
    assert (out == 1).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("N", EXTENTS)
@pytest.mark.parametrize("M", EXTENTS)
def test_blocks_and_edges_transpose_a_matrix_once(dtype, M, N):
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize

    def block(matrix, i, j, out):
        assert i + lanes <= M and j + lanes <= N
        out[j : j + lanes, i : i + lanes] += matrix[i : i + lanes, j : j + lanes].T

    matrix = np.arange(1, M * N + 1, dtype=dtype).reshape(M, N)
    out = np.zeros((N, M), dtype)
    walked(rows_file.transpose, transpose_block=block)(matrix, out)
    assert np.array_equal(out, matrix.T)


@pytest.mark.parametrize(
    ("features", "machine", "tile"),
    [
        ({"avx512f": True, "avx2": True, "fma": True}, "x86_64", "avx512"),
        ({"avx512f": False, "avx2": True, "fma": True}, "AMD64", "avx2"),
        ({"avx2": True, "fma": False}, "x86_64", "generic"),
        ({"neon": True}, "aarch64", "neon"),
        ({}, "arm64", "neon"),  # macOS: LLVM names no feature
        ({}, "ARM64", "neon"),  # Windows
        ({"sve": False}, "aarch64", "neon"),  # an emulator without /proc/cpuinfo
        ({"neon": True}, "armv7l", "neon"),
        ({}, "riscv64", "generic"),
    ],
)
def test_the_tile_is_that_of_the_processor(features, machine, tile):
    assert tile_of(features, machine) == tile


def test_a_tile_forced_on_a_larger_processor_is_compiled_for_a_smaller_one():
    """With the 32 registers of AVX-512 a tile of AVX2 would not spill as it does with 16."""
    name, features = processor_for("avx2", "avx512")
    assert name == "x86-64-v3" and "+fma" in features and "avx512" not in features
    assert processor_for("avx2", "avx2") is None and processor_for("avx512", "avx512") is None
    assert processor_for("neon", "avx512") is None  # its vectors are half of the host's: nothing runs there otherwise


def test_an_exchange_in_plain_python_is_that_of_the_processor():
    cells = np.array([3, 4])
    assert not interpreted.exchange(cells, 1, 3, 9) and cells.tolist() == [3, 4]
    assert interpreted.exchange(cells, 1, 4, 9) and cells.tolist() == [3, 9]
