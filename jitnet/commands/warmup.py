"""`jitnet warmup`: compile the kernels ahead of the first training, as when an image of a machine is built."""

import argparse

import numpy as np

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers
from jitnet.display import open_view
from jitnet.model.architecture import CNN
from jitnet.model.network import PART, Network
from jitnet.printing import say
from jitnet.training.compilation import compile_kernels


def add_parser(subparsers: Subparsers) -> None:
    """Add `warmup` to the command line."""
    parser = options.add_command(
        subparsers, "warmup", "jitnet warmup  as a step of a Dockerfile, so that the image holds the kernels"
    )
    options.add_process(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compile for every form of training and return the exit code."""
    network = Network(CNN, (28, 28, 1))
    images = np.zeros((1, 28, 28, 1), np.uint8)
    with open_view("plain" if args.ui in ("auto", "live") else args.ui) as view:
        for batch_size in (1, 2, PART + 1):
            for event in compile_kernels(network, batch_size, images):
                view.handle(event)
    if args.ui not in ("json", "quiet"):
        from jitnet.kernels.compiler.decorators import CACHE_FOLDER  # imports numba

        say(f"the kernels are compiled, in {CACHE_FOLDER}")
    return 0
