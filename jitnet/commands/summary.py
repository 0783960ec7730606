"""`jitnet summary`: the documents' listing of a network, with sizes, parameters and multiply-accumulates."""

import argparse
import math
from typing import Any

from rich.table import Table

from jitnet.commands.support.json_answer import print_json
from jitnet.commands.support.settings import settings_of
from jitnet.config import Settings
from jitnet.display.console import safe_console
from jitnet.errors import InputError
from jitnet.model import architecture, kernel_choice
from jitnet.model.architecture import Shape
from jitnet.model.kernel_choice import Choice
from jitnet.model.optimizer import Optimizer, is_fused


def run(args: argparse.Namespace) -> int:
    """Print the listing and return the exit code."""
    if "batch_size" in args and not args.lists_kernels:
        raise InputError("--batch-size is given without --kernels, and changes no other listing: add --kernels")
    settings = settings_of(args)
    layers = (*architecture.parse(settings.architecture), architecture.Dense(10))
    network = architecture.shapes(layers, (28, 28, 1), settings.bias)
    title = f"{settings.network}: {architecture.to_text(layers)}"
    if args.json:
        if args.lists_kernels:
            raise InputError("--json is given with --kernels, whose tables are for people: omit one of them")
        print_json("summary", **_fields(network, settings))
        return 0
    console = safe_console()
    if not console.is_terminal:  # a pipe has no width: omit nothing
        console.width = 120
    for part in kernel_tables(network, title, settings) if args.lists_kernels else [operation_table(network, title)]:
        console.print(part, highlight=False)
    return 0


def _fields(network: tuple[Shape, ...], settings: Settings) -> dict[str, Any]:
    """Return the JSON fields of a network: its layers, and the totals."""
    layers = [
        {
            "name": shape.name,
            "input": list(shape.inputs),
            "output": list(shape.outputs),
            "parameters": math.prod(shape.weight or (0,)) + math.prod(shape.bias or (0,)),
            "macs": shape.macs,
        }
        for shape in network
    ]
    return {
        "network": settings.network,
        "architecture": settings.architecture,
        "layers": layers,
        "parameters": architecture.parameter_count(network),
        "macs": architecture.forward_macs(network),
    }


def operation_table(network: tuple[Shape, ...], title: str) -> Table:
    """Return the documents' listing of a network."""
    table = Table(title=title, title_justify="left")
    table.add_column("operation", no_wrap=True)
    for column in ("input", "output", "parameters", "MACs"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in architecture.operations(network):
        table.add_row(*row)
    table.add_section()
    total = f"{architecture.parameter_count(network):,}"
    table.add_row("total", "", "", total, f"{architecture.forward_macs(network):,}")
    return table


def kernel_tables(network: tuple[Shape, ...], title: str, settings: Settings) -> list[Table | str]:
    """Return which code computes each layer of a network in training, and where that code is."""
    if kernel_choice.kernels_for(network, settings.kernels, settings.dropout) == "simple":
        return [f"{title}: all layers by kernels/step.py, one page of kernels/layers/ per operation (simple kernels)"]
    from jitnet.kernels.compiler.tile import VECTOR_BYTES

    optimizer = Optimizer.of(settings)
    fused = is_fused(settings.batch_size, optimizer)
    driver = kernel_choice.PER_SAMPLE if fused else kernel_choice.BATCH
    choices = kernel_choice.choose(network, driver, 4, VECTOR_BYTES)
    code = Table(title=title, title_justify="left")
    shared = ("two threads share",) if fused else ()
    for column in ("layer", "forward", "input gradient", "weight gradient", *shared):
        code.add_column(column)
    used: set[int] = set()
    blocks = list(kernel_choice.blocks(network))
    halved = kernel_choice.halved(blocks)
    for place, (block, choice) in enumerate(zip(blocks, choices)):
        by = choice[:3]
        used.update(by)
        split = (_shared(choice, block.is_conv, place < halved),) if fused else ()
        code.add_row(block.shape.name, *(kernel_choice.NAMES[code_of] for code_of in by), *split)
    how = "one image at a time" if fused else f"batches of {settings.batch_size or 'all images'}"
    line = f"{how}, by kernels/{kernel_choice.DRIVER_FILES[driver]}; vectors of {VECTOR_BYTES} bytes"
    files = Table()
    for column in ("code", "file in kernels/", "description"):
        files.add_column(column)
    for code_of, (file, does) in kernel_choice.EXPLANATIONS.items():
        if code_of in used:
            files.add_row(kernel_choice.NAMES[code_of], file, does)
    return [code, line, files]


def _shared(choice: Choice, is_conv: bool, cut: bool) -> str:
    """Return what of a layer two threads share, one image at a time."""
    if not cut:
        return "nothing: each computes it"
    if not is_conv:
        return "inputs"
    return " / ".join(kernel_choice.SPLITS[split] for split in (choice.forward_split, choice.backward_split))
