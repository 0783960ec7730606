"""The options of `jitnet eval`."""

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `eval` to the command line."""
    parser = options.add_command(
        subparsers,
        "eval",
        "jitnet eval latest --best  the epoch with the best validation accuracy",
        "jitnet eval model.safetensors --data mnist  a model that save() wrote",
    )
    options.add_model(parser)
    options.add_other_data(parser)
    options.add_threads(parser)
    options.add_json(parser)
