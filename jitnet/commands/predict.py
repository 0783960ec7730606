"""`jitnet predict`: what a run's network sees in image files."""

import argparse
from typing import Any

from jitnet.commands.support import options
from jitnet.printing import say

_DRAWN = 12  # of more images there is a line each, and no picture


def add_parser(subparsers: Any) -> None:
    """Add `predict` to the command line."""
    parser = options.add_command(
        subparsers,
        "predict",
        "jitnet predict latest digit.png  one image, with a picture and bars",
    )
    options.add_model(parser)
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="a file with one image or, as npy or IDX, several")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a line per image, of a few images a picture and bars too, and return the exit code."""
    from jitnet.machine import threads

    threads.configure()

    import numpy as np

    from jitnet.commands.support import listing, trained_run
    from jitnet.data.readers.images import read_images
    from jitnet.display.pictures import print_prediction
    from jitnet.errors import InputError
    from jitnet.model.scores import probabilities

    network, folder, _ = trained_run.load_trained(args.run_name, args.runs_dir, "best" if args.best else None)
    if folder.settings.target:
        raise InputError(
            f"{folder.path} approximates {folder.settings.target!r} from numbers: predict reads images only"
        )
    height, width, channels = network.image
    if channels != 1:
        raise InputError(f"{folder.path} was trained on images of {channels} channels: predict reads grey ones only")
    named = [item for path in args.images for item in read_images(path)]
    pictures = np.stack([_centred(name, image, height, width) for name, image in named])
    trained_on = " (trained on synthetic digits)" if folder.meta.get("data") == "synthetic" else ""
    out = listing.console()
    scores = trained_run.logits(network, pictures[..., None])
    for (name, _), picture, chances in zip(named, pictures, probabilities(scores)):
        ranked = np.argsort(-chances, kind="stable")[:3]
        shown = "  ".join(f"{label} {100 * chances[label]:5.1f} %" for label in ranked)
        say(f"{name}: {ranked[0]}    {shown}{trained_on}")
        if len(named) <= _DRAWN:
            print_prediction(out, picture, chances)
    return 0


def _centred(name: str, image: Any, height: int, width: int) -> Any:
    from jitnet.data.readers.images import centre
    from jitnet.errors import InputError

    try:
        return centre(image, height, width)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
