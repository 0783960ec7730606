"""How the work of a mini-batch step is cut for many threads: a model in multiply-accumulates, not a measurement.

    python bench/work_cut.py            print the table
    python bench/work_cut.py --write    and bring docs/speed.md up to date

A phase of a step is a list of pieces (kernels/fast/batch.py). numba gives each thread consecutive pieces, and a phase
ends with its busiest thread; a serial part is one piece. The model ignores waiting, memory and clock rates: it says
what the cut allows, and a machine reaches at most that.
"""

import argparse
import itertools
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

from bench import generated, rows
from jitnet.kernels.compiler.tile import PANEL_BYTES
from jitnet.kernels.fast.dense_pieces import (
    INPUT_PIECES,
    UNIT_GROUPS,
    WEIGHT_PIECES,
    by_parts,
    columns_of_block,
    group_count,
    images_of_block,
    part_count,
    piece_range,
    strip_count,
    strip_unit,
    weight_cut,
)
from jitnet.kernels.table import LINE, MICROBATCH, SHARDS, shard_count, shard_range
from jitnet.model.architecture import Conv, Shape, parse
from jitnet.model.network import Network

PAGE, SECTION = "docs/speed.md", "work cut"
THREADS = (1, 2, 4, 8, 16)
_TRANSFORM = 45  # multiply-accumulates for each weight of a filter that is prepared for tiles or transposed, at most
_LOSS = 20  # for each output of the network
STEPS = (
    ("CNN", rows.CNN, (64, 128, 512)),
    ("MLP 1000-100", rows.MLP, (128, 512)),
    ("MLP 512-512", rows.MLP_512, (16,)),
)

Phase = tuple[str, list[float]]  # name, and the multiply-accumulates of each piece


def conv_phase(name: str, images: int, macs: float) -> Phase:
    """Return a phase over the shards of some images."""
    shards = [shard_range(images, n) for n in range(shard_count(images))]
    return name, [(stop - first) * macs for first, stop in shards]


def dense_phases(shape: Shape, images: int, first: bool) -> Iterator[Phase]:
    """Yield the three products of a dense layer; the first layer has no input gradient."""
    D, K = math.prod(shape.inputs), shape.outputs[0]
    yield f"{shape.name} forward", forward_pieces(D, K, images)
    if not first:
        yield f"{shape.name} input gradient", strips(D, K * images)
    wide, narrow = strip_count(D, WEIGHT_PIECES // UNIT_GROUPS), strip_count(D, WEIGHT_PIECES)
    count, groups, _ = weight_cut(images, D, K, PANEL_BYTES // 4, wide, narrow)
    pieces = [float(width * inputs * images) for inputs in extents(D, count) for width in extents(K, groups, LINE)]
    yield f"{shape.name} weight gradient", pieces


def extents(extent: int, pieces: int, unit: int = 1) -> list[int]:
    """Return how much of an extent each of its pieces has."""
    return [stop - first for first, stop in (piece_range(extent, pieces, n, unit) for n in range(pieces))]


def forward_pieces(D: int, K: int, images: int) -> list[float]:
    """Return the work of each piece of a dense layer forward, all parts of the sum or one."""
    parts = part_count(D)
    if by_parts(images, D, parts):
        groups = group_count(K, parts)
        return [float(images * depth * width) for depth in extents(D, parts) for width in extents(K, groups, LINE)]
    rows_of_piece = images_of_block(images, K)
    heights = [min(rows_of_piece, images - n) for n in range(0, images, rows_of_piece)]
    columns = columns_of_block(images, K, rows_of_piece)
    widths = [min(columns, K - j) for j in range(0, K, columns)]
    return [float(height * width * D) for height in heights for width in widths]


def strips(D: int, macs: float) -> list[float]:
    """Return the work of each strip of an input gradient, `macs` for each of D inputs."""
    count = strip_count(D, INPUT_PIECES)
    return [macs * width for width in extents(D, count, strip_unit(D, count))]


def phases(network: Sequence[Shape], images: int) -> Iterator[Phase]:
    """Yield the phases of the forward and backward pass of some images that are taken at once."""
    convs = [shape for shape in network if isinstance(shape.layer, Conv)]
    dense = [shape for shape in network if shape.weight and shape not in convs]
    if convs:
        # Forward and backward every thread prepares the filters for itself: as long as on one thread.
        prepared = sum(math.prod(shape.weight) for shape in convs[1:])
        yield "filters", [2.0 * _TRANSFORM * prepared]
        forward = sum(shape.macs for shape in convs)
        yield conv_phase("convolutions forward", images, forward)
        yield conv_phase("convolutions backward", images, 2 * forward - convs[0].macs)
    for n, shape in enumerate(dense):
        yield from dense_phases(shape, images, first=n == 0 and not convs)
    yield "loss", [float(_LOSS * network[-1].outputs[0])] * images


def step(network: Sequence[Shape], images: int, threads: int) -> list[Phase]:
    """Return all phases of a step of `images` on some threads."""
    with_convs = isinstance(network[0].layer, Conv)
    # The room in memory is that of enough microbatches for all threads: jitnet/model/memory_plan.py.
    at_once = min(images, MICROBATCH * -(-threads // SHARDS)) if with_convs else images
    found = [phase for n in range(0, images, at_once) for phase in phases(network, min(at_once, images - n))]
    count = sum(math.prod(shape.weight) + math.prod(shape.bias) for shape in network if shape.weight)
    return [*found, ("update", [1.0] * count)]


def busiest(pieces: Sequence[float], threads: int) -> float:
    """Return the work of the busiest thread.

    >>> busiest([1, 1, 1, 1, 1], 2)
    3
    """
    base, more = divmod(len(pieces), threads)
    ends = list(itertools.accumulate([base + (n < more) for n in range(threads)], initial=0))
    return max(sum(pieces[a:b]) for a, b in itertools.pairwise(ends))


def speedup(network: Sequence[Shape], images: int, threads: int) -> float:
    """Return how many times the work of one thread a step does in the same time, by the cut alone."""
    found = step(network, images, threads)
    return sum(sum(pieces) for _, pieces in found) / sum(busiest(pieces, threads) for _, pieces in found)


def serial_share(network: Sequence[Shape], images: int) -> float:
    """Return the share of a step on one thread that stays on one thread."""
    found = step(network, images, 1)
    alone = sum(sum(pieces) for _, pieces in found if len(pieces) == 1)
    return alone / sum(sum(pieces) for _, pieces in found)


def of_cnn(images: int, threads: int) -> float:
    """Return the `speedup` of the documents' CNN."""
    return speedup(Network(parse(rows.CNN), (28, 28, 1)).shapes, images, threads)


def table() -> str:
    """Return the table of docs/speed.md."""
    lines = [f"| step | {' | '.join(f'{n} threads' for n in THREADS[1:])} | serial |", "|---|" + "--:|" * len(THREADS)]
    for name, architecture, batches in STEPS:
        network = Network(parse(architecture), (28, 28, 1)).shapes
        for images in batches:
            cells = [f"{speedup(network, images, threads):.1f}" for threads in THREADS[1:]]
            cells.append(f"{100 * serial_share(network, images):.1f} %")
            lines.append(f"| {name}, batches of {images} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--write", action="store_true", help=f"write it into {PAGE}")
    args = parser.parse_args(arguments)
    print(table())
    if args.write:
        generated.write({PAGE: {SECTION: table()}})
    return 0


if __name__ == "__main__":
    sys.exit(main())
