"""Each half of a part is done by one thread, and no thread continues before both halves are done."""

import compiled
import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from llvmlite import ir

from jitnet.kernels.compiler import atomics
from jitnet.kernels.compiler.thread_pool import exclusive
from jitnet.kernels.fast.spin_barrier import BARRIER_SIZE

PARTS = 200_000


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_half_wrote_is_there_for_the_next_part(threads):
    barrier, cells = np.zeros(BARRIER_SIZE, np.int64), np.array([[1, 2], [0, 0]])
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, before))
    try:
        with exclusive():
            compiled.hand_over(barrier, cells, PARTS)
    finally:
        numba.set_num_threads(before)
    first, second = 1, 2
    for _ in range(PARTS):
        first, second = (first + second) % 2**64, (first + second + 1) % 2**64
    assert cells[PARTS % 2].view(np.uint64).tolist() == [first, second]
    assert barrier[[0, 16, 32, 48]].tolist() == [PARTS] * 4


def test_what_was_done_is_passed_by():
    """A thread that comes late finds all parts taken, and changes nothing."""
    barrier, cells = np.full(BARRIER_SIZE, 10), np.array([[5, 6], [7, 8]])
    with exclusive():
        compiled.hand_over(barrier, cells, 10)
    assert cells.tolist() == [[5, 6], [7, 8]] and (barrier == 10).all()


@pytest.mark.parametrize(("machine", "triple", "instruction"), [
    ("x86_64", "x86_64-unknown-linux-gnu", "pause"),
    ("arm64", "aarch64-unknown-linux-gnu", "isb"),
])  # fmt: skip
def test_a_waiting_thread_pauses_on_every_processor(machine, triple, instruction):
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), []), "wait")
    builder = ir.IRBuilder(function.append_basic_block())
    atomics.emit_pause(builder, atomics._PAUSES[machine])
    builder.ret_void()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple(triple).create_target_machine()
    assert f"\t{instruction}" in target.emit_assembly(llvm.parse_assembly(str(module)))
