"""Processors by LLVM's names, for what is said of kept figures. Imports nothing, so that campaigns may alter jitnet."""

_NAMES = {  # LLVM's
    "AVX-512": "skylake-avx512 cascadelake cooperlake icelake-client icelake-server tigerlake rocketlake "
    "sapphirerapids emeraldrapids graniterapids znver4 znver5",
    "AVX2": "haswell broadwell skylake alderlake raptorlake meteorlake arrowlake znver1 znver2 znver3",
}
VECTORS = {name: vectors for vectors, names in _NAMES.items() for name in names.split()}


def llvm_name(machine: str) -> str:
    """Return LLVM's name of the processor in a line such as "2 cores (znver3), Linux x86_64"."""
    return machine.partition("(")[2].partition(")")[0]


def described(machine: str) -> str:
    """Return LLVM's name of the processor in such a line, with its vectors if they are known.

    >>> described("2 cores (znver3), Linux x86_64")
    'znver3 (AVX2)'
    """
    name = llvm_name(machine)
    return f"{name} ({VECTORS[name]})" if name in VECTORS else name
