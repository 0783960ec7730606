"""The machine code shows that the tile keeps its sums in registers, and the reader of machine code detects a spill."""

import itertools

import pytest
from numba import config

from bench import assembly
from jitnet.kernels.compiler.tile import TILE, TILES

X86 = """
contract:
	pushq	%rbp
.LBB0_1:
	vmovups	(%rdx), %zmm1
	vfmadd231ps	(%rax){1to16}, %zmm1, %zmm2
	vfmadd231ps	4(%rax){1to16}, %zmm1, %zmm3 {%k1} {z}
	SPILL
	jne	.LBB0_1
.LBB0_2:
	vmovups	%zmm2, 8(%rsp)
	jne	.LBB0_1
	retq
"""
ARM = """
.LBB0_1:
	ldr	q0, [x14]
	fmla	v25.4s, v0.4s, v26.4s
	fmla	v3.4s, v0.4s, v26.s[0]
	SPILL
	b.ne	.LBB0_1
"""


@pytest.mark.parametrize(
    ("text", "line", "spills"),
    [
        (X86, "addq\t$8, %rax", 0),
        (X86, "movq\t8(%rsp), %rax", 0),  # a number on the stack, not a vector
        (X86, "vmovups\t64(%rsp), %zmm4", 1),
        (X86, "vmovups\t64(%rbp), %zmm4", 0),  # a pointer like any other
        (X86.replace("pushq\t%rbp", "movq\t%rsp, %rbp"), "vmovups\t64(%rbp), %zmm4", 1),
        (ARM, "str\tq7, [sp, #32]", 1),
        (ARM, "str\tx7, [sp, #32]", 0),
    ],
)
def test_a_spill_is_a_vector_on_the_stack_in_an_inner_loop(text, line, spills):
    (loop,) = assembly.inner_loops(text.replace("SPILL", line))
    assert (loop.fma, loop.sums, loop.spills) == (2, 2, spills)


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="without numba's compiler no machine code exists")
@pytest.mark.parametrize("tile", [tile for tile in TILES if tile != "generic"])
def test_no_tile_spills_on_any_processor_that_chooses_it(tile):
    codes = assembly.optimised_ir(tile)
    assert set(codes) == set(assembly.functions(tile))
    for (function, ir), target in itertools.product(codes.items(), assembly.targets(tile)):
        try:
            row, loops = assembly.inspect(tile, function, ir, *target)
        except assembly.UnsupportedError as error:
            pytest.skip(str(error))
        assert assembly.clean(row), f"{function}, {row['target']}: {row['spills']}"
        full = row["full_tile"]
        assert full["sums"] == row["vectors"] * row["height"] and full["fma"] % full["sums"] == 0
        if function == "contract":  # addresses of rows are in registers: only the two pointers move
            lines = next(loop for loop in loops if loop.sums == full["sums"]).lines
            assert sum(line.startswith(("\tadd", "\tlea", "\tmov", "\tlsl")) for line in lines) == 2, lines
    assert (tile == TILE) == any(own for *_, own in assembly.targets(tile))


@pytest.mark.skipif(bool(config.DISABLE_JIT) or TILE == "neon", reason="neon is another machine's tile on x86 only")
def test_the_code_of_another_machines_tile_does_not_depend_on_this_one(monkeypatch):
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "")
    codes = []
    for name in ("znver3", "icelake-server"):  # whose IR differs
        monkeypatch.setenv("NUMBA_CPU_NAME", name)
        codes.append(assembly.optimised_ir("neon"))
    assert codes[0] == codes[1]


def test_a_tile_that_is_not_there_is_told_in_a_sentence(capsys):
    assert assembly.main(["--only", "sse"]) == 2
    assert "expected some of avx512, avx2, neon, generic" in " ".join(capsys.readouterr().err.split())
