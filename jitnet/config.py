"""The settings of a run: one frozen record, checked once, written as TOML and read back.

To add a setting, add a field to `Settings`: its option, TOML checks, estimator parameter and documentation are made
from it. What does not change a result (threads, view, folders) is not here.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from jitnet.errors import InputError, did_you_mean
from jitnet.printing import brief
from jitnet.recipes.named import DOCUMENTS, MODERN, PRESETS, RECIPES, recipe_for, values_of
from jitnet.recipes.rules import epochs_for, rate_for, shift_for
from jitnet.setting import Setting, describe, setting, toml_values

AVERAGED, RAW = WEIGHTS = ("averaged", "raw")  # those of a training with `ema`
CALIBRATED = "calibrated"  # those of a training with `label_smoothing` and without `ema`
NETWORK, OPTIMIZATION, STOPPING, DATA = "network", "optimization", "early stopping", "data"  # groups of options


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that determines a run's result, except the contents of its data.

    What is None is set by the recipe, and set again in a copy that `replace` makes. Raises `InputError` for a value of
    another type or out of range.

    >>> Settings(network="cnn").architecture
    'conv16 pool conv32 pool conv64 dense100'
    """

    given: ClassVar[frozenset[str]] = frozenset()  # in each instance: what the recipe did not set

    network: str = setting("cnn", "name of the preset, shown as the title", parameter=False)
    architecture: str = setting(
        "",
        "hidden layers as text; empty = those of the preset, a space = none. The output layer follows the data",
        parameter=False,
    )
    recipe: str = setting(
        "", "what sets every setting below that is not given", choices=("", "documents", "modern", "best", "fast"),
        group=OPTIMIZATION, default_text="documents for MNIST and the built-in digits, modern for other data",
        added=True,
    )  # fmt: skip
    loss: str = setting(
        "", "loss function", group=NETWORK, choices=("", "cross-entropy", "mse"),
        default_text="cross-entropy; with --target: mse", cpp="loss",
    )  # fmt: skip
    bias: str = setting(
        "position", "biases of a conv layer: one per position and channel, or one per channel", group=NETWORK,
        choices=("position", "channel"),
    )  # fmt: skip
    init: str = setting(
        None, "initial weights", group=NETWORK, choices=("documents", "lecun", "he", "normal"), cpp="init"
    )
    epochs: int = setting(
        None, "epochs that the learning rate is planned over", group=OPTIMIZATION, least=1, cpp="epochs",
        modern_text="by the number of images",
    )  # fmt: skip
    batch_size: int = setting(
        None, "images per update; 1 = one image at a time, 0 = all images", group=OPTIMIZATION, cpp="batch_size"
    )
    reduction: str = setting(
        None, "how the gradients of a batch are combined", group=OPTIMIZATION, choices=("mean", "sum")
    )
    steps_per_epoch: int = setting(
        None,
        "updates after which an epoch ends; 0 = when all images are seen",
        group=OPTIMIZATION,
        cpp="steps_per_epoch",
    )
    optimizer: str = setting(
        None, "update rule", group=OPTIMIZATION, choices=("sgd", "momentum", "nesterov", "adam", "adamw"),
        cpp="rule.kind",
    )  # fmt: skip
    momentum: float = setting(
        0.9, "momentum of the optimizers momentum and nesterov", group=OPTIMIZATION, metavar="MU", least=0, below=1,
        cpp="rule.momentum",
    )  # fmt: skip
    weight_decay: float = setting(
        None, "weight decay; with adamw 0.01 is usual", group=OPTIMIZATION, metavar="X", least=0, cpp="rule.decay"
    )
    dropout: float = setting(
        0.0, "chance that an output of a hidden dense layer is set to 0 in training; 0 = never", group=OPTIMIZATION,
        metavar="P", least=0, below=1, added=True,
    )  # fmt: skip
    ema: float = setting(
        None, "decay of a moving average of the weights, which is evaluated and kept next to them; 0 = none",
        group=OPTIMIZATION, metavar="DECAY", least=0, below=1, added=True,
    )  # fmt: skip
    label_smoothing: float = setting(
        None, "share of each label that all classes get alike in training, with the loss cross-entropy; 0 = none",
        group=OPTIMIZATION, metavar="S", least=0, below=1, added=True,
    )  # fmt: skip
    lr: float = setting(
        None,
        "peak learning rate",
        group=OPTIMIZATION,
        metavar="PEAK",
        above=0,
        cpp="lr",
        default_text="0.001, larger for batches",
        modern_text="by optimizer and batch, 0.002 for adam",
    )
    schedule: str = setting(
        None, "learning rate of each epoch, or step", group=OPTIMIZATION, cpp="schedule", choices=(
            "documents", "documents-old", "cosine", "cosine-per-step", "one-cycle", "one-cycle-per-step", "step",
            "constant",
        ),
    )  # fmt: skip
    warm_up: int = setting(
        0, "steps over which the learning rate rises from 0 to that of the schedule; 0 = none", group=OPTIMIZATION,
        cpp="warm_up", added=True,
    )  # fmt: skip
    augment: str = setting(
        None, "random changes of the training images: none, light, medium, strong, or amounts as in shift=2,rotate=10",
        group=OPTIMIZATION, metavar="CHANGES", default_text="none", added=True,
    )  # fmt: skip
    shuffle: bool = setting(None, "visit the images in a new order each epoch", group=OPTIMIZATION, cpp="shuffle")
    seed: int = setting(0, "seed of the initial weights and the shuffle", group=OPTIMIZATION, cpp="seed")
    kernels: str = setting(
        "fast", "fast kernels, or the simple ones of kernels/step.py, made to be read", group=OPTIMIZATION,
        choices=("fast", "simple"), added=True,
    )  # fmt: skip
    until: int = setting(
        0, "epochs to train in total, those after the plan at its last learning rate; 0 = as planned", parameter=False
    )
    target_accuracy: float = setting(
        0.0, "stop at this accuracy on the --val images, or on the test images if there are none; 0 = never",
        group=STOPPING, metavar="PERCENT", least=0, most=100,
    )  # fmt: skip
    patience: int = setting(
        0, "stop after N epochs past the warm-up without a better accuracy on the --val images; 0 = never",
        group=STOPPING,
    )  # fmt: skip
    max_minutes: float = setting(
        0.0, "stop after M minutes, pauses before a resume not counted; 0 = never", group=STOPPING, metavar="M", least=0
    )
    data: str = setting(
        "auto", "auto, mnist, fashion, kmnist, synthetic or a path", group=DATA, metavar="SET", parameter=False
    )
    target: str = setting(
        "", "column of the table --data FILE.csv to predict as a number", group=DATA, metavar="COLUMN",
        default_text="none, labels are learned", parameter=False,
    )  # fmt: skip
    label: str = setting(
        "", "column of a table's labels, by name or number, if its name is not a usual one", group=DATA,
        metavar="COLUMN", default_text="a column called label, class, target, y or digit", parameter=False, added=True,
    )  # fmt: skip
    skip_damaged: bool = setting(
        False, "skip the images of class folders that cannot be read", group=DATA, parameter=False, added=True
    )
    val: int = setting(0, "number of training images, the last ones, held out for validation", group=DATA, cpp="val")
    limit: int = setting(0, "train on the first N images only; 0 = all", group=DATA, parameter=False, cpp="limit")

    def __post_init__(self) -> None:
        if self.augment == "none":
            self._set("augment", "")
        given = {name for name in (*BY_RECIPE, "recipe") if _is_given(getattr(self, name))}
        if self.augment == "":  # a value too: a recipe without its augmentation
            given.add("augment")
        self._set("given", frozenset(given))
        for name in ("network", "data", "recipe"):
            self._set(name, SETTINGS[name].check(getattr(self, name)))
        self._set("recipe", self.recipe or recipe_for(self.data, self.network))
        values = values_of(self.recipe, self.network)
        for name, described in SETTINGS.items():
            set_by_recipe = name in BY_RECIPE - given  # of which 0 epochs mean that `for_images` counts them
            self._set(name, values[name] if set_by_recipe else described.check(getattr(self, name)))
        if self.optimizer != values["optimizer"] and "weight_decay" not in given:
            self._set("weight_decay", 0.0)  # of the recipe, for its own optimizer
        if "lr" not in given:
            self._set("lr", self.recipe_rate)
        if not self.architecture:
            if self.network not in PRESETS:
                known = f"choose one of {', '.join(PRESETS)}{did_you_mean(self.network, PRESETS)}"
                raise InputError(f"there is no network called {self.network!r}: {known}")
            self._set("architecture", PRESETS[self.network]["architecture"])
        if not self.loss:
            self._set("loss", "mse" if self.target else "cross-entropy")
        if self.loss == "mse" and "label_smoothing" not in given:
            self._set("label_smoothing", 0.0)  # of the recipe: this loss has none
        self._set("until", max(self.until, self.epochs))
        if self.target and self.loss != "mse":
            raise InputError(f"the loss is {self.loss!r} with a target: expected mse, since the target is a number")
        if self.label_smoothing and self.loss != "cross-entropy":
            raise InputError(
                f"label smoothing is {self.label_smoothing:g} with the loss {self.loss}, which has no smoothed "
                "labels: expected the loss cross-entropy, or no smoothing"
            )
        if self.patience and not self.val:
            raise InputError(
                f"patience is {self.patience} without held-out images: give `--val N`, in Python val or early_stopping"
            )

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @property
    def recipe_rate(self) -> float:
        """Return the peak learning rate that the recipe has for this optimizer and batch."""
        return rate_for(self.recipe, self.network, self.optimizer, self.batch_size, self.reduction)

    @classmethod
    def preset(cls, network: str, **changes: Any) -> "Settings":
        """Return a network of the documents with the recipe for its data, some values changed.

        Raises `InputError` for an unknown network or a value out of range.

        >>> Settings.preset("mlp-512-512", epochs=2).lr
        0.1
        """
        return cls(**{"network": network} | changes)

    def replace(self, **changes: Any) -> "Settings":
        """Return a copy with some values changed, checked again.

        Values that the recipe set are set by the new values' recipe, and another target chooses its loss.
        """
        if changes.get("target", self.target) != self.target:
            changes = {"loss": ""} | changes
        unset: dict[str, Any] = dict.fromkeys(BY_RECIPE - self.given)
        if "recipe" not in self.given and changes.get("data", self.data) != self.data:
            unset["recipe"] = ""
        return dataclasses.replace(self, **unset | changes)

    def for_images(self, count: int, anywhere: tuple[int, ...] = ()) -> "Settings":
        """Return these settings with what the recipe modern makes of the training images, unless it is given.

        That is the number of epochs, and for pictures of the size `anywhere` in which an object may be anywhere, a
        shift.
        """
        changes: dict[str, Any] = {} if self.epochs else {"epochs": epochs_for(count)}
        if anywhere and self.recipe == MODERN and not self.augment and "augment" not in self.given:
            changes["augment"] = shift_for(*anywhere)
        return self.replace(**changes) if changes else self

    def identity(self) -> dict[str, Any]:
        """Return the values that identify these settings.

        Settings that version 0.1.0 did not have are included only if they differ from their default, so that older
        sweeps keep their identity.
        """
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if not _is_new_default(SETTINGS[name], value)}

    def to_toml(self) -> str:
        """Return the settings as a TOML document that `from_toml` reads back."""
        lines = (f"{name} = {_toml(getattr(self, name))}" for name in SETTINGS)
        return "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, path: str | Path) -> "Settings":
        """Read settings from a TOML file; unknown names, wrong types and bad values raise `InputError`."""
        path = Path(path)
        try:
            values = toml_values(path)
        except OSError as error:
            raise InputError(f"cannot read the settings {path}: {error.strerror}; check the path") from None
        except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, a number of 5,000 digits, deep nesting
            raise InputError(f"{path} is not a TOML file of settings ({error}); fix or delete it") from None
        return cls.from_values(values, where=str(path))

    @classmethod
    def from_values(cls, values: dict[str, Any], where: str) -> "Settings":
        """Build settings from plain values that came from `where`; raises `InputError` as `from_toml`."""
        if "recipe" not in values:  # version 0.1.0 had none, and another schedule of fewer than nine epochs
            values = {"recipe": DOCUMENTS} | values
            if values.get("schedule") == "documents" and values.get("epochs") in range(2, 9):
                values["schedule"] = "documents-old"
        for name, value in values.items():
            if name not in SETTINGS:
                known = f"expected one of {', '.join(SETTINGS)}{did_you_mean(name, SETTINGS)}"
                raise InputError(f"{where} has the unknown setting {name!r}: {known}")
            SETTINGS[name].check(value, f"{where} gives {name} = {brief(value)}")
        return cls(**values)


BY_RECIPE = frozenset(RECIPES[DOCUMENTS])
SETTINGS: dict[str, Setting] = describe(Settings, RECIPES)
CHOICES = {name: tuple(filter(None, item.choices)) for name, item in SETTINGS.items() if item.choices}


def _is_given(value: Any) -> bool:
    return value is not None and not (isinstance(value, str) and not value)


def _is_new_default(described: Setting, value: Any) -> bool:
    return described.added and value in (described.default, DOCUMENTS if described.name == "recipe" else None)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escapes = {"\\": "\\\\", '"': '\\"'}
        return '"' + "".join(escapes.get(c, c if c.isprintable() else f"\\U{ord(c):08x}") for c in value) + '"'
    return repr(value)
