"""What is to be trained: settings that differ in a few values, each a trial with a name made of these values."""

import hashlib
import itertools
import json
import math
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from jitnet.config import Settings
from jitnet.errors import InputError

Values = dict[str, tuple[Any, ...]]  # of each setting that varies
Bounds = dict[str, tuple[float, float]]

_KINDS: dict[str, Any] = {item.name: type(item.default) for item in fields(Settings)}
_FIXED = {"network": "give one network", "seed": "use --seeds N", "until": "vary epochs"} | dict.fromkeys(
    ("data", "target", "label", "skip_damaged"), "trials on other data are another sweep"
)
_SHORT = 48  # characters of a trial's name before it is cut


@dataclass(frozen=True)
class Trial:
    """One run to be."""

    name: str  # of its run folder
    settings: Settings
    varied: dict[str, Any]

    @property
    def group(self) -> str:
        """What the trials have in common that differ in their seed alone."""
        return " ".join(f"{name}={_text(value)}" for name, value in self.varied.items() if name != "seed")


@dataclass(frozen=True)
class Plan:
    """Trials, and the epochs after which only the better ones go on (`rungs`, the last one the end)."""

    kind: str  # "repeat", "sweep"
    trials: tuple[Trial, ...]
    identity: str  # of the whole but for the number of seeds: hexadecimal digits
    keep: int = 1  # behind each rung one configuration in so many goes on
    rungs: tuple[int, ...] = ()  # epochs; empty: every trial goes to its end at once

    @property
    def title(self) -> str:
        """What it is called by default."""
        return f"{self.kind} {self.trials[0].settings.network}"

    @property
    def groups(self) -> dict[str, list[Trial]]:
        """The trials by configuration, the seeds of each together."""
        found: dict[str, list[Trial]] = {}
        for trial in self.trials:
            found.setdefault(trial.group, []).append(trial)
        return found

    @property
    def epochs(self) -> float:
        """Epochs to train in all."""
        if not self.rungs:
            return float(sum(trial.settings.until for trial in self.trials))
        total, groups, before = 0, len(self.groups), 0
        seeds = len(self.trials) // groups
        for rung in self.rungs:
            total += groups * seeds * (rung - before)
            groups, before = math.ceil(groups / self.keep), rung
        return float(total)


def plan(
    base: Settings, kind: str, grid: Values | None = None, bounds: Bounds | None = None, *,
    seeds: int = 1, draws: int = 0, draw_seed: int = 0, halving: int = 0,
) -> Plan:  # fmt: skip
    """Return the trials of every combination of `grid`, or of `draws` random ones, each with `seeds` seeds.

    `bounds` are intervals to draw from, by logarithm if they span a factor of ten. `halving` keeps one in so many
    configurations. Raises `InputError` for values that no settings may have.
    """
    grid, bounds = grid or {}, bounds or {}
    _check(base, grid, bounds, seeds, draws, halving)
    names = (*grid, *bounds)
    chosen = _drawn(grid, bounds, draws, draw_seed) if draws else list(itertools.product(*grid.values()))
    trials = []
    for values in chosen:
        for seed in range(base.seed, base.seed + seeds):
            varied = dict(zip(names, values)) | {"seed": seed}
            trials.append(Trial(name_of(varied), _settings(base, varied), varied))
    rungs = _rungs(base.until, halving) if halving else ()
    parts = {"base": _identifying(base), "grid": grid, "bounds": bounds, "draws": [draws, draw_seed], "halving": halving}
    return Plan(kind, tuple(trials), _digest(parts), max(1, halving), rungs)


def plan_of(configs: Iterable[Settings | Mapping[str, Any]], kind: str = "sweep") -> Plan:
    """Return a plan of given settings, or of mappings to make settings of. Raises `InputError`."""
    made = []
    for config in configs:
        values = dict(config) if isinstance(config, Mapping) else None
        if values is not None and (unknown := set(values) - set(_KINDS)):
            raise InputError(
                f"a configuration has the unknown setting {min(unknown)!r}: expected one of {', '.join(_KINDS)}"
            )
        made.append(config if isinstance(config, Settings) else Settings.preset(**{"network": "cnn"} | (values or {})))
    if not made:
        raise InputError("there are no configurations: expected at least one")
    records = [_identifying(settings) for settings in made]
    if len(set(map(_digest, records))) < len(records):
        raise InputError("a configuration is given twice: expected settings that differ, in their seed at least")
    for name in ("data", "target", "label", "skip_damaged"):
        if len({getattr(settings, name) for settings in made}) > 1:
            raise InputError(f"the configurations differ in {name}: {_FIXED[name]}")
    differ = [name for name in _KINDS if name != "seed" and len({str(getattr(each, name)) for each in made}) > 1]
    varied = [{name: getattr(each, name) for name in (*differ, "seed")} for each in made]
    trials = (Trial(name_of(each), settings, each) for each, settings in zip(varied, made))
    return Plan(kind, tuple(trials), _digest(records))


def _identifying(settings: Settings) -> dict[str, Any]:
    """Return what tells settings apart; what came later is there only if it is given, so that old sweeps are found."""
    return {
        name: value for name, value in asdict(settings).items() if value or name not in ("label", "skip_damaged")
    }


def parse_values(text: str) -> tuple[str, tuple[Any, ...]]:
    """Return name and values of `--grid`, as in "lr=0.01,0.03" or "hidden=512x512,300". Raises `InputError`."""
    name, sign, values = text.partition("=")
    if not sign or not values:
        raise InputError(f"--grid is {text!r}: expected a setting and its values, as in lr=0.01,0.03")
    return _name(name, "--grid"), tuple(_value(name, value, "--grid") for value in values.split(","))


