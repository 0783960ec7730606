"""`jitnet summary`: the documents' listing of a network, with sizes, parameters and multiply-accumulates."""

import argparse

from rich.console import Console
from rich.table import Table

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers
from jitnet.commands.support.settings import add_network, settings_of
from jitnet.model import architecture


def add_parser(subparsers: Subparsers) -> None:
    """Add `summary` to the command line."""
    parser = options.add_command(
        subparsers, "summary", "jitnet summary mlp --hidden 512,512  for images of 28 x 28 pixels and 10 classes",
        add_help=False,
    )  # fmt: skip
    add_network(parser, "bias")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the listing and return the exit code."""
    settings = settings_of(args)
    layers = (*architecture.parse(settings.architecture), architecture.Dense(10))
    network = architecture.shapes(layers, (28, 28, 1), settings.bias)
    table = Table(title=f"{settings.network}: {architecture.to_text(layers)}", title_justify="left")
    table.add_column("operation", no_wrap=True)
    for column in ("input", "output", "parameters", "MACs"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in architecture.operations(network):
        table.add_row(*row)
    table.add_section()
    total = f"{architecture.parameter_count(network):,}"
    table.add_row("total", "", "", total, f"{architecture.forward_macs(network):,}")
    console = Console()
    if not console.is_terminal:  # a pipe has no width: omit nothing
        console.width = 120
    console.print(table)
    return 0
