"""Read the machine code of the register tiles: how many FMA their inner loops hold, and whether a register is spilled.

    python bench/assembly.py                every tile in kernels/compiler/tile.py, a few seconds each
    python bench/assembly.py --show avx2    and print the inner loops of the full tiles

`contract` and `conv2d_row` are compiled by numba in a separate process, with the tile forced by JITNET_TILE and an
empty cache; numba prints their optimised LLVM IR (NUMBA_DUMP_OPTIMIZED), and the same LLVM makes assembly of it: for
this processor if the tile is its own, and for the processors of `PROCESSORS` that choose it. Nothing of it is run, so
foreign tiles are read too.
An inner loop is a block that ends with a jump to its own beginning. A spill in it is an instruction with a vector
register and a place on the stack.
"""

import argparse
import itertools
import json
import math
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

import llvmlite.binding as llvm
from rich.console import Console
from rich.table import Table

from bench import machine, records, report
from jitnet.kernels.compiler import fill_wheel
from jitnet.kernels.compiler.tile import ROW_TILES, TILE, TILES

ROOT = Path(__file__).resolve().parents[1]
_X86, _ARM = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"
# Processors that choose a tile: LLVM's names of them. It schedules each one differently, so each may spill.
PROCESSORS = {
    "avx512": (_X86, ("skylake-avx512", "icelake-client", "znver5")),
    "avx2": (_X86, ("haswell", "skylake", "znver2", "znver3")),
    "neon": (_ARM, ("cortex-a72", "neoverse-n1", "apple-m1")),
    "generic": (_X86, ("x86-64",)),
}
# What numba optimises the IR for of a tile that is not this machine's. For znver3 and emeraldrapids the IR of the tile
# neon is another than for icelake-server, with two instructions more in a loop on each Arm.
_OPTIMISED_FOR = {
    tile: (name, features) for name, (tile, features) in fill_wheel.PROCESSORS.get(platform.machine(), {}).items()
}
_FMA = re.compile(r"\t(vfmadd\w*ps|fmla)\b")
_LABEL = re.compile(r"^(\.?L[\w$]+):")
_JUMP = re.compile(r"\t(?:j\w+|b|b\.\w+|cbn?z\t\w+,|tbn?z\t\w+, #\w+,)\s+(\.?L[\w$]+)\s*$")
_VECTOR = re.compile(r"%[xyz]mm\d+|\b[qv]\d+\b")
_STACK = re.compile(r"\(%rsp|\[sp\b")
_FRAME = re.compile(r"\(%rbp|\[x29\b")
_SETS_FRAME = re.compile(r"\tmovq\t%rsp, %rbp|\tmov\tx29, sp|\tadd\tx29, sp")
_FUSED_CALL = re.compile(r"\bfmaf\b")


_COMPILE = """
from numba import types
from jitnet.kernels.compiler import symbols
from jitnet.kernels.fast import contraction, conv_rows  # noqa: F401
symbols.prepare(types.float32)
"""


class UnsupportedError(Exception):
    """A tile can't be read here; the message gives the reason."""


@dataclass(frozen=True)
class Loop:
    """An inner loop that multiplies."""

    fma: int  # instructions of one pass
    sums: int  # registers they add to
    spills: int
    lines: tuple[str, ...]


def functions(tile: str) -> tuple[str, ...]:
    """Return the kernels that hold register tiles."""
    return ("contract", "conv2d_row") if any(ROW_TILES[tile]) else ("contract",)


