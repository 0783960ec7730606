"""`jitnet export`: a run's parameters for other programmes, each weight as (out, in)."""

import argparse
from pathlib import Path
from typing import Any

from jitnet.commands import options


def add_parser(subparsers: Any) -> None:
    """Add `export` to the command line."""
    parser = subparsers.add_parser(
        "export",
        help="write a run's weights for other programmes: dense (out, in), conv (out, in, 3, 3)",
        description="Writes dense weights as (out, in), so that Y = X W^T + B, conv weights as (out, in, 3, 3), conv "
        "biases as (out, H, W). A dense layer behind a conv reads its input pixel by pixel, all channels of each.",
    )
    parser.add_argument("kind", choices=("weights",), metavar="weights", help="what is exported")
    options.add_run(parser)
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="a .safetensors or .npz file")
    parser.add_argument("--best", action="store_true", help="the best epoch by validation instead of the last")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the file and return the exit code."""
    from jitnet import threads

    threads.configure()

    from jitnet import checkpoint, saving
    from jitnet.commands import loading
    from jitnet.errors import InputError

    if args.out.suffix not in (".safetensors", ".npz"):
        raise InputError(f"--out is {str(args.out)!r}: expected a name that ends in .safetensors or .npz")
    network, folder, _ = loading.load_trained(args.run_name, args.runs_dir, "best" if args.best else None)
    tensors = {name: out_first(array) for name, array in network.tensors().items()}
    if args.out.suffix == ".npz":
        saving.write_npz(args.out, tensors)
    else:
        checkpoint.save(args.out, tensors, {"architecture": folder.settings.architecture, "layout": "out, in"})
    for name, array in tensors.items():
        print(f"{name:16} {' x '.join(map(str, array.shape))}")
    print(f"the weights of {folder.path} are in {args.out}")
    return 0


def out_first(array: Any) -> Any:
    """Return a tensor with its outputs first: (in, out) -> (out, in), (3, 3, C, OC) -> (OC, C, 3, 3)."""
    axes = {2: (1, 0), 3: (2, 0, 1), 4: (3, 2, 0, 1)}.get(array.ndim, (0,))
    return array.transpose(axes).copy()
