"""`jitnet export`: a run for other programs: weights, a C++ program that infers and trains, an ONNX model."""

import argparse
import dataclasses
from pathlib import Path

import numpy as np

from jitnet.commands.support import options, trained_run
from jitnet.commands.support.options import Subparsers
from jitnet.errors import InputError
from jitnet.export import twin
from jitnet.export.hub import card
from jitnet.export.onnx import write
from jitnet.printing import say
from jitnet.storage import model_file
from jitnet.storage.atomic import replace_file
from jitnet.storage.metadata import metadata
from jitnet.training.position import Position


def add_parser(subparsers: Subparsers) -> None:
    """Add `export` and what it writes to the command line."""
    parser = options.add_command(
        subparsers,
        "export",
        "jitnet export weights latest --out weights.npz  the parameters for numpy",
        "jitnet export cpp latest --out twin --verify  a C++ program, compiled and compared with Python",
        "jitnet export onnx latest --out model.onnx  a model for onnxruntime and other programs",
    )
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="weights|cpp|onnx|hub")
    weights = kinds.add_parser(
        "weights",
        help="its weights: dense (out, in), conv (out, in, 3, 3)",
        description="Writes dense weights as (out, in), so that Y = X W^T + B, conv weights as (out, in, 3, 3), conv "
        "biases as (out, H, W). A dense layer after a conv reads its input pixel by pixel, all channels of each.",
    )
    options.add_run(weights)
    options.add_best(weights)
    options.add_weights(weights)
    weights.add_argument("--out", required=True, type=Path, metavar="FILE", help="a .safetensors or .npz file")
    weights.set_defaults(run=run_weights)
    cpp = kinds.add_parser(
        "cpp",
        help="its network in C++17: a header that infers and trains, with a command line",
        description="Writes a folder with the network in C++17, the standard library alone: jitnet.hpp infers and "
        "trains, main.cpp is a command line, selftest.cpp compares with Python. Weights can be read by both.",
    )
    options.add_run(cpp)
    cpp.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder to write, new or of an older export"
    )
    state = cpp.add_mutually_exclusive_group()
    options.add_best(state)
    options.add_weights(cpp)
    state.add_argument("--initial", action="store_true", help="use the weights from before the first step")
    cpp.add_argument("--verify", action="store_true", help="compile it here and compare it with Python")
    cpp.set_defaults(run=run_cpp)
    onnx = kinds.add_parser(
        "onnx",
        help="its network in the ONNX format, for onnxruntime and other programs",
        description="Writes an ONNX model. Its input is a batch of images as the data have them, uint8 (batch, H, W, "
        "C), divided by 255 in the model; its outputs are logits and probabilities. That of a regression is a batch of "
        "rows as the table has them; its output is in the unit of the target.",
    )
    options.add_run(onnx)
    options.add_best(onnx)
    options.add_weights(onnx)
    onnx.add_argument("--out", required=True, type=Path, metavar="FILE", help="an .onnx file")
    onnx.set_defaults(run=run_onnx)
    hub = kinds.add_parser(
        "hub",
        help="a folder for a model hub: safetensors, config, model card, loader",
        description="Writes a folder with model.safetensors, config.json, README.md (a model card with figures, data "
        "and licence) and predict.py, which needs NumPy and safetensors alone. Nothing is uploaded.",
    )
    options.add_run(hub)
    options.add_best(hub)
    options.add_weights(hub)
    hub.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder to write, new or of an older export"
    )
    hub.add_argument("--licence", default="", metavar="ID", help="licence of the weights, such as mit or cc-by-4.0")
    hub.set_defaults(run=run_hub)


def run_cpp(args: argparse.Namespace) -> int:
    """Write the C++ twin, verify it if that is requested, and return the exit code."""
    network, trained, epoch = trained_run.load_trained(
        args.run_name, args.runs_dir, options.kind_of(args), args.weights
    )
    tensors = twin.state(trained.tensors, network)
    if args.initial:
        network.initialise(trained.settings.init, trained.settings.seed)
        tensors, epoch = network.tensors() | Position().tensors(), 0
    twin.write(args.out, network, trained.settings, tensors, metadata(trained.description))
    say(f"{trained_run.after(trained, epoch)} is in {args.out}, see {args.out / 'README.md'}")
    if args.verify:
        say(*twin.verify(args.out).splitlines())
    return 0


def run_onnx(args: argparse.Namespace) -> int:
    """Write the ONNX model and return the exit code."""
    if args.out.suffix != ".onnx":
        raise InputError(f"--out is {str(args.out)!r}: expected a name that ends in .onnx")
    network, trained, epoch = trained_run.load_trained(
        args.run_name, args.runs_dir, options.kind_of(args), args.weights
    )
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


def run_hub(args: argparse.Namespace) -> int:
    """Write the folder for a model hub and return the exit code."""
    network, trained, epoch = trained_run.load_trained(
        args.run_name, args.runs_dir, options.kind_of(args), args.weights
    )
    card.write(args.out, network, trained.description, trained.history()[:epoch], args.licence)
    say(f"{trained_run.after(trained, epoch)} is in {args.out}: {', '.join(card.NAMES)}")
    if not args.licence:
        trained_run.warn("the card states no licence: give --licence ID before you publish it")
    return 0


def run_weights(args: argparse.Namespace) -> int:
    """Write the file of weights and return the exit code."""
    if args.out.suffix not in (".safetensors", ".npz"):
        raise InputError(f"--out is {str(args.out)!r}: expected a name that ends in .safetensors or .npz")
    network, trained, _ = trained_run.load_trained(args.run_name, args.runs_dir, options.kind_of(args), args.weights)
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
