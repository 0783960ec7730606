"""`jitnet import`: a run that starts from the parameters of a PyTorch, Keras, ONNX or jitnet model."""

import argparse

from jitnet.commands.support import trained_run
from jitnet.commands.support.settings import given_settings
from jitnet.config import PRESETS, Settings
from jitnet.errors import InputError
from jitnet.export.onnx import read
from jitnet.export.onnx.preparation import assumed
from jitnet.model import architecture
from jitnet.printing import say
from jitnet.run import start
from jitnet.storage import foreign_weights, metadata, model_file
from jitnet.storage.checkpoint import Metadata, Tensors


def run(args: argparse.Namespace) -> int:
    """Make the run and return the exit code."""
    settings, theirs, found, model = _read(args)
    data = trained_run.load_data(settings, args.offline)
    network = start.network_for(settings, data)
    if model is not None:
        if model.chain.outputs != data.classes:
            raise InputError(
                f"{args.file} has {model.chain.outputs} outputs: expected {data.classes}, one per class of {data.name}"
            )
        note = assumed(model.before, model.after, data.facts, bool(settings.target), str(args.file))
        if note:
            trained_run.warn(note)
    layout = args.layout if model is None else model.chain.layout
    names = _names(args.map)
    tensors, unused = foreign_weights.import_tensors(network, theirs, found, names, layout, str(args.file))
    network.load_tensors(tensors, str(args.file))
    if unused:
        trained_run.warn(f"not needed of {args.file}: {', '.join(unused)}")
    with start.start(
        settings, data, args.runs_dir, args.name, network=network, title=f"{settings.network}-imported",
        status="stopped", imported=str(args.file), stop_reason=f"imported from {args.file}",
    ) as made:  # fmt: skip
        path = made.folder.path
    say(f"{path} holds {network.params.size:,} parameters of {args.file}")
    say(f"measure them with: jitnet eval {path}")
    return 0


def _read(args: argparse.Namespace) -> tuple[Settings, Tensors, Metadata, read.Imported | None]:
    """Return the run's settings, the file's tensors and texts, and the model if it is an ONNX file."""
    if args.kind == "weights":
        theirs, found = model_file.load_foreign(args.file)
        return _settings(args, found), theirs, found, None
    given = given_settings(args)
    for option, is_given in (
        ("NETWORK", args.network is not None), ("--arch", "arch" in args), ("--map", bool(args.map)),
        ("--layout", args.layout != foreign_weights.AUTO), ("--bias", "bias" in given),
    ):  # fmt: skip
        if is_given:
            raise InputError(f"{option} is given with an ONNX file, which states its network: omit it")
    model = read.load(args.file)
    chain = model.chain
    if "jitnet" in model.properties:
        settings = metadata.describe(model.properties, str(args.file)).settings
    else:
        settings = Settings(network=chain.network)
    changes = {"architecture": chain.hidden, "bias": chain.bias} | given
    return settings.replace(**changes), chain.tensors, {}, model


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
