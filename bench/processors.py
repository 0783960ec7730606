"""Processors by LLVM's names, for what is said of kept figures. Imports nothing, so that campaigns may alter jitnet."""

VECTORS = {  # by LLVM's names
    "znver5": "AVX-512",
    "znver4": "AVX-512",
    "icelake-server": "AVX-512",
    "sapphirerapids": "AVX-512",
    "znver3": "AVX2",
    "znver2": "AVX2",
}


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
