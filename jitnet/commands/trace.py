"""`jitnet trace`: one test image forward and backward through each layer of a run's network."""

import argparse
import os
from collections.abc import Callable

import numpy as np
from rich.console import Console

from jitnet.commands.support import listing, options, trained_run
from jitnet.display.live.frame import glyphs_for
from jitnet.display.pictures import as_bytes, draw_image, print_prediction, print_side_by_side
from jitnet.errors import InputError
from jitnet.model.reference import backward, forward
from jitnet.model.scores import probabilities
from jitnet.printing import say

_PICTURES = 4  # feature maps of a layer: those with the largest values


def run(args: argparse.Namespace) -> int:
    """Print each layer's shapes, ranges and a few pictures, forward and backward, and return the exit code."""
    network, trained, _ = trained_run.load_trained(args.run_name, args.runs_dir, options.kind_of(args))
    trained_run.require_classifier(trained, "trace")
    data, images = trained_run.load_test(network, trained, args.data, args.offline)
    if not 0 <= args.image < len(images):
        raise InputError(f"--image is {args.image}: expected 0 to {len(images) - 1:,}, a test image of {data.name}")
    image, label = images[args.image], int(data.y_test[args.image])
    steps = forward(network.shapes, network.tensors(), image)
    backward(steps, network.tensors(), label, network.loss)
    out = listing.console()
    mark, names = trained_run.mark(data, trained, args.data), trained_run.record_of(trained).name_of
    say(f"{trained.path}, test image {args.image} of {data.name}{mark}, true {names(label)}", "", "forward")
    for step in steps:
        _show(out, step.shape.name, "out", step.x.shape, step.out)
    say()
    print_prediction(out, image, probabilities(steps[-1].out[None])[0], label, names)
    say("", f"backward, from the loss ({network.loss}); pictures of absolute values")
    for step in reversed(steps):
        _show(out, step.shape.name, "grad", step.out.shape, step.grad_out, np.abs)
        for name, gradient in step.gradients.items():
            say(f"{name:14} {_shape(gradient.shape):>16} {_range(gradient)}")
    return 0


def _show(
    out: Console,
    name: str,
    what: str,
    inputs: tuple[int, ...],
    values: np.ndarray,
    transform: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> None:
    """Print a line about values, and of maps (H, W, C) pictures of the channels with the largest ones."""
    arrow = f"{_shape(inputs)} -> {_shape(values.shape)}" if what == "out" else _shape(values.shape)
    say(f"{f'{name} {what}':14} {arrow:>30} {_range(values)}")
    if values.ndim == 3 and values.shape[0] > 1:
        channels = np.sort(np.argsort(-np.abs(values).max(axis=(0, 1)), kind="stable")[:_PICTURES])
        glyphs = glyphs_for(out.encoding, os.environ.get("TERM", ""))
        colour = out.color_system is not None
        print_side_by_side(out, *(draw_image(as_bytes(transform(values[..., c])), glyphs, colour) for c in channels))


def _shape(extents: tuple[int, ...]) -> str:
    return "x".join(map(str, extents))


def _range(values: np.ndarray) -> str:
    zero = 100 * float((values == 0).mean())
    return f"  {values.min():10.3g} to {values.max():10.3g}, mean {values.mean():10.3g}, {zero:3.0f} % zero"
