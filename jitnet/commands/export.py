"""`jitnet export`: a run for other programs, as its weights alone or as a C++ program that infers and trains."""

import argparse
from pathlib import Path

import numpy as np

from jitnet.commands.support import options, trained_run
from jitnet.commands.support.options import Subparsers
from jitnet.errors import InputError
from jitnet.export import twin
from jitnet.printing import say
from jitnet.storage import model_file
from jitnet.storage.metadata import metadata
from jitnet.training.position import Position


def add_parser(subparsers: Subparsers) -> None:
    """Add `export` and what it writes to the command line."""
    parser = options.add_command(
        subparsers,
        "export",
        "jitnet export weights latest --out weights.npz  the parameters for numpy",
        "jitnet export cpp latest --out twin --verify  a C++ program, compiled and compared with Python",
    )
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="weights|cpp")
    weights = kinds.add_parser(
        "weights",
        help="its weights: dense (out, in), conv (out, in, 3, 3)",
        description="Writes dense weights as (out, in), so that Y = X W^T + B, conv weights as (out, in, 3, 3), conv "
        "biases as (out, H, W). A dense layer after a conv reads its input pixel by pixel, all channels of each.",
    )
    options.add_run(weights)
    options.add_best(weights)
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
    state.add_argument("--initial", action="store_true", help="use the weights from before the first step")
    cpp.add_argument("--verify", action="store_true", help="compile it here and compare it with Python")
    cpp.set_defaults(run=run_cpp)


def run_cpp(args: argparse.Namespace) -> int:
    """Write the C++ twin, verify it if that is requested, and return the exit code."""
    network, trained, epoch = trained_run.load_trained(args.run_name, args.runs_dir, options.kind_of(args))
    tensors = trained.tensors
    if args.initial:
        network.initialise(trained.settings.init, trained.settings.seed)
        tensors, epoch = network.tensors() | Position().tensors(), 0
    twin.write(args.out, network, trained.settings, tensors, metadata(trained.description))
    say(f"{trained.path} at epoch {epoch} is in {args.out}, see {args.out / 'README.md'}")
    if args.verify:
        say(*twin.verify(args.out).splitlines())
    return 0


def run_weights(args: argparse.Namespace) -> int:
    """Write the file of weights and return the exit code."""
    if args.out.suffix not in (".safetensors", ".npz"):
        raise InputError(f"--out is {str(args.out)!r}: expected a name that ends in .safetensors or .npz")
    network, trained, _ = trained_run.load_trained(args.run_name, args.runs_dir, options.kind_of(args))
    tensors = {name: out_first(array) for name, array in network.tensors().items()}
    model_file.save(args.out, tensors, metadata(trained.description, layout="jitnet"))
    for name, array in tensors.items():
        say(f"{name:16} {' x '.join(map(str, array.shape))}")
    say(f"the weights of {trained.path} are in {args.out}")
    return 0


def out_first(array: np.ndarray) -> np.ndarray:
    """Return a copy of a tensor with its outputs first: (in, out) -> (out, in), (3, 3, C, OC) -> (OC, C, 3, 3)."""
    axes = {2: (1, 0), 3: (2, 0, 1), 4: (3, 2, 0, 1)}.get(array.ndim, (0,))
    return array.transpose(axes).copy()
