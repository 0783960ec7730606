"""The options of `jitnet train`."""

from pathlib import Path

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers
from jitnet.commands.support.settings import add_settings


def add_parser(subparsers: Subparsers) -> None:
    """Add `train` to the command line."""
    parser = options.add_command(
        subparsers,
        "train",
        "jitnet train cnn  the documents' CNN, one image at a time",
        "jitnet train cnn --batch-size 64 --optimizer adam --val 5000 --patience 3  mini-batches, early stopping",
        'jitnet train cnn --arch "conv8 pool dense50:tanh" --data fashion  another network, on other data',
        add_help=False,
    )
    add_settings(parser)
    output = options.add_process(parser)
    options.add_logs(output)
    options.add_name(output)
    options.add_runs_dir(output)
    output.add_argument("--plot", action="store_true", help="after training, plot the loss of each batch over time")
    output.add_argument("--save", metavar="FILE", type=Path, help="write that plot as .svg or .png, with matplotlib")
