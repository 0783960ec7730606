"""The description of one setting: its type, range, choices, and the text that explains it.

Options of the command line, checks of TOML files, parameters of the estimators, their documentation and the settings
of the C++ program are made from it. A leaf: it imports nothing of jitnet but the error and what prints it.
"""

import dataclasses
import numbers
import operator
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jitnet.errors import InputError, did_you_mean
from jitnet.printing import brief

LARGEST = 2**63 - 1  # of a whole number
_LARGEST_FILE = 1 << 24  # bytes of settings, or of a record of a run, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One field of `jitnet.config.Settings`.

    Raises nothing itself; `check` and `parse` raise `InputError` for a value that the setting cannot have.
    """

    name: str
    kind: type  # bool, int, float or str
    default: Any
    help: str  # a clause without its default
    group: str = ""  # title in --help; "" = it has no option
    metavar: str = "N"
    choices: tuple[str, ...] = ()
    least: float | None = None
    above: float | None = None  # the value must be larger
    below: float | None = None  # the value must be smaller
    most: float | None = None
    modern: Any = None  # default of the recipe modern, if the recipe sets it; `default` is that of documents
    modern_text: str = ""  # in place of `modern`
    default_text: str = ""  # in place of the default, where another setting decides
    parameter: bool = True  # of CNN and MLP
    cpp: str = ""  # member of the C++ settings; "" = C++ has no such setting
    added: bool = False  # after version 0.1.0: a sweep's identity counts it only when it is not the default

    @property
    def option(self) -> str:
        """Return the option of the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def expected(self) -> str:
        """Return what a value has to be, for a message."""
        if self.choices:
            return f"one of {', '.join(filter(None, self.choices))}"
        if self.kind is bool:
            return "true or false"
        if self.kind is int:
            return f"a whole number from {self.least or 0} to 2**63 - 1"
        if self.kind is str:
            return "valid UTF-8 text"
        if self.above is not None:
            return f"a finite number above {self.above:g}"
        if self.below is not None:
            return f"a number from {self.least:g} to less than {self.below:g}"
        if self.most is not None:
            return f"a number from {self.least:g} to {self.most:g}"
        return f"a finite number, {self.least or 0:g} or more"

    @property
    def type_text(self) -> str:
        """Return type and range, for a docstring.

        >>> Setting(name="lr", kind=float, default=0.1, help="", above=0).type_text
        'float > 0'
        """
        if self.choices:
            return f"{{{', '.join(map(repr, filter(None, self.choices)))}}}"
        if self.above is not None:
            return f"{self.kind.__name__} > {self.above:g}"
        if self.below is not None:
            return f"{self.kind.__name__} in [{self.least:g}, {self.below:g})"
        if self.most is not None:
            return f"{self.kind.__name__} in [{self.least:g}, {self.most:g}]"
        return self.kind.__name__ + (f" >= {self.least or 0:g}" if self.kind in (int, float) else "")

    def help_for(self, default: Any) -> str:
        """Return the help text with a default, which a preset may have changed."""
        shown = self.default_text if self.default_text and default == self.default else show(default)
        if self.modern is not None and self._modern != shown:
            shown += f"; modern: {self._modern}"
        return f"{self.help} (default: {shown})"

    @property
    def by_recipe(self) -> str:
        """Return what each recipe sets, as in "documents 1, modern 32"."""
        return f"documents {self.default_text or show(self.default)}, modern {self._modern}"

    @property
    def _modern(self) -> str:
        return self.modern_text or show(self.modern) or "none"

    def check(self, value: Any, given: str = "") -> Any:
        """Return a value as the setting's type; raises `InputError` for another type or a value out of range.

        `given` says where the value is from, as in "--lr is 0"; the default is the setting's name and the value.
        """
        try:
            converted = _CONVERSIONS[self.kind](value)
        except (TypeError, OverflowError):
            converted = None
        if converted is None or not self._is_in_range(converted):
            meant = did_you_mean(value, filter(None, self.choices)) if isinstance(value, str) else ""
            raise InputError(f"{given or f'{self.name} is {brief(value)}'}: expected {self.expected}{meant}")
        return converted

    def parse(self, text: str, given: str) -> Any:
        """Return the value that a text stands for; raises `InputError` as `check`."""
        value: Any = text
        if self.kind is bool:
            value = {"true": True, "yes": True, "false": False, "no": False}.get(text, text)
        elif self.kind is not str:
            try:
                value = self.kind(text)
            except ValueError:
                value = text
        return self.check(value, given)

    def _is_in_range(self, value: Any) -> bool:
        if self.choices:
            return value in self.choices
        if self.kind is int:
            return (self.least or 0) <= value <= LARGEST
        if self.kind is float:
            return (
                (self.least is None or value >= self.least)
                and (self.above is None or value > self.above)
                and value < (float("inf") if self.below is None else self.below)
                and (self.most is None or value <= self.most)
            )
        return True


def setting(default: Any, help: str, **described: Any) -> Any:
    """Return a dataclass field with its description; the words are the fields of `Setting`."""
    return dataclasses.field(default=default, metadata={"help": help, **described})


def describe(settings: type, recipes: dict[str, dict[str, Any]]) -> dict[str, Setting]:
    """Return the descriptions of a dataclass's fields, by name; defaults that are None are those of the recipes."""
    documents, modern = recipes["documents"], recipes["modern"]
    found = {}
    for item in dataclasses.fields(settings):
        default = documents[item.name] if item.default is None else item.default
        more: dict[str, Any] = {"modern": modern.get(item.name)} | item.metadata
        found[item.name] = Setting(name=item.name, kind=type(default), default=default, **more)
    return found


def show(value: Any) -> str:
    """Return a value as help texts show it.

    >>> show(True), show(0.001), show("sgd")
    ('yes', '0.001', 'sgd')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool) or getattr(getattr(value, "dtype", None), "kind", "") == "b":
        return bool(value)
    raise TypeError


def _to_int(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    return operator.index(value)


def _to_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError
    return float(value)


def _to_text(value: Any) -> str:
    if not isinstance(value, str) or any("\ud800" <= c <= "\udfff" for c in value):  # no UTF-8 for such a file name
        raise TypeError
    return str(value)


_CONVERSIONS: dict[type, Any] = {bool: _to_bool, int: _to_int, float: _to_float, str: _to_text}


def read_small(path: Path) -> bytes:
    """Return the content of a file. Raises `OSError`, and `ValueError` if it is larger than any that jitnet writes."""
    with open(path, "rb") as file:
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise ValueError(f"it has more than {_LARGEST_FILE:,} bytes")
    return content


def toml_values(path: Path) -> dict[str, Any]:
    """Return the values of a TOML file as they are. Raises `OSError`, `ValueError` and `RecursionError`."""
    values = tomllib.loads(read_small(path).decode("utf-8-sig"))  # some editors begin a file with a mark
    if not values:
        raise ValueError("it has no settings")
    return values
