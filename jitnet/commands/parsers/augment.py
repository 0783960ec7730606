"""The options of `jitnet augment`."""

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `augment` to the command line."""
    parser = options.add_command(
        subparsers,
        "augment",
        "jitnet augment shift=2,rotate=10 --images 2  two images, each as in its first epochs",
    )
    parser.add_argument(
        "changes",
        metavar="CHANGES",
        nargs="?",
        default="medium",
        help="light, medium, strong, or amounts as in shift=2,rotate=10 (default: medium)",
    )
    parser.add_argument("--images", metavar="N", type=int, default=3, help="images to draw (default: 3)")
    parser.add_argument("--epochs", metavar="N", type=int, default=3, help="epochs to draw of each (default: 3)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of the changes (default: 0)")
    parser.add_argument("--data", metavar="SET", default="auto", help="the data (default: auto)")
    options.add_offline(parser)
    options.add_threads(parser)
