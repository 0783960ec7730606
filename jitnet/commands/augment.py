"""`jitnet augment`: some training images, each next to what an augmentation makes of it in its first epochs."""

import argparse

import numpy as np

from jitnet.commands.support import listing, trained_run
from jitnet.commands.support.progress_bar import Waiting
from jitnet.config import Settings
from jitnet.data.split import with_channels
from jitnet.display.pictures import as_bytes, print_images
from jitnet.errors import InputError
from jitnet.printing import say
from jitnet.training import augmentation
from jitnet.training.compile_tools import compile_augmentation


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
    dataset = trained_run.load_data(Settings(data=args.data), args.offline)
    images = with_channels(dataset.x_train)
    augmentation.require_images(args.changes, images.shape[1:])
    rows = np.arange(min(args.images, len(images)))
    with Waiting() as waiting:
        trained_run.show_compiling(compile_augmentation(args.changes, images), waiting.report)
    epochs = [augmentation.augmented(images, rows, args.changes, args.seed, epoch) for epoch in range(args.epochs)]
    sizes = ", ".join(f"{name} {value:g}" for name, value in amounts._asdict().items() if value)
    say(f"{dataset.name}: each image as it is, then as in the first {args.epochs} epochs ({sizes or 'no change'})")
    out = listing.console()
    for row in rows:
        shown = [series[row] for series in (images, *epochs)]
        print_images(out, shown if images.dtype == np.uint8 else list(as_bytes(np.stack(shown))))
        say("")
    return 0
