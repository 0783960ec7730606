"""The options of `jitnet trace`."""

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `trace` to the command line."""
    parser = options.add_command(
        subparsers, "trace", "jitnet trace latest --image 7  the eighth test image, with pictures of its feature maps"
    )
    options.add_model(parser)
    parser.add_argument("--image", metavar="N", type=int, default=0, help="number of the test image (default: 0)")
    options.add_other_data(parser)
