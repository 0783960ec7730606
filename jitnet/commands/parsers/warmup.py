"""The options of `jitnet warmup`."""

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers

KINDS = {
    "images": "classes of images",
    "tables": "regression, `--target`",
    "floats": "classes of float images in Python",
    "gradcheck": "`jitnet gradcheck`, in float64",
    "tools": "augmentation, the built-in digits, the speed of the machine",
}


def add_parser(subparsers: Subparsers) -> None:
    """Add `warmup` to the command line."""
    parser = options.add_command(
        subparsers,
        "warmup",
        "jitnet warmup  all, as a step of a Dockerfile, so that the image holds the kernels",
        "jitnet warmup images  only what training on images needs",
    )
    meanings = "; ".join(f"{kind}: {what}" for kind, what in KINDS.items())
    parser.add_argument("kinds", metavar="KIND", nargs="*", help=f"{meanings} (default: all)")
    options.add_process(parser)
