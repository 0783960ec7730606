"""`jitnet export`: a run for other programmes, as its weights alone or as a C++ programme that infers and trains."""

import argparse
import json
from pathlib import Path
from typing import Any

from jitnet.commands.support import options


def add_parser(subparsers: Any) -> None:
    """Add `export` and what it writes to the command line."""
    parser = subparsers.add_parser("export", help="write a run for other programmes: its weights, or a C++ twin")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="weights|cpp")
    weights = kinds.add_parser(
        "weights",
        help="its weights: dense (out, in), conv (out, in, 3, 3)",
        description="Writes dense weights as (out, in), so that Y = X W^T + B, conv weights as (out, in, 3, 3), conv "
        "biases as (out, H, W). A dense layer behind a conv reads its input pixel by pixel, all channels of each.",
    )
    options.add_run(weights)
    weights.add_argument("--out", required=True, type=Path, metavar="FILE", help="a .safetensors or .npz file")
    weights.add_argument("--best", action="store_true", help="the best epoch by validation instead of the last")
    weights.set_defaults(run=run_weights)
    cpp = kinds.add_parser(
        "cpp",
        help="its network in C++17: a header that infers and trains, with a command line",
        description="Writes a folder with the network in C++17, the standard library alone: jitnet.hpp infers and "
        "trains, main.cpp is a command line, selftest.cpp compares with Python. Weights go both ways.",
    )
    options.add_run(cpp)
    cpp.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder to write, new or of an older export"
    )
    state = cpp.add_mutually_exclusive_group()
    state.add_argument("--best", action="store_true", help="the best epoch by validation instead of the last")
    state.add_argument("--initial", action="store_true", help="the weights from before the first step")
    cpp.add_argument("--verify", action="store_true", help="compile it here and compare it with Python")
    cpp.set_defaults(run=run_cpp)


def run_cpp(args: argparse.Namespace) -> int:
    """Write the C++ twin, verify it if that is asked for, and return the exit code."""
    from jitnet.machine import threads

    threads.configure()

    from jitnet import __version__
    from jitnet.commands.support import trained_run
    from jitnet.export import twin
    from jitnet.training.loop import Position

    network, folder, tensors, position = trained_run.load_state(
        args.run_name, args.runs_dir, "best" if args.best else None
    )
    if args.initial:
        network.initialise(folder.settings.init, folder.settings.seed)
        position = Position()
        tensors = network.tensors() | position.tensors()
    metadata = {
        "jitnet": __version__,
        "title": str(folder.meta.get("title", folder.settings.network)),
        "architecture": folder.settings.architecture,
        "data_sha256": str(folder.meta.get("data_sha256", "")),
        "record": json.dumps(folder.meta.get("record", {})),
    }
    twin.write(args.out, network, folder.settings, tensors, metadata)
    print(f"{folder.path} at epoch {position.epoch} is in {args.out}, see {args.out / 'README.md'}")
    if args.verify:
        print(twin.verify(args.out))
    return 0


def run_weights(args: argparse.Namespace) -> int:
    """Write the file of weights and return the exit code."""
    from jitnet.machine import threads

    threads.configure()

    from jitnet.commands.support import trained_run
    from jitnet.errors import InputError
    from jitnet.storage import checkpoint, model_file

    if args.out.suffix not in (".safetensors", ".npz"):
        raise InputError(f"--out is {str(args.out)!r}: expected a name that ends in .safetensors or .npz")
    network, folder, _ = trained_run.load_trained(args.run_name, args.runs_dir, "best" if args.best else None)
    tensors = {name: out_first(array) for name, array in network.tensors().items()}
    if args.out.suffix == ".npz":
        model_file.write_npz(args.out, tensors)
    else:
        facts = {"architecture": folder.settings.architecture, "layout": "out, in"}
        checkpoint.save(args.out, tensors, facts | {"record": json.dumps(folder.meta.get("record", {}))})
    for name, array in tensors.items():
        print(f"{name:16} {' x '.join(map(str, array.shape))}")
    print(f"the weights of {folder.path} are in {args.out}")
    return 0


def out_first(array: Any) -> Any:
    """Return a tensor with its outputs first: (in, out) -> (out, in), (3, 3, C, OC) -> (OC, C, 3, 3)."""
    axes = {2: (1, 0), 3: (2, 0, 1), 4: (3, 2, 0, 1)}.get(array.ndim, (0,))
    return array.transpose(axes).copy()
