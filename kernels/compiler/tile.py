"""The register tile of this processor, or the one that JITNET_TILE names."""

import os
import platform

import llvmlite.binding
from numba import config

# (bytes in a vector register, rows of a tile, rows of one that covers part of a vector). A tile of two vectors keeps
# 2 * rows sums in registers and needs three more for its operands. Lost: 7 rows by 4 vectors (33 registers of 32:
# 96 GFLOP/s instead of 230); 14 rows by 2 vectors (same speed, but twice the compile time, 1.8 s instead of 0.9 s in
# every function that contains it). With AVX2 the mask of part of a vector takes a register: 5 rows were spilled.
TILES = {"avx512": (64, 8, 8), "avx2": (32, 6, 4), "neon": (16, 8, 8), "generic": (16, 6, 6)}

# What a tile is compiled for where it is forced on a processor with more registers: otherwise LLVM would use them.
PROCESSORS = {"avx2": ("x86-64-v3", "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+popcnt,+sse4.2")}


def tile_of(features: dict[str, bool], machine: str) -> str:
    """Return the tile of a processor with these features of LLVM, whose platform.machine() is `machine`."""
    if machine.lower() in ("aarch64", "arm64"):
        return "neon"  # every one has it; on macOS LLVM names no feature at all
    if features.get("avx512f"):
        return "avx512"
    if features.get("avx2") and features.get("fma"):
        return "avx2"
    return "neon" if features.get("neon") else "generic"


def processor_for(tile: str, host: str) -> tuple[str, str] | None:
    """Return name and features of the processor to compile a tile for; None for that of the host, whose tile is given.

    The tiles of 16 bytes are compiled for the host: their vectors are its own.
    """
    return PROCESSORS.get(tile) if host == "avx512" else None


HOST = tile_of(dict(llvmlite.binding.get_host_cpu_features()), platform.machine())
TILE = os.environ.get("JITNET_TILE") or HOST
VECTOR_BYTES, ROWS, PART_ROWS = TILES[TILE]

_processor = processor_for(TILE, HOST)
if _processor and not config.CPU_NAME:
    config.CPU_NAME, config.CPU_FEATURES = (
        _processor  # of everything that numba compiles in this process, and its cache
    )
