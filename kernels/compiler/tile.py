"""The register tile of this processor, or the one that JITNET_TILE names."""

import os
import platform

import llvmlite.binding
from numba import config

# (bytes in a vector register, rows of a tile of four vectors, of three, of two, of part of a vector). A tile keeps sums
# of rows times vectors in registers and needs vectors + 1 more for its operands. Four vectors load less for each
# multiply-add: 6 rows 10 numbers and vectors for 24, 8 rows of two vectors 10 for 16. Only 32 registers hold enough
# rows of them; 7 rows fell to 96 GFLOP/s instead of 230. Three vectors are for what is left of columns: 100 as 4 + 3
# vectors of AVX-512 take 0.85 of the time of 4 + 2 + 1. With AVX2 they have 12 sums as two vectors have, and for 7
# pixels 12 and 9 instead of 8 and 6, too few to hide the latency. With NEON LLVM multiplies by a lane of a register up
# to 4 rows, and copies each number to a vector first in taller tiles: docs/decisions.md. Lost: 14 rows by 2 vectors
# (same speed on Zen 5 and Ice Lake, but twice the compile time). With AVX2 the mask of part of a vector takes a
# register: 5 rows were spilled.
TILES = {"avx512": (64, 6, 8, 8, 8), "avx2": (32, 0, 4, 6, 4), "neon": (16, 4, 0, 8, 8), "generic": (16, 0, 0, 6, 6)}

# Most outputs of a tile of conv_rows.py of one vector of filters, and of two; without them rows are left to `contract`.
# With the 16 registers of AVX2, 4 outputs of two vectors, rows of 14 and 7 have tiles of 3 outputs, too few sums to
# hide the latency: whole steps take as long. NEON takes factors from lanes of registers, so `contract` loads no more.
ROW_TILES = {"avx512": (14, 7), "avx2": (0, 0), "neon": (0, 0), "generic": (0, 0)}

# A panel of operands that is copied before tiles read it again and again: 256 rows of 64 float64, in the second cache
# at least. It is on the stack, of which threads have 512 KB or more.
PANEL_BYTES = 1 << 17

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
SCALES = TILE != "neon"  # a load may multiply an offset in a register by 1, 2, 4 or 8; Arm has registers for all
VECTOR_BYTES, WIDE_ROWS, THREE_ROWS, ROWS, PART_ROWS = TILES[TILE]
ROW_OUTPUTS = ROW_TILES[TILE]

_processor = processor_for(TILE, HOST)
if _processor and not config.CPU_NAME:
    config.CPU_NAME, config.CPU_FEATURES = (
        _processor  # of everything that numba compiles in this process, and its cache
    )
