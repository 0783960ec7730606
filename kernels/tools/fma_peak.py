"""The peak of a core: fused multiply-adds on registers alone, in chains that do not wait for each other."""

from numba import prange

from ..compiler.decorators import kernel
from ..compiler.simd_chains import fma_chains


@kernel
def fma_peak(
    operands,  # (2,) float32: a, b
    rounds,  # of each chain
    out,  # (pieces, 1) float32, overwritten
):
    """Run the chains on as many threads as there are pieces.

    Parallel : over pieces; one thread owns out[piece].
    Work     : FLOP_PER_ROUND * rounds flop per piece.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.fma_peak.
    Source   : Fog (2024), instruction tables: latency times throughput gives the chains that a core can hold.
    """
    for piece in prange(out.shape[0]):
        fma_chains(operands, rounds, out[piece])
