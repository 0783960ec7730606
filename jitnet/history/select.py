"""Sorting and filtering of runs: `--sort accuracy`, `--filter "batch_size>=16"`."""

import fnmatch
import operator
import re
from collections.abc import Callable
from typing import Any

from jitnet.config import SETTINGS
from jitnet.errors import InputError, did_you_mean
from jitnet.history.read import SHOWN, Run, summary

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
NAMES = tuple(dict.fromkeys((*SETTINGS, *SHOWN)))  # of all that a run can be chosen by
SMALL_FIRST = {
    "name",
    "status",
    "network",
    "architecture",
    "data",
    "rmse",
    "loss",
    "seconds",
}  # else large first


def fields(run: Run) -> dict[str, Any]:
    """Return all that a run can be chosen by: its settings, and what a list shows of it."""
    return dict.fromkeys(NAMES) | run.settings | summary(run)


def keep(runs: list[Run], filters: list[str]) -> list[Run]:
    """Return the runs that pass all filters, each a name, a comparison and a value; raises `InputError`.

    Texts are equal to a pattern, as in `name=*-cnn-*`. A run that has no such value passes `!=` alone.
    """
    for text in filters:
        match = re.fullmatch(r"\s*(\w+)\s*(>=|<=|!=|=|>|<)\s*(.*?)\s*", text)
        if match is None:
            raise InputError(f"--filter is {text!r}: expected a comparison such as network=cnn or accuracy>=98")
        name, sign, wanted = match.groups()
        runs = [run for run in runs if _passes(known(run, name, "--filter"), sign, wanted, text)]
    return runs


def order(runs: list[Run], name: str, reverse: bool) -> list[Run]:
    """Return the runs by a field: the best, newest or largest first; those without a value last."""
    values = {id(run): known(run, name, "--sort") for run in runs}
    have = [run for run in runs if values[id(run)] is not None]
    have.sort(key=lambda run: values[id(run)], reverse=(name not in SMALL_FIRST) != reverse)
    return have + [run for run in runs if values[id(run)] is None]


def known(run: Run, name: str, option: str) -> Any:
    """Return a field's value; raises `InputError` with the names there are."""
    values = fields(run)
    if name not in values:
        known_names = f"{', '.join(values)}{did_you_mean(name, values)}"
        raise InputError(f"{option} names {name!r}, which no run has: expected one of {known_names}")
    return values[name]


def _passes(value: Any, sign: str, wanted: str, text: str) -> bool:
    if value is None:
        return sign == "!="
    if isinstance(value, bool):
        return _COMPARE[sign](str(value).lower(), wanted.lower())
    if isinstance(value, str):
        if sign in ("=", "!="):
            return fnmatch.fnmatchcase(value, wanted) == (sign == "=")
        return _COMPARE[sign](value, wanted)
    try:
        return _COMPARE[sign](float(value), float(wanted))
    except ValueError:
        raise InputError(f"--filter {text!r} compares a number: expected one instead of {wanted!r}") from None