def optimised_ir(tile: str) -> dict[str, str]:
    """Return the IR that numba passes to LLVM for each kernel of `functions` in float32."""
    with tempfile.TemporaryDirectory() as cache:  # from a cache numba takes machine code, which it can't print
        settings = {"JITNET_TILE": tile, "JITNET_CACHE_DIR": cache, "NUMBA_CACHE_DIR": "", "NUMBA_DUMP_OPTIMIZED": "1"}
        if tile != TILE:
            name, features = _OPTIMISED_FOR.get(tile, ("generic", ""))
            settings |= {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
        command = [sys.executable, "-c", _COMPILE]
        done = subprocess.run(command, env=os.environ | settings, cwd=ROOT, capture_output=True, text=True)
    parts = re.split(r"^-+OPTIMIZED DUMP (.*?)-+$", done.stdout, flags=re.MULTILINE)
    printed = {name.strip(): text for name, text in zip(parts[1::2], parts[2::2])}
    if done.returncode or not set(functions(tile)) <= set(printed):
        raise RuntimeError(f"numba printed no IR of a kernel for the tile {tile}: {done.stderr}")
    return {name: _without_wrappers(printed[name].split("\n====", 1)[0]) for name in functions(tile)}


def _without_wrappers(module: str) -> str:
    """Return a module without what follows the function: its wrappers for Python, with x86 atomics."""
    _, *wrappers = re.findall(r"^define .*?^}\n", module, flags=re.MULTILINE | re.DOTALL)
    for wrapper in wrappers:
        module = module.replace(wrapper, "")
    return module


def assembly(ir: str, triple: str, cpu: str, features: str = "") -> str:
    """Compile IR for a processor, which can be another than this one. Raises `UnsupportedError`."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        target = llvm.Target.from_triple(triple)
        made = target.create_target_machine(cpu=cpu, features=features, opt=3)
        layout = f'target datalayout = "{made.target_data}"\ntarget triple = "{triple}"'
        ir = re.sub(r"^target (datalayout|triple) = .*\n", "", ir, flags=re.MULTILINE)
        return made.emit_assembly(llvm.parse_assembly(f"{layout}\n{ir}"))
    except RuntimeError as error:
        raise UnsupportedError(f"LLVM here does not compile for {triple}: {error}") from None


def inner_loops(text: str) -> list[Loop]:
    """Return the inner loops with an FMA in them, in the order of the text."""
    stack = [_STACK, _FRAME] if _SETS_FRAME.search(text) else [_STACK]
    found: list[Loop] = []
    label, block = "", []
    for line in text.splitlines():
        if start := _LABEL.match(line):
            label, block = start[1], []
        block.append(line)
        jump = _JUMP.search(line)
        if jump and jump[1] == label:
            multiplies = [one for one in block if _FMA.search(one)]
            spills = [one for one in block if _VECTOR.search(one) and any(place.search(one) for place in stack)]
            if multiplies:
                found.append(Loop(len(multiplies), len({_sum(one) for one in multiplies}), len(spills), tuple(block)))
        if jump:
            label, block = "", []
    return found


def _sum(line: str) -> str:
    """Return the register that an FMA adds to: the last operand on x86, the first on ARM."""
    operands = line.split("\t")[2].split(", ")
    return operands[0].split(".")[0] if line.startswith("\tfmla") else operands[-1].split()[0]


def targets(tile: str) -> list[tuple[str, str, str, bool]]:
    """Return what a tile is read for: (triple, processor, features, whether it is this machine)."""
    triple, names = PROCESSORS[tile]
    others = [(triple, name, "", False) for name in names]
    if tile != TILE:
        return others
    features = llvm.get_host_cpu_features().flatten()
    return [(llvm.get_process_triple(), llvm.get_host_cpu_name(), features, True), *others]


def largest(tile: str, function: str) -> tuple[int, int]:
    """Return rows, or outputs, and vectors of the tile that keeps the most sums, with the most vectors."""
    if function == "conv2d_row":
        one, two = ROW_TILES[tile]
        return (two, 2) if 2 * two >= one else (one, 1)
    _, wide_rows, _, rows, _ = TILES[tile]
    return (wide_rows, 4) if 4 * wide_rows >= 2 * rows else (rows, 2)


def inspect(
    tile: str, function: str, ir: str, triple: str, cpu: str, features: str = "", own: bool = False
) -> tuple[dict, list[Loop]]:
    """Return the row of a kernel's IR for one processor, and its inner loops. Raises `UnsupportedError`."""
    height, vectors = largest(tile, function)
    text = assembly(ir, triple, cpu, features)
    loops = inner_loops(text)
    full = [loop for loop in loops if loop.sums == vectors * height]
    spills: Counter = Counter()
    for loop in loops:
        spills[str(loop.sums)] += loop.spills
    row = {
        "tile": tile,
        "function": function,
        "own": own,
        "target": f"{triple.split('-')[0]} {cpu}",
        "vector_bytes": TILES[tile][0],
        "height": height,
        "vectors": vectors,
        "loops": len(loops),
        "full_tile": {name: value for name, value in asdict(full[0]).items() if name != "lines"} if full else None,
        "spills": dict(+spills),  # by the sums of the loop
        "emulated": not loops and bool(_FUSED_CALL.search(text)),
    }
    return row, loops


def clean(row: dict) -> bool:
    """Return whether a tile keeps all its sums in registers and nothing on the stack."""
    return row["full_tile"] is not None and not row["spills"]


def _spilling(row: dict) -> str:
    full = "the full tile spills" if row["full_tile"]["spills"] else "the full tile does not spill"
    return f"{full}; spills in loops of {', '.join(row['spills'])} sums"


def draw(found: list[dict]) -> Table:
    """Draw the table."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in (
        "tile",
        "kernel",
        "rows x vectors",
        "for",
        "inner loops",
        "FMA in the full tile's",
        "sums",
        "spills",
        "",
    ):
        table.add_column(name, justify="right" if name in ("inner loops", "sums", "spills") else "left")
    for row in found:
        if "unsupported" in row:
            table.add_row(row["tile"], row["function"], "", "", "", "", "", "", row["unsupported"], style="dim")
            continue
        full = row["full_tile"]
        if row["emulated"]:
            note = "no FMA instruction there: a function is called for each lane"
        else:
            note = "as it should be" if clean(row) else "no loop keeps all sums" if full is None else _spilling(row)
        table.add_row(
            row["tile"] + (" (here)" if row["own"] else ""),
            row["function"],
            f"{row['height']} x {row['vectors']} of {row['vector_bytes']} bytes",
            row["target"],
            str(row["loops"]),
            f"{full['fma']} = {full['fma'] // full['sums']} x {full['sums']}" if full else "",
            str(full["sums"]) if full else "",
            str(sum(row["spills"].values())),
            note,
            style="" if clean(row) else "yellow",
        )
    return table


def notes(record: dict) -> list[str]:
    """Return the sentences below the table."""
    return [
        "How: numba's optimised IR of a kernel (float32, tile forced by JITNET_TILE), compiled by the same LLVM for "
        "the processor named. An inner loop is a block that ends with a jump to its own beginning; there is one for "
        "each height of the tile, width and unrolling. A spill is an instruction in one with a vector register and a "
        "place on the stack. Nothing is run.",
        machine.sentence(record["machine"]),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Inspect all tiles; return the exit code: 1 if one spills on a processor that has FMA instructions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--only", metavar="TILES", default="", help=f"some of {', '.join(TILES)}, with commas")
    parser.add_argument("--show", metavar="TILE", default="", help="print the inner loops of this tile")
    parser.add_argument("--json", action="store_true", help="print the record instead of the table")
    parser.add_argument("--out", type=Path, metavar="PATH", help="file or folder of the record (default: not kept)")
    args = parser.parse_args(arguments)
    names = [name for name in args.only.split(",") if name] or list(TILES)
    if unknown := {*names, *([args.show] if args.show else [])} - set(TILES):
        sentence = f"unknown tile {', '.join(sorted(unknown))}: expected some of {', '.join(TILES)}"
        Console(stderr=True).print(sentence, style="red")
        return 2
    record = {
        "benchmark": "assembly",
        "format": records.FORMAT,
        "date": records.started(),
        "machine": machine.statement(),
        "rows": [],
    }
    console = report.console(args.json)
    for name in dict.fromkeys([*names, *([args.show] if args.show else [])]):
        codes = optimised_ir(name)
        for (function, ir), (place, target) in itertools.product(codes.items(), enumerate(targets(name))):
            try:
                row, loops = inspect(name, function, ir, *target)
            except UnsupportedError as error:
                row, loops = {"tile": name, "function": function, "unsupported": str(error)}, []
            record["rows"].append(row)
            if name != args.show or place:
                continue
            full = [loop for loop in loops if loop.sums == math.prod(largest(name, function))]
            console.print("\n".join(full[0].lines if full else ()), highlight=False, markup=False)
    console.print(draw(record["rows"]))
    for line in notes(record):
        console.print(line, highlight=False, style="dim")
    if args.out:
        console.print(f"written: {records.write(record, args.out).name}", highlight=False)
    if args.json:
        print(json.dumps(record))
    return 0 if all(clean(row) for row in record["rows"] if not row.get("emulated", True)) else 1


if __name__ == "__main__":
    sys.exit(main())
