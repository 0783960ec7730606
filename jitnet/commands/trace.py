"""`jitnet trace`: one test image forward and backward through each layer of a run's network."""

import argparse
from typing import Any

from jitnet.commands.support import options

_PICTURES = 4  # feature maps of a layer: those with the largest numbers


def add_parser(subparsers: Any) -> None:
    """Add `trace` to the command line."""
    parser = subparsers.add_parser("trace", help="follow one test image forward and backward through each layer")
    options.add_run(parser)
    parser.add_argument("--image", metavar="N", type=int, default=0, help="number of the test image (default: 0)")
    parser.add_argument("--best", action="store_true", help="the best epoch by validation instead of the last")
    parser.add_argument("--data", metavar="SET", help="other data (default: the run's own)")
    parser.add_argument("--offline", action="store_true", help="never open a connection")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print each layer's shapes, ranges and a few pictures, there and back, and return the exit code."""
    from jitnet.errors import InputError
    from jitnet.machine import threads

    threads.configure()

    from jitnet.commands.support import listing, trained_run
    from jitnet.display.pictures import print_prediction
    from jitnet.model.network import probabilities
    from jitnet.model.reference import walk

    network, folder, _ = trained_run.load_trained(args.run_name, args.runs_dir, "best" if args.best else None)
    if folder.settings.target:
        raise InputError(f"{folder.path} approximates {folder.settings.target!r}: trace follows classified images only")
    data, images = trained_run.load_test(network, folder, args.data, args.offline)
    if not 0 <= args.image < len(images):
        raise InputError(f"--image is {args.image}: expected 0 to {len(images) - 1:,}, a test image of {data.name}")
    image, label = images[args.image], int(data.y_test[args.image])
    steps = walk(network.shapes, network.tensors(), image, label, network.loss)
    out = listing.console()
    mark, name = trained_run.mark(data, folder), trained_run.record_of(folder).name_of(label)
    print(f"{folder.path}, test image {args.image} of {data.name}{mark}, true {name}\n\nforward", flush=True)
    for step in steps:
        _show(out, step.shape.name, "out", step.x.shape, step.out)
    print(flush=True)
    print_prediction(out, image, probabilities(steps[-1].out[None])[0], label)
    print(f"\nbackward, from the loss ({network.loss}); pictures of sizes without sign", flush=True)
    for step in reversed(steps):
        _show(out, step.shape.name, "grad", step.out.shape, step.grad_out, abs)
        for name, gradient in step.gradients.items():
            print(f"{name:14} {_shape(gradient.shape):>16} {_range(gradient)}", flush=True)
    return 0


def _show(
    out: Any, name: str, what: str, inputs: tuple[int, ...], values: Any, seen: Any = lambda values: values
) -> None:
    """Print a line about numbers, and of maps (H, W, C) pictures of those channels that hold the largest."""
    import os

    import numpy as np

    from jitnet.display.live.frame import glyphs_for
    from jitnet.display.pictures import as_bytes, draw_image, print_beside

    arrow = f"{_shape(inputs)} -> {_shape(values.shape)}" if what == "out" else _shape(values.shape)
    print(f"{f'{name} {what}':14} {arrow:>30} {_range(values)}", flush=True)
    if values.ndim == 3 and values.shape[0] > 1:
        channels = np.sort(np.argsort(-np.abs(values).max(axis=(0, 1)), kind="stable")[:_PICTURES])
        glyphs = glyphs_for(out.encoding, os.environ.get("TERM", ""))
        colour = out.color_system is not None
        print_beside(out, *(draw_image(as_bytes(seen(values[..., c])), glyphs, colour) for c in channels))


def _shape(extents: tuple[int, ...]) -> str:
    return "x".join(map(str, extents))


def _range(values: Any) -> str:
    zero = 100 * float((values == 0).mean())
    return f"  {values.min():10.3g} to {values.max():10.3g}, mean {values.mean():10.3g}, {zero:3.0f} % zero"
