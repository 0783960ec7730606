"""The options of `jitnet import`."""

import argparse
from pathlib import Path

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers
from jitnet.commands.support.settings import add_some
from jitnet.config import PRESETS
from jitnet.storage.layouts import AUTO, LAYOUTS


def add_parser(subparsers: Subparsers) -> None:
    """Add `import` to the command line."""
    parser = options.add_command(
        subparsers,
        "import",
        "jitnet import weights model.safetensors mlp --map dense1=fc1,dense2=fc2,dense3=fc3  a model of PyTorch",
        "jitnet import weights exported.npz  an exported file, which names its network",
        "jitnet import onnx model.onnx --data digits  the network and the parameters in an ONNX file",
        description="weights: reads .safetensors (from PyTorch: safetensors.torch.save_file(model.state_dict(), FILE)) "
        "or .npz, never a pickle. After a convolution, PyTorch's dense inputs are put from channel order into pixel "
        "order. onnx: reads the network too, if it consists of layers that jitnet has.",
    )
    parser.add_argument("kind", choices=("weights", "onnx"), metavar="weights|onnx", help="what is imported")
    parser.add_argument("file", type=Path, metavar="FILE", help="a .safetensors or .npz file, or an .onnx file")
    parser.add_argument(
        "network", nargs="?", choices=PRESETS, metavar="NETWORK",
        help=f"{', '.join(PRESETS)} (default: the one that the file describes)",
    )  # fmt: skip
    parser.add_argument(
        "--map", default="", metavar="OURS=THEIRS,...", help="names of layers, conv1=features.0, or conv1.bias=none"
    )
    parser.add_argument(
        "--layout", choices=(AUTO, *LAYOUTS), default=AUTO,
        help="order of the axes (default: auto, what the file states or its shapes allow)",
    )  # fmt: skip
    group = parser.add_argument_group("network", argument_default=argparse.SUPPRESS)
    group.add_argument("--arch", metavar="TEXT", help="hidden layers (default: the network's)")
    add_some(group, "bias")
    data = parser.add_argument_group("data")
    add_some(data, "data")
    options.add_threads(parser)
    options.add_offline(parser)
    options.add_name(parser)
    options.add_runs_dir(parser)
