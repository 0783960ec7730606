"""`jitnet export`: a run for other programs: weights, a C++ program that infers and trains, an ONNX model."""

import argparse
import dataclasses

import numpy as np

from jitnet.commands.support import trained_run
from jitnet.commands.support.progress_bar import Waiting
from jitnet.errors import InputError
from jitnet.export import twin
from jitnet.export.hub import card
from jitnet.export.onnx import write
from jitnet.printing import say
from jitnet.storage import model_file
from jitnet.storage.atomic import replace_file
from jitnet.storage.checkpoint import SaveError
from jitnet.storage.metadata import metadata
from jitnet.training.compilation import compile_kernels
from jitnet.training.position import Position


def run(args: argparse.Namespace) -> int:
    """Write the requested files and return the exit code."""
    try:
        return {"weights": _weights, "cpp": _cpp, "onnx": _onnx, "hub": _hub}[args.kind](args)
    except SaveError as error:
        raise InputError(f"{error}; choose another --out") from error


def _cpp(args: argparse.Namespace) -> int:
    """Write the C++ twin, verify it if that is requested, and return the exit code."""
    network, trained, epoch = trained_run.load_named(args)
    tensors = twin.state(trained.tensors, network)
    if args.initial:
        network.initialise(trained.settings.init, trained.settings.seed)
        tensors, epoch = network.tensors() | Position().tensors(), 0
    twin.require_twin(args.out, network, trained.settings)
    with Waiting() as waiting:
        examples = twin.golden_images(network, waiting.report)
        trained_run.show_compiling(compile_kernels(network, 1, *examples), waiting.report)
    twin.write(args.out, network, trained.settings, tensors, metadata(trained.description))
    say(f"{trained_run.after(trained, epoch)} is in {args.out}, see {args.out / 'README.md'}")
    if args.verify:
        say(*twin.verify(args.out).splitlines())
    return 0


def _onnx(args: argparse.Namespace) -> int:
    """Write the ONNX model and return the exit code."""
    if args.out.suffix != ".onnx":
        raise InputError(f"--out is {str(args.out)!r}: expected a name that ends in .onnx")
    network, trained, epoch = trained_run.load_named(args)
    described = trained.description
    if trained.settings.target:
        described = dataclasses.replace(described, record=trained_run.regression_record(trained))
    content = write.model(network, described, metadata(described))
    try:
        replace_file(args.out, content)
    except OSError as error:
        raise InputError(f"cannot write {args.out}: {error.strerror or error}; choose another file") from error
    say(f"{trained_run.after(trained, epoch)} is in {args.out}, {len(content):,} bytes")
    return 0


def _hub(args: argparse.Namespace) -> int:
    """Write the folder for a model hub and return the exit code."""
    network, trained, epoch = trained_run.load_named(args)
    card.write(args.out, network, trained.description, trained.history()[:epoch], args.licence)
    say(f"{trained_run.after(trained, epoch)} is in {args.out}: {', '.join(card.NAMES)}")
    if not args.licence:
        trained_run.warn("the card states no licence: give --licence ID before you publish it")
    return 0


def _weights(args: argparse.Namespace) -> int:
    """Write the file of weights and return the exit code."""
    if args.out.suffix not in (".safetensors", ".npz"):
        raise InputError(f"--out is {str(args.out)!r}: expected a name that ends in .safetensors or .npz")
    network, trained, _ = trained_run.load_named(args)
    tensors = {name: out_first(array) for name, array in network.tensors().items()}
    model_file.save(args.out, tensors, metadata(trained.description, layout="jitnet"))
    for name, array in tensors.items():
        say(f"{name:16} {' x '.join(map(str, array.shape))}")
    weights = f"{trained.weights} weights".strip()
    say(f"the {weights} of {trained.path} are in {args.out}")
    return 0


def out_first(array: np.ndarray) -> np.ndarray:
    """Return a copy of a tensor with its outputs first: (in, out) -> (out, in), (3, 3, C, OC) -> (OC, C, 3, 3)."""
    axes = {2: (1, 0), 3: (2, 0, 1), 4: (3, 2, 0, 1)}.get(array.ndim, (0,))
    return array.transpose(axes).copy()
