"""The options of `jitnet export`."""

from pathlib import Path
from typing import Any

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers


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
    _add_network(weights)
    weights.add_argument("--out", required=True, type=Path, metavar="FILE", help="a .safetensors or .npz file")
    cpp = kinds.add_parser(
        "cpp",
        help="its network in C++17: a header that infers and trains, with a command line",
        description="Writes a folder with the network in C++17, the standard library alone: jitnet.hpp infers and "
        "trains, main.cpp is a command line, selftest.cpp compares with Python. Weights can be read by both.",
    )
    options.add_run(cpp)
    _add_folder(cpp)
    state = cpp.add_mutually_exclusive_group()
    options.add_best(state)
    options.add_weights(cpp)
    state.add_argument("--initial", action="store_true", help="use the weights from before the first step")
    cpp.add_argument("--verify", action="store_true", help="compile it here and compare it with Python")
    onnx = kinds.add_parser(
        "onnx",
        help="its network in the ONNX format, for onnxruntime and other programs",
        description="Writes an ONNX model. Its input is a batch of images as the data have them, uint8 (batch, H, W, "
        "C), divided by 255 in the model; its outputs are logits and probabilities. That of a regression is a batch of "
        "rows as the table has them; its output is in the unit of the target.",
    )
    _add_network(onnx)
    onnx.add_argument("--out", required=True, type=Path, metavar="FILE", help="an .onnx file")
    hub = kinds.add_parser(
        "hub",
        help="a folder for a model hub: safetensors, config, model card, loader",
        description="Writes a folder with model.safetensors, config.json, README.md (a model card with figures, data "
        "and licence) and predict.py, which needs NumPy and safetensors alone. Nothing is uploaded.",
    )
    _add_network(hub)
    _add_folder(hub)
    hub.add_argument("--licence", default="", metavar="ID", help="licence of the weights, such as mit or cc-by-4.0")


def _add_network(parser: Any) -> None:
    """Add the run, and which of its checkpoints and weights."""
    options.add_run(parser)
    options.add_best(parser)
    options.add_weights(parser)


def _add_folder(parser: Any) -> None:
    """Add the folder to write."""
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder to write, new or of an older export"
    )