def parse_bounds(text: str) -> tuple[str, tuple[float, float]]:
    """Return name and bounds of `--range`, as in "lr=1e-4:1e-1". Raises `InputError`."""
    name, sign, bounds = text.partition("=")
    parts = bounds.split(":")
    field = _name(name, "--range")
    if not sign or len(parts) != 2 or _KINDS[field] not in (int, float):
        raise InputError(f"--range is {text!r}: expected a setting that is a number and two bounds, as in lr=1e-4:1e-1")
    low, high = (float(_value(name, part, "--range")) for part in parts)
    if not low < high:
        raise InputError(f"--range is {text!r}: expected the lower bound first, and another one above it")
    return field, (low, high)


def name_of(varied: dict[str, Any]) -> str:
    """Return the name of a trial's run folder.

    >>> name_of({"lr": 0.03, "batch_size": 16, "seed": 2})
    'lr-0.03_batch-size-16_seed-2'
    """
    text = "_".join(f"{name.replace('_', '-')}-{_text(value)}" for name, value in varied.items())
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    if plain == text and len(plain) <= 64:
        return plain
    seed = f"_seed-{varied['seed']}"
    return f"{plain.removesuffix(seed)[: _SHORT - len(seed)]}-{_digest(varied)}{seed}"


def _text(value: Any) -> str:
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}".replace("e+", "e")
    return str(value)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def _check(base: Settings, grid: Values, bounds: Bounds, seeds: int, draws: int, halving: int) -> None:
    for name, number, least in (("--seeds", seeds, 1), ("--random", draws, 0), ("--halving", halving, 0)):
        if number < least or (name == "--halving" and number == 1):
            raise InputError(
                f"{name} is {number}: expected a whole number from {max(least, 2 * (name == '--halving'))}"
            )
    if bounds and not draws:
        raise InputError(f"--range {next(iter(bounds))} is given without --random N, how many values to draw")
    if draws and not (grid or bounds):
        raise InputError("--random is given without anything to draw from: expected --range lr=1e-4:1e-1, or --grid")
    for name, values in grid.items():
        if len(set(values)) < len(values):
            raise InputError(f"--grid gives a value of {name} twice: expected different ones")
        if name in bounds:
            raise InputError(f"{name} is given by --grid and by --range: leave one of them out")
    if halving and not base.val:
        raise InputError("--halving chooses by validation images: expected --val N too, never the test images")
    if halving and "epochs" in (*grid, *bounds):
        raise InputError("--halving counts the same epochs for all: expected epochs not to vary")


def _drawn(grid: Values, bounds: Bounds, draws: int, seed: int) -> list[tuple[Any, ...]]:
    """Return distinct random combinations; as many as there are, if that is fewer."""
    generator = random.Random(seed)
    if not bounds:
        every = list(itertools.product(*grid.values()))
        return every if draws >= len(every) else [every[i] for i in sorted(generator.sample(range(len(every)), draws))]
    found: dict[tuple[Any, ...], None] = {}
    for _ in range(100 * draws):
        if len(found) == draws:
            break
        values = [generator.choice(choices) for choices in grid.values()]
        values += [_between(generator.random(), name, *ends) for name, ends in bounds.items()]
        found[tuple(values)] = None
    return list(found)


def _between(share: float, name: str, low: float, high: float) -> int | float:
    """Return a number between two bounds, of four digits, so that its name and its value are the same."""
    wide = low > 0 and high / low >= 10
    value = low * (high / low) ** share if wide else low + (high - low) * share
    return round(value) if _KINDS[name] is int else float(f"{value:.4g}")


def _rungs(epochs: int, factor: int) -> tuple[int, ...]:
    """Return the epochs at which a halving looks, the last one the end.

    >>> _rungs(9, 3), _rungs(10, 2)
    ((1, 3, 9), (1, 2, 5, 10))
    """
    found = [epochs]
    while found[0] >= factor:
        found.insert(0, found[0] // factor)
    return tuple(found)


def _name(name: str, option: str) -> str:
    field = {"hidden": "architecture", "arch": "architecture"}.get(name, name.replace("-", "_"))
    if field in _FIXED:
        raise InputError(f"{option} names {name!r}, which cannot vary: {_FIXED[field]}")
    if field not in _KINDS:
        known = ", ".join(name.replace("_", "-") for name in _KINDS if name not in _FIXED)
        raise InputError(f"{option} names {name!r}, which is no setting: expected one of hidden, arch, {known}")
    return field


def _value(name: str, text: str, option: str) -> Any:
    if name == "hidden":
        if not re.fullmatch(r"[1-9][0-9]{0,5}(x[1-9][0-9]{0,5})*", text):
            raise InputError(f"{option} hidden has the value {text!r}: expected units joined by x, as in 512x512")
        return " ".join(f"dense{units}" for units in text.split("x"))
    kind = _KINDS[_name(name, option)]
    if kind is bool:
        if text not in ("true", "false", "yes", "no"):
            raise InputError(f"{option} {name} has the value {text!r}: expected true or false")
        return text in ("true", "yes")
    try:
        return kind(text)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise InputError(f"{option} {name} has the value {text!r}: expected {what}") from None


def _settings(base: Settings, varied: dict[str, Any]) -> Settings:
    more = {"until": 0} if "epochs" in varied else {}
    return base.replace(**varied | more)
