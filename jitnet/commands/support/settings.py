"""The options of a run's settings, made from their descriptions in `jitnet.config`."""

import argparse
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jitnet.config import BY_RECIPE, DATA, NETWORK, OPTIMIZATION, PRESETS, SETTINGS, STOPPING, Settings
from jitnet.errors import InputError
from jitnet.model import architecture
from jitnet.model.architecture import ACTIVATIONS
from jitnet.recipes.named import changes_of
from jitnet.setting import Setting, show

_NAMES = ", ".join(PRESETS)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add all options of which `settings_of` makes a run's settings, and `--help`, to a parser that has none."""
    _add_help(parser)
    parser.add_argument("network", nargs="?", metavar="NETWORK", help=f"{_NAMES} (not needed with --config)")
    parser.add_argument("--config", metavar="FILE", type=Path, help="settings of another run, its config.toml")
    for title in (NETWORK, OPTIMIZATION, STOPPING, DATA):
        group = parser.add_argument_group(title, argument_default=argparse.SUPPRESS)
        if title == NETWORK:
            _add_layers(group)
        add_some(group, *(name for name, item in SETTINGS.items() if item.group == title))
    parser.epilog = f"{_presets()}\n\n{parser.epilog or ''}".rstrip()


def add_network(
    parser: argparse.ArgumentParser, *names: str, default: str | None = None, layers: bool = True, **helps: str
) -> None:
    """Add a network, some of its settings by name, and `--help`, to a parser that has none.

    `helps` replaces the help texts of settings; without `layers`, those of the network cannot be changed.
    """
    _add_help(parser)
    parser.add_argument(
        "network", nargs="?" if default else None, default=default, metavar="NETWORK",
        help=_NAMES + (f" (default: {default})" if default else ""),
    )  # fmt: skip
    group = parser.add_argument_group(NETWORK if layers else "settings", argument_default=argparse.SUPPRESS)
    if layers:
        _add_layers(group)
    add_some(group, *names, **helps)
    parser.set_defaults(config=None)


