"""`jitnet gradcheck`: the gradient of every parameter tensor compared with central differences, in float64."""

import argparse

import numpy as np

from jitnet.commands.support import trained_run
from jitnet.commands.support.progress_bar import Waiting
from jitnet.commands.support.settings import settings_of
from jitnet.errors import InputError
from jitnet.model import architecture
from jitnet.model.gradcheck import TOLERANCE, check
from jitnet.model.network import PART, Network
from jitnet.printing import say
from jitnet.training.compilation import compile_kernels


def run(args: argparse.Namespace) -> int:
    """Print a line for each tensor; return 0, or 1 if one exceeds the tolerance."""
    settings = settings_of(args)
    for name, value, most in (("--samples", args.samples, 100_000), ("--side", args.side, 512)):
        if not 1 <= value <= most:
            raise InputError(f"{name} is {value}: expected 1 to {most:,}")
    layers = (*architecture.parse(settings.architecture), architecture.Dense(10))
    network = Network(layers, (args.side, args.side, 1), settings.bias, np.float64, settings.loss, settings.kernels)
    network.initialise("he", settings.seed)  # the documents' small weights have gradients near rounding errors
    rng = np.random.default_rng(settings.seed)
    for name, array in network.tensors().items():
        if name.endswith(".bias"):  # at 0 a unit without input is exactly on ReLU's kink
            array[...] = 0.1 * rng.standard_normal(array.shape)
    images = rng.integers(0, 256, (2, args.side, args.side, 1), dtype=np.uint8)
    targets = rng.integers(0, 10, 2).astype(np.uint8)
    recipe = f"init he with biases, seed {settings.seed}, {settings.loss}, two random images"
    say(f"{architecture.to_text(layers)} in float64, {recipe}")
    with Waiting() as waiting:
        # The kernels for sums over any number of images.
        trained_run.show_compiling(compile_kernels(network, PART + 1, images, targets), waiting.report)
    worst = 0.0
    for tensor in check(network, images, targets, args.samples, settings.seed):
        shape = " x ".join(map(str, tensor.shape))
        tried = f"{tensor.places:,} of {int(np.prod(tensor.shape)):,}"
        verdict = "" if tensor.error <= TOLERANCE else "  WRONG"
        say(f"{tensor.name:14} {shape:>16} {tried:>18} tried  worst error {tensor.error:.1e}{verdict}")
        worst = max(worst, tensor.error)
    say(f"worst relative error {worst:.1e}, {'within' if worst <= TOLERANCE else 'BEYOND'} {TOLERANCE:g}")
    return 0 if worst <= TOLERANCE else 1
