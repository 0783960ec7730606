"""A plan of trials: settings that differ in a few values, each with a name made of these values."""

import hashlib
import itertools
import json
import math
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from jitnet.config import CHOICES, SETTINGS, Settings
from jitnet.errors import InputError, did_you_mean
from jitnet.training.schedule import learning_rate

Values = dict[str, tuple[Any, ...]]  # of each setting that varies
Bounds = dict[str, tuple[float, float]]

_FIXED = {"network": "give one network", "seed": "use --seeds N", "until": "vary epochs"} | dict.fromkeys(
    ("data", "target", "label", "skip_damaged"), "trials on other data are another sweep"
)
_SHORT = 48  # characters of a trial's name before it is cut


@dataclass(frozen=True)
class Trial:
    """A run to be trained."""

    name: str  # of its run folder
    settings: Settings
    varied: dict[str, Any]

    @property
    def group(self) -> str:
        """The settings that are the same for all seeds of a configuration, as text."""
        return " ".join(f"{name}={_text(value)}" for name, value in self.varied.items() if name != "seed")


@dataclass(frozen=True)
class Plan:
    """Trials, and the epochs after which only the better ones continue (`rungs`, the last one the end)."""

    kind: str  # "repeat", "sweep"
    trials: tuple[Trial, ...]
    identity: str  # of the whole but for the number of seeds: hexadecimal digits
    keep: int = 1  # after each rung one in `keep` configurations continues
    rungs: tuple[int, ...] = ()  # epochs; empty: every trial goes to its end at once

    @property
    def title(self) -> str:
        """The default title."""
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

    `bounds` are intervals to draw from, by logarithm if they span a factor of ten. `halving` keeps one in that many
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
    _check_planned(trial.settings for trial in trials)
    rungs = _rungs(base.until, halving) if halving else ()
    if rungs:
        _check_first_rung([trial.settings for trial in trials], rungs[0])
    parts = {"base": base.identity(), "grid": grid, "bounds": bounds, "draws": [draws, draw_seed], "halving": halving}
    return Plan(kind, tuple(trials), _digest(parts), max(1, halving), rungs)


def plan_of(configs: Iterable[Settings | Mapping[str, Any]], kind: str = "sweep") -> Plan:
    """Return a plan of given settings, or of mappings to make settings of. Raises `InputError`."""
    made = []
    for config in configs:
        values = dict(config) if isinstance(config, Mapping) else None
        if values is not None and (unknown := set(values) - set(SETTINGS)):
            raise InputError(
                f"a configuration has the unknown setting {min(unknown)!r}: expected one of {', '.join(SETTINGS)}"
                f"{did_you_mean(min(unknown), SETTINGS)}"
            )
        made.append(config if isinstance(config, Settings) else Settings.preset(**{"network": "cnn"} | (values or {})))
    if not made:
        raise InputError("there are no configurations: expected at least one")
    _check_planned(made)
    records = [asdict(settings) for settings in made]
    if len(set(map(_digest, records))) < len(records):
        raise InputError("a configuration is given twice: expected settings that differ, in their seed at least")
    for name in ("data", "target", "label", "skip_damaged"):
        if len({record[name] for record in records}) > 1:
            raise InputError(f"the configurations differ in {name}: {_FIXED[name]}")
    differ = [name for name in SETTINGS if name != "seed" and len({str(record[name]) for record in records}) > 1]
    varied = [{name: record[name] for name in (*differ, "seed")} for record in records]
    trials = (Trial(name_of(each), settings, each) for each, settings in zip(varied, made))
    return Plan(kind, tuple(trials), _digest([settings.identity() for settings in made]))


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
    if not sign or len(parts) != 2 or SETTINGS[field].kind not in (int, float):
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
    combinations = math.prod(map(len, grid.values()))
    if draws > combinations and not bounds:
        raise InputError(f"--random is {draws}, and --grid has {combinations:,} in all: omit --random, or add --range")
    for name, values in grid.items():
        if len(set(values)) < len(values):
            raise InputError(f"--grid gives a value of {name} twice: expected different ones")
        if name in bounds:
            raise InputError(f"{name} is given by --grid and by --range: leave one of them out")
    if halving and not base.val:
        raise InputError("--halving chooses by validation images: expected --val N too, never the test images")
    if halving and "epochs" in (*grid, *bounds):
        raise InputError("--halving counts the same epochs for all: expected epochs not to vary")


def _check_planned(every: Iterable[Settings]) -> None:
    """Refuse trials that would choose their epochs by the number of images: they are counted before."""
    wrong = next((settings for settings in every if not settings.epochs), None)
    if wrong is not None:
        raise InputError(
            f"the epochs of trials are not given, and the recipe {wrong.recipe!r} chooses them by the images of a run: "
            "expected --epochs N"
        )


def _check_first_rung(every: list[Settings], epochs: int) -> None:
    """Refuse a schedule that is still warming up at the first rung, where a rate that later diverges is ahead."""
    wrong = next((settings for settings in every if not _reaches_peak(settings, epochs)), None)
    if wrong is not None:
        fit = [name for name in CHOICES["schedule"] if _reaches_peak(wrong.replace(schedule=name), epochs)]
        raise InputError(
            f"--halving ranks after {epochs} of {wrong.until} epochs, before the schedule {wrong.schedule!r} has "
            f"reached its learning rate of {wrong.lr:g}: expected --schedule {', '.join(fit[:-1])} or {fit[-1]}"
        )


def _reaches_peak(settings: Settings, epochs: int) -> bool:
    return any(learning_rate(settings, epoch) > 0.99 * settings.lr for epoch in range(epochs))


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
    """Return a number between two bounds: of four digits, or a bound itself, so that its name and its value agree."""
    wide = low > 0 and high / low >= 10
    value = low * (high / low) ** share if wide else low + (high - low) * share
    return round(value) if SETTINGS[name].kind is int else min(max(float(f"{value:.4g}"), low), high)


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
    if field not in SETTINGS:
        known = ["hidden", "arch", *(name.replace("_", "-") for name in SETTINGS if name not in _FIXED)]
        raise InputError(
            f"{option} names {name!r}, which is not a setting: expected one of {', '.join(known)}"
            f"{did_you_mean(name, known)}"
        )
    return field


def _value(name: str, text: str, option: str) -> Any:
    if name == "hidden":
        if not re.fullmatch(r"[1-9][0-9]{0,5}(x[1-9][0-9]{0,5})*", text):
            raise InputError(f"{option} hidden has the value {text!r}: expected units joined by x, as in 512x512")
        return " ".join(f"dense{units}" for units in text.split("x"))
    return SETTINGS[_name(name, option)].parse(text, f"{option} {name} has the value {text!r}")


def _settings(base: Settings, varied: dict[str, Any]) -> Settings:
    more = {"until": 0} if "epochs" in varied else {}
    return base.replace(**varied | more)
