"""`jitnet augment`: some training images, each next to what an augmentation makes of it in its first epochs."""

import argparse

import numpy as np

from jitnet.commands.support import listing, options
from jitnet.commands.support.options import Subparsers
from jitnet.data import load
from jitnet.data.split import with_channels
from jitnet.display.pictures import as_bytes, print_images
from jitnet.errors import InputError
from jitnet.printing import say
from jitnet.training import augmentation


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
        help=f"{', '.join(augmentation.LEVELS)}, or amounts as in shift=2,rotate=10 (default: medium)",
    )
    parser.add_argument("--images", metavar="N", type=int, default=3, help="images to draw (default: 3)")
    parser.add_argument("--epochs", metavar="N", type=int, default=3, help="epochs to draw of each (default: 3)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of the changes (default: 0)")
    parser.add_argument("--data", metavar="SET", default="auto", help="the data (default: auto)")
    options.add_offline(parser)
    options.add_threads(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw the images and return the exit code."""
    amounts = augmentation.parse(args.changes)
    for name, value, least, most in (
        ("--images", args.images, 1, 100),
        ("--epochs", args.epochs, 1, 20),
        ("--seed", args.seed, 0, 2**63 - 1),
    ):
        if not least <= value <= most:
            raise InputError(f"{name} is {value}: expected {least} to {most:,}")
    dataset = load(args.data, offline=args.offline, warn=lambda message: say(message, error=True))
    images = with_channels(dataset.x_train)
    augmentation.require_images(args.changes, images.shape[1:])
    rows = np.arange(min(args.images, len(images)))
    epochs = [augmentation.augmented(images, rows, args.changes, args.seed, epoch) for epoch in range(args.epochs)]
    sizes = ", ".join(f"{name} {value:g}" for name, value in amounts._asdict().items() if value)
    say(f"{dataset.name}: each image as it is, then as in the first {args.epochs} epochs ({sizes or 'no change'})")
    out = listing.console()
    for row in rows:
        shown = [series[row] for series in (images, *epochs)]
        print_images(out, shown if images.dtype == np.uint8 else list(as_bytes(np.stack(shown))))
        say("")
    return 0