def add_some(group: Any, *names: str, **helps: str) -> None:
    """Add the options of some settings to a group; one that is not given stays out of the namespace."""
    for name in names:
        item = SETTINGS[name]
        _add(group, item, helps.get(name) or item.help_for(item.default), default=argparse.SUPPRESS)


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that are given by options; raises `InputError` for a value out of range."""
    given = {}
    for name, item in SETTINGS.items():
        value = getattr(args, name, None)
        if value is not None and item.group:
            said = f"{item.option} is {value}"
            given[name] = item.parse(value, said) if isinstance(value, str) else item.check(value, said)
    return given


def settings_of(args: argparse.Namespace, varied: Iterable[str] = ()) -> Settings:
    """Return the settings that the options describe; raises `InputError` for values out of range.

    Also for options that have no effect next to others. `varied` are the settings that get other values later.
    """
    given, network = given_settings(args), args.network
    if args.config is not None and network is not None:
        raise InputError(f"a network is given twice, {network!r} and in --config: omit one of them")
    if args.config is None and network is None:
        raise InputError(f"no network is given: expected one of {_NAMES}, or --config FILE")
    settings = Settings.from_toml(args.config) if args.config is not None else Settings.preset(network)
    if args.config is not None and "recipe" in given:
        given = dict.fromkeys(BY_RECIPE) | {"until": 0} | given
    if "hidden" in args:
        if settings.network != "mlp":
            raise InputError(f"--hidden is given with the network {settings.network!r}: expected mlp, or use --arch")
        given["architecture"] = _hidden(args.hidden)
    if "arch" in args:
        if not args.arch.strip():
            raise InputError("--arch is empty: expected layers as in 'conv16 pool dense100'")
        given["architecture"] = args.arch
    if "activation" in args:
        layers = architecture.parse(given.get("architecture", settings.architecture), args.activation)
        given["architecture"] = architecture.to_text(layers)
    if "epochs" in given:
        given["until"] = 0  # an extension of --config's run does not count
    settings = settings.replace(**given)
    _require_effect(given, settings, set(varied))
    return settings


def _require_effect(given: dict[str, Any], settings: Settings, varied: set[str]) -> None:
    """Raise `InputError` for a setting that is given and that others make meaningless."""
    for name in given:
        option = "--hidden or --arch" if name == "architecture" else SETTINGS[name].option
        if name in varied:
            raise InputError(f"{option} is given with other values to try of it: omit it")
    reasons = {
        "label": ("--target", "is the column that is learned") if settings.target else (),
        "target_accuracy": ("--target", "is a number, without an accuracy") if settings.target else (),
        "momentum": (f"--optimizer {settings.optimizer}", "has no such momentum")
        if settings.optimizer not in ("momentum", "nesterov") and "optimizer" not in varied
        else (),
    }
    for name, (other, why) in ((name, reason) for name, reason in reasons.items() if reason and given.get(name)):
        raise InputError(f"{SETTINGS[name].option} is given with {other}, which {why}: omit it")


def _add_help(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-h", "--help", action=_PresetHelp, help="show this help and exit; after NETWORK, its defaults")


def _add(group: Any, item: Setting, text: str, **more: Any) -> None:
    text = text.replace("%", "%%")
    if item.kind is bool:
        group.add_argument(item.option, action=argparse.BooleanOptionalAction, help=text, **more)
    elif item.choices:
        group.add_argument(item.option, choices=tuple(filter(None, item.choices)), help=text, **more)
    else:
        group.add_argument(item.option, metavar=item.metavar, help=text, **more)


def _add_layers(group: Any) -> None:
    layers = group.add_mutually_exclusive_group()
    layers.add_argument(
        "--hidden", metavar="N,N", default=argparse.SUPPRESS, help="units of the hidden layers of `mlp`, as in 512,512"
    )
    layers.add_argument("--arch", metavar="TEXT", default=argparse.SUPPRESS, help=_arch_help("cnn"))
    group.add_argument(
        "--activation", choices=ACTIVATIONS, default=argparse.SUPPRESS,
        help="activation of the layers without an explicit one (default: relu)",
    )  # fmt: skip


def _arch_help(network: str) -> str:
    return f'hidden layers, as in "conv16 pool dense100:tanh" (default: {PRESETS[network]["architecture"]})'


def _hidden(text: str) -> str:
    """Return the architecture that --hidden describes."""
    units = text.split(",")
    for place, unit in enumerate(units, start=1):
        if not re.fullmatch(r"[1-9][0-9]{0,5}", unit):
            raise InputError(
                f"number {place} of --hidden, {unit!r}, is not a number of units: "
                "expected 1 to 999999, separated by commas as in 512,512"
            )
    return " ".join(f"dense{unit}" for unit in units)


def _changes(network: str) -> Iterable[str]:
    """Return the options by which a preset differs from the defaults."""
    for name, value in PRESETS[network].items():
        option = SETTINGS[name].option
        if name != "architecture":
            yield option if value is True else f"{option} {show(value)}"


def _presets() -> str:
    lines = ["presets (the defaults above are those of cnn; `NETWORK --help` shows those of another one):"]
    for network, values in PRESETS.items():
        lines.append(f"  {network:13} {values['architecture']}")
        if changes := " ".join(_changes(network)):
            lines.append(f"  {'':13} {changes}")
    return "\n".join(lines)


class _PresetHelp(argparse._HelpAction):
    """`--help` after a network shows the defaults of that network."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *rest: Any) -> None:
        network = getattr(namespace, "network", None)
        if network in PRESETS:
            for action in parser._actions:
                if action.dest in SETTINGS and SETTINGS[action.dest].group:
                    item = SETTINGS[action.dest]
                    raw = changes_of(network).get(item.name, item.default)
                    action.help = item.help_for(raw).replace("%", "%%")
                elif action.dest == "arch":
                    action.help = _arch_help(network)
            parser.epilog = (parser.epilog or "").replace(_presets(), f"defaults: those of {network}")
        super().__call__(parser, namespace, *rest)
