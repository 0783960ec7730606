"""Chains of fused multiply-adds in LLVM IR: no language above it would leave them as they are."""

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from .simd_ir import Lanes, constant
from .tile import VECTOR_BYTES

# Two units with a latency of four or five cycles need ten chains; more do not hurt while all fit the registers, which
# are 32 but for AVX2's 16 (two hold the operands).
CHAINS = 12 if VECTOR_BYTES == 32 else 24
LANES = VECTOR_BYTES // 4
FLOP_PER_ROUND = 2 * CHAINS * LANES


@intrinsic
def fma_chains(typingctx, operands, rounds, out):
    """Repeat x = x * a + b in every chain; the sum of all chains goes to `out`, so that none can be omitted."""

    def codegen(context, builder, signature, values):
        operands_ = make_array(signature.args[0])(context, builder, values[0])
        out_ = make_array(signature.args[2])(context, builder, values[2])
        lanes = Lanes(builder, operands.dtype)
        a = lanes.splat(builder.load(builder.gep(operands_.data, [constant(0)])))
        b = lanes.splat(builder.load(builder.gep(operands_.data, [constant(1)])))
        chains = [cgutils.alloca_once(builder, lanes.vector) for _ in range(CHAINS)]
        for number, chain in enumerate(chains):  # different starts, or LLVM would keep one chain for all
            builder.store(ir.Constant(lanes.vector, [float(number)] * lanes.count), chain)
        with cgutils.for_range(builder, values[1]):
            for chain in chains:
                builder.store(lanes.fma(builder.load(chain), a, b), chain)
        total = lanes.zeros
        for chain in chains:
            total = builder.fadd(total, builder.load(chain))
        builder.store(lanes.sum(total), out_.data)
        return context.get_dummy_value()

    return types.void(operands, types.int64, out), codegen


if config.DISABLE_JIT:
    from .interpreted import fma_chains
