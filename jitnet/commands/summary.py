"""`jitnet summary`: the documents' listing of a network, with sizes, parameters and multiply-accumulates."""

import argparse
from typing import Any

from jitnet.config import CHOICES, PRESETS


def add_parser(subparsers: Any) -> None:
    """Add `summary` to the command line."""
    parser = subparsers.add_parser("summary", help="list a network's operations with their sizes and work")
    parser.add_argument("network", metavar="NETWORK", help=" or ".join(PRESETS))
    layers = parser.add_mutually_exclusive_group()
    layers.add_argument("--hidden", metavar="N,N", default=argparse.SUPPRESS, help="units of an mlp's hidden layers")
    layers.add_argument("--arch", metavar="TEXT", default=argparse.SUPPRESS, help="hidden layers, as in train")
    parser.add_argument("--bias", choices=CHOICES["bias"], default="position", help="of a conv (default: position)")
    parser.set_defaults(run=run, config=None)


def run(args: argparse.Namespace) -> int:
    """Print the listing and return the exit code."""
    from rich.table import Table

    from jitnet.commands.train import settings_of
    from jitnet.display.console import safe_console
    from jitnet.model import architecture

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
    console = safe_console()
    if not console.is_terminal:  # a pipe has no width: cut nothing
        console.width = 120
    console.print(table)
    return 0
