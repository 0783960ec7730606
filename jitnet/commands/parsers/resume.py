"""The options of `jitnet resume`."""

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers
from jitnet.commands.support.settings import add_some


def add_parser(subparsers: Subparsers) -> None:
    """Add `resume` to the command line."""
    parser = options.add_command(
        subparsers,
        "resume",
        "jitnet resume latest  continue the newest run after Ctrl-C or a crash",
        "jitnet resume my-run --epochs 20  train up to 20 epochs in total",
    )
    options.add_run(parser)
    add_some(
        parser,
        "epochs",
        "schedule",
        epochs="train up to N epochs in total; those after the plan have its last learning rate",
        schedule="plan the learning rate of the remaining epochs again",
    )
    options.add_logs(options.add_process(parser))
