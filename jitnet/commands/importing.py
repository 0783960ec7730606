"""`jitnet import`: a run that starts from the parameters of a PyTorch, Keras or jitnet model."""

import argparse
from pathlib import Path

from jitnet.commands.support import options, trained_run
from jitnet.commands.support.options import Subparsers
from jitnet.commands.support.settings import add_some, given_settings
from jitnet.config import PRESETS, Settings
from jitnet.errors import InputError
from jitnet.model import architecture
from jitnet.printing import say
from jitnet.run import start
from jitnet.storage import foreign_weights, metadata, model_file
from jitnet.storage.checkpoint import Metadata
from jitnet.storage.metadata import LAYOUTS


def add_parser(subparsers: Subparsers) -> None:
    """Add `import` to the command line."""
    parser = options.add_command(
        subparsers,
        "import",
        "jitnet import weights model.safetensors mlp --map dense1=fc1,dense2=fc2,dense3=fc3  a model of PyTorch",
        "jitnet import weights exported.npz  an exported file, which names its network",
        description="Reads .safetensors (from PyTorch: safetensors.torch.save_file(model.state_dict(), FILE)) or .npz, "
        "never a pickle. After a convolution, PyTorch's dense inputs are put from channel order into pixel order.",
    )
    parser.add_argument("kind", choices=("weights",), metavar="weights", help="what is imported")
    parser.add_argument("file", type=Path, metavar="FILE", help="a .safetensors or .npz file")
    parser.add_argument(
        "network", nargs="?", choices=PRESETS, metavar="NETWORK",
        help=f"{', '.join(PRESETS)} (default: the one that the file describes)",
    )  # fmt: skip
    parser.add_argument(
        "--map", default="", metavar="OURS=THEIRS,...", help="names of layers, conv1=features.0, or conv1.bias=none"
    )
    parser.add_argument(
        "--layout", choices=(foreign_weights.AUTO, *LAYOUTS), default=foreign_weights.AUTO,
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
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the run and return the exit code."""
    names = _names(args.map)
    theirs, found = model_file.load_foreign(args.file)
    settings = _settings(args, found)
    data = trained_run.load_data(settings, args.offline)
    network = start.network_for(settings, data)
    tensors, unused = foreign_weights.import_tensors(network, theirs, found, names, args.layout, str(args.file))
    network.load_tensors(tensors, str(args.file))
    if unused:
        trained_run.warn(f"not needed of {args.file}: {', '.join(unused)}")
    with start.start(
        settings, data, args.runs_dir, args.name, network=network, title=f"{settings.network}-imported",
        status="stopped", imported=str(args.file),
    ) as made:  # fmt: skip
        path = made.folder.path
    say(f"{path} holds {network.params.size:,} parameters of {args.file}")
    say(f"measure them with: jitnet eval {path}")
    return 0


def _settings(args: argparse.Namespace, found: Metadata) -> Settings:
    """Return the settings of the run; raises `InputError` if the file holds another network than the one given."""
    given = given_settings(args)
    if "arch" in args:
        given["architecture"] = args.arch
    if args.network is None:
        if "image" not in found:
            raise InputError(
                f"no network is given, and {args.file} does not describe one: expected one of {', '.join(PRESETS)}"
            )
        return metadata.describe(found, str(args.file)).settings.replace(**given)
    settings = Settings.preset(args.network, **given)
    held = found.get("architecture", settings.architecture)
    if architecture.parse(held) != architecture.parse(settings.architecture):
        raise InputError(
            f"{args.file} holds the network {held!r}: expected {settings.architecture!r}, give --arch {held!r}"
        )
    return settings


def _names(text: str) -> dict[str, str]:
    """Return what --map says."""
    names = {}
    for word in filter(None, text.split(",")):
        ours, equals, theirs = word.partition("=")
        if not (ours and equals and theirs):
            raise InputError(f"--map has {word!r}: expected OURS=THEIRS, as in conv1=features.0,dense1=classifier.1")
        names[ours] = theirs
    return names
