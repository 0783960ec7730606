"""The options of `jitnet completion`."""

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `completion` to the command line."""
    parser = options.add_command(
        subparsers, "completion", "source <(jitnet completion bash)  in ~/.bashrc; for zsh the same with zsh"
    )
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell that will read the script")
    parser.set_defaults(commands=subparsers)
