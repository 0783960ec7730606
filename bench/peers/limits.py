"""What holds the peers to the vectors of a tile that JITNET_TILE forces, so that all programs have the same ones."""

import os

from jitnet.errors import InputError

# By tile. XLA's products by YNNPACK take AVX-512 under all other settings too (163 GFLOP/s a core of Emerald Rapids
# where AVX2 has 97): without it they are Eigen's, at 89. MKL, oneDNN and OpenBLAS reach 90 to 93.
_ENVIRONMENTS = {
    "avx2": {
        "ATEN_CPU_CAPABILITY": "avx2",  # of what torch.compile writes too
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2 --xla_cpu_experimental_ynn_fusion_type=",
    }
}


def check() -> None:
    """Raise `InputError` where JITNET_TILE forces a tile that the peers can't be held to."""
    if _forced() and _forced() not in _ENVIRONMENTS:
        raise InputError(
            f"JITNET_TILE is {_forced()!r}: the programs compared can only be held to "
            f"{' or '.join(_ENVIRONMENTS)}; name that or unset it"
        )


def environment() -> dict[str, str]:
    """Return the variables that hold the peers' libraries to the vectors of the forced tile."""
    return _ENVIRONMENTS.get(_forced(), {})


def architecture() -> str:
    """Return the processor that C++ is compiled for: that of the forced tile."""
    from jitnet.kernels.compiler.tile import PROCESSORS  # imports numba, which only the process of that peer needs

    return PROCESSORS.get(_forced(), ("native", ""))[0]


def _forced() -> str:
    return os.environ.get("JITNET_TILE", "")
