"""The options of `jitnet schedule`."""

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers
from jitnet.commands.support.settings import add_network


def add_parser(subparsers: Subparsers) -> None:
    """Add `schedule` to the command line."""
    parser = options.add_command(
        subparsers,
        "schedule",
        "jitnet schedule cnn --schedule one-cycle --epochs 20  the learning rates of 20 epochs",
        add_help=False,
    )
    add_network(parser, "recipe", "schedule", "epochs", "lr", default="cnn", layers=False)
