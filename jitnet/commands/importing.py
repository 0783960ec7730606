"""`jitnet import`: a run that starts from the parameters of a PyTorch or Keras model of the same shape."""

import argparse
from pathlib import Path
from typing import Any

from jitnet.commands.support import options
from jitnet.config import CHOICES, PRESETS, Settings
from jitnet.errors import InputError
from jitnet.printing import say, warn

LAYOUTS = ("torch", "keras", "jitnet")


def add_parser(subparsers: Any) -> None:
    """Add `import` to the command line."""
    parser = subparsers.add_parser(
        "import",
        help="make a run of the weights of a PyTorch or Keras model, to eval, predict, trace or train on",
        description="Reads .safetensors (from PyTorch: safetensors.torch.save_file(model.state_dict(), FILE)) or .npz, "
        "never a pickle. Behind a convolution, PyTorch's dense inputs are put from channel order into pixel order.",
    )
    parser.add_argument("kind", choices=("weights",), metavar="weights", help="what is imported")
    parser.add_argument("file", type=Path, metavar="FILE", help="a .safetensors or .npz file")
    parser.add_argument("network", choices=PRESETS, metavar="NETWORK", help=" or ".join(PRESETS))
    parser.add_argument(
        "--map", default="", metavar="OURS=THEIRS,...", help="conv1=features.0,dense1=fc or conv1.bias=none"
    )
    parser.add_argument("--layout", choices=LAYOUTS, default="torch", help="the order of its axes (default: torch)")
    given = parser.add_argument_group("what it is", argument_default=argparse.SUPPRESS)
    given.add_argument("--arch", dest="architecture", metavar="TEXT", help="hidden layers (default: the network's)")
    given.add_argument("--bias", choices=CHOICES["bias"], help="a conv's bias per position (default) or per channel")
    given.add_argument("--data", metavar="SET", help="what it was trained on, as for `train`")
    parser.add_argument("--name", help="name of the run folder (default: time, network and four hex digits)")
    parser.add_argument("--offline", action="store_true", help="never open a connection")
    options.add_runs_dir(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the run and return the exit code."""
    from jitnet.machine import threads

    threads.configure()

    from jitnet.data.split import split
    from jitnet.run import RunFolder, describe, start
    from jitnet.storage import foreign_weights
    from jitnet.training.loop import Training

    given = {
        name: value for name in ("architecture", "bias", "data") if (value := getattr(args, name, None)) is not None
    }
    settings = Settings.preset(args.network, **given)
    names = _names(args.map)
    theirs = foreign_weights.read(args.file)
    network, data = start.prepare(settings, args.offline, warn)
    tensors, unused = foreign_weights.convert(network, theirs, names, args.layout, str(args.file))
    network.load_tensors(tensors, str(args.file))
    if unused:
        warn(f"not needed of {args.file}: {', '.join(unused)}")
    training = Training(network, settings, split(data, settings))
    meta = describe.meta(network, data, settings.seed) | {"status": "stopped", "imported": str(args.file)}
    with RunFolder.create(
        args.runs_dir,
        f"{args.network}-imported",
        name=args.name,
        settings=settings,
        meta=meta,
        tensors=training.tensors(),
    ) as folder:
        say(f"{folder.path} holds {network.params.size:,} parameters of {args.file}")
        say(f"measure them with: jitnet eval {folder.path}")
    return 0


def _names(text: str) -> dict[str, str]:
    """Return what --map says."""
    names = {}
    for word in filter(None, text.split(",")):
        ours, equals, theirs = word.partition("=")
        if not (ours and equals and theirs):
            raise InputError(f"--map has {word!r}: expected OURS=THEIRS, as in conv1=features.0,dense1=classifier.1")
        names[ours] = theirs
    return names
