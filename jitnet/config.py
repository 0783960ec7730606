"""The settings of a run: one frozen record, checked once, written as TOML and read back.

A leaf: it imports nothing of jitnet but the error. What does not change a result (threads, view, folders) is not here.
"""

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jitnet.errors import InputError

# The documents' networks, each with its document's recipe: what differs from the defaults of `Settings`.
PRESETS: dict[str, dict[str, Any]] = {
    "cnn": {"architecture": "conv16 pool conv32 pool conv64 dense100"},
    "mlp": {"architecture": "dense1000 dense100"},
    "mlp-1000-100": {"architecture": "dense1000 dense100"},
    "mlp-250-250": {
        "architecture": "dense250 dense250",
        "init": "he",  # not said there; jitnet's choice, as are the batch and the order
        "batch_size": 64,
        "reduction": "sum",
        "shuffle": True,
        "lr": 1e-4,
        "schedule": "constant",
    },
    "mlp-512-512": {
        "architecture": "dense512 dense512",
        "init": "lecun",
        "batch_size": 16,
        "shuffle": True,
        "epochs": 1,
        "steps_per_epoch": 2000,
        "lr": 0.1,
        "schedule": "constant",
    },
}
CHOICES = {
    "bias": ("position", "channel"),
    "init": ("documents", "lecun", "he", "normal"),
    "loss": ("cross-entropy", "mse"),
    "schedule": ("documents", "cosine", "one-cycle", "step", "constant"),
    "optimizer": ("sgd", "momentum", "nesterov", "adam", "adamw"),
    "reduction": ("mean", "sum"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run's result is a function of, together with its data and the seed.

    Raises `InputError` for a value out of range.

    >>> Settings(network="cnn").architecture
    'conv16 pool conv32 pool conv64 dense100'
    """

    network: str = "cnn"  # the name it was asked for by, shown as the title
    architecture: str = ""  # hidden layers as text; empty = the named network's. The output layer follows the data
    bias: str = "position"  # of a convolution: one per position (H, W, C) as in the documents, or one per channel
    init: str = "documents"
    loss: str = ""  # empty = cross-entropy, or mse if there is a target
    optimizer: str = "sgd"
    momentum: float = 0.9  # of the optimisers momentum and nesterov
    weight_decay: float = 0.0
    epochs: int = 9  # that the learning rate is planned over
    steps_per_epoch: int = 0  # updates after which an epoch ends early; 0 = when all images are seen
    until: int = 0  # epochs to train in all, beyond the plan at its last learning rate; 0 = as planned
    batch_size: int = 1  # 0 = the whole training set
    reduction: str = "mean"  # of the gradients of a batch
    lr: float = 1e-3  # the schedule's peak
    schedule: str = "documents"
    shuffle: bool = False
    seed: int = 0
    val: int = 0  # the last N training images are held out for validation
    limit: int = 0  # train on the first N images only; 0 = all
    data: str = "auto"
    label: str = ""  # the column of a table's labels, where its name does not say so
    skip_damaged: bool = False  # leave out the images of class folders that cannot be read
    target: str = ""  # the column of a table of numbers that is to be approximated; empty = labels are learnt
    target_accuracy: float = 0.0  # stop at this accuracy in percent, on validation images if there are any; 0 = never
    patience: int = 0  # stop when validation has not improved for so many epochs; 0 = never
    max_minutes: float = 0.0  # stop after so long; 0 = never

    def __post_init__(self) -> None:
        if not self.architecture.strip():
            if self.network not in PRESETS:
                raise InputError(f"there is no network called {self.network!r}: choose one of {', '.join(PRESETS)}")
            object.__setattr__(self, "architecture", PRESETS[self.network]["architecture"])
        if not self.loss:
            object.__setattr__(self, "loss", "mse" if self.target else "cross-entropy")
        object.__setattr__(self, "until", max(self.until, self.epochs))
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise InputError(f"{name} is {getattr(self, name)!r}: expected one of {', '.join(choices)}")
        for name, least in (
            ("epochs", 1),
            ("batch_size", 0),
            ("seed", 0),
            ("val", 0),
            ("limit", 0),
            ("steps_per_epoch", 0),
            ("patience", 0),
        ):
            if not least <= getattr(self, name) < 2**63:
                raise InputError(
                    f"{_option(name)} is {getattr(self, name)}: expected a whole number from {least} to 2**63 - 1"
                )
        if not 0.0 < self.lr < float("inf"):
            raise InputError(f"--lr is {self.lr}: expected a finite number above 0")
        if not 0.0 <= self.momentum < 1.0:
            raise InputError(f"--momentum is {self.momentum}: expected a number from 0 to less than 1")
        if not 0.0 <= self.weight_decay < float("inf"):
            raise InputError(f"--weight-decay is {self.weight_decay}: expected a finite number, 0 or more")
        if self.target and self.loss != "mse":
            raise InputError(f"--loss is {self.loss!r} with a --target: expected mse, since the target is a number")
        if not 0.0 <= self.target_accuracy <= 100.0:
            raise InputError(f"--target-accuracy is {self.target_accuracy:g}: expected a percentage, 0 for none")
        if not 0.0 <= self.max_minutes < float("inf"):
            raise InputError(f"--max-minutes is {self.max_minutes:g}: expected a finite number, 0 for no limit")
        if self.patience and not self.val:
            raise InputError(
                f"--patience is {self.patience} without validation images: expected --val N too, never the test images"
            )

    @classmethod
    def preset(cls, network: str, **changes: Any) -> "Settings":
        """Return a network of the documents with its document's recipe, some values changed.

        Raises `InputError` for an unknown network or a value out of range.

        >>> Settings.preset("mlp-512-512", epochs=2).lr
        0.1
        """
        return cls(**{"network": network} | PRESETS.get(network, {}) | changes)

    def replace(self, **changes: Any) -> "Settings":
        """Return a copy with some values changed, checked again; another target chooses its loss anew."""
        if changes.get("target", self.target) != self.target:
            changes = {"loss": ""} | changes
        return dataclasses.replace(self, **changes)

    def to_toml(self) -> str:
        """Return the settings as a TOML document that `from_toml` reads back."""
        lines = (f"{item.name} = {_toml(getattr(self, item.name))}" for item in dataclasses.fields(self))
        return "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, path: str | Path) -> "Settings":
        """Read settings from a TOML file; unknown names, wrong types and bad values raise `InputError`."""
        path = Path(path)
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"cannot read the settings {path}: {error.strerror}; check the path") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{path} is not a TOML file of settings ({error}); mend or delete it") from None
        return cls.from_values(values, where=str(path))

    @classmethod
    def from_values(cls, values: dict[str, Any], where: str) -> "Settings":
        """Build settings from plain values that came from `where`; raises `InputError` as `from_toml`."""
        kinds = {item.name: type(item.default) for item in dataclasses.fields(cls)}
        for name, value in values.items():
            if name not in kinds:
                raise InputError(f"{where} has the unknown setting {name!r}: expected one of {', '.join(kinds)}")
            if kinds[name] is float and type(value) is int:
                values[name] = float(value)
            elif type(value) is not kinds[name]:
                raise InputError(f"{where} gives {name} = {value!r}: expected a value of type {kinds[name].__name__}")
        return cls(**values)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escapes = {"\\": "\\\\", '"': '\\"'}
        return '"' + "".join(escapes.get(c, c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}") for c in value) + '"'
    return repr(value)
