"""What a data set is, as one record: made by the readers, kept in runs and saved models, shown wherever a run is."""

import dataclasses
import re
import sys
from dataclasses import dataclass
from typing import Any, get_args, get_origin

import numpy as np

from jitnet.data.pictures.style import AS_IS, Style
from jitnet.data.pixels import BYTES, Scale
from jitnet.printing import brief

_LARGEST = 1 << 16  # whole number of a record: they are pixels and channels


CSV, PARQUET, CLASS_FOLDERS = "CSV", "Parquet", "class folders"  # kinds of data that others ask for
TABLES = (CSV, PARQUET)


@dataclass(frozen=True, kw_only=True)
class DataRecord:
    """All that was read or assumed of a data set. Every field has a default: a run may be older than the field."""

    kind: str = ""  # "IDX", "npz", "built-in", "arrays", or one of those above
    class_names: tuple[str, ...] = ()  # in the order of the network's outputs
    numbers: tuple[str, ...] = ()  # the labels as the files have them, where names are known for them
    label_column: str = ""  # of a table, by its name or number
    header: str = ""  # of a table: its first line, cut short
    columns: tuple[str, ...] = ()  # of a table of numbers: its inputs
    pixel_columns: tuple[str, ...] = ()  # of a table of images: the names of its pixels, in their order
    # Of the inputs and then of the target, over the rows of the training table, those held out by --val too.
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()
    scale: Scale = dataclasses.field(default_factory=Scale)
    polarity: str = ""  # "light on dark", "dark on light"
    orientation: str = "upright"  # or "turned upright": the file held rows for columns
    channels: int = 1
    image: tuple[int, ...] = ()  # height, width
    style: Style = AS_IS  # how its pictures were drawn, and so how others are prepared
    split: str = ""  # how the test images were separated from the training images
    notes: tuple[str, ...] = ()  # what was assumed
    sha256: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; `from_dict` reads them back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Any) -> "DataRecord":
        """Return the record that a run keeps; what it lacks gets the default, and what a later version adds is left.

        Raises `ValueError` for a value of another type, or out of range.
        """
        if values is None:  # of an old run
            return cls()
        record: DataRecord = _built(cls, values, "record")
        if record.scale.full <= 0 or record.style.side < 1 or not all(each > 0 for each in record.deviations):
            raise ValueError("the record has a scale, a side or a deviation that is not above 0")
        numbers = len(record.columns) + 1 if record.means else 0
        if len(record.means) != numbers or len(record.deviations) != numbers:
            raise ValueError("the record has not one mean and one deviation for each column and the target")
        return record

    def facts(self) -> list[tuple[str, str]]:
        """Return what is worth showing as (name, text), short enough for a line each."""
        found = []
        if self.class_names and not self.has_plain_names:
            found.append(("classes", short_list(self.class_names)))
        if self.label_column:
            found.append(("label column", self.label_column))
        if self.columns:
            found.append(("columns", short_list(self.columns)))
        if self.as_given:
            found.append(("numbers", f"{self.scale.found}, as they are"))
        elif not self.columns and self.kind and not (self.scale.full == BYTES and self.scale.whole):
            found.append(("pixels", f"{self.scale.found} ({self.scale.dtype}), divided by {self.scale.full:g}"))
        if self.polarity:
            found.append(("pictures", ", ".join(filter(None, (self.polarity, self.style.text)))))
        if self.orientation != "upright":
            found.append(("orientation", self.orientation))
        if self.split:
            found.append(("split", self.split))
        return found

    @property
    def as_given(self) -> bool:
        """Whether they are numbers that a program gave to `fit`, which were not scaled."""
        return self.kind == "arrays" and not self.scale.whole

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the columns that were trained on, in their order: of a table of images or of what `fit` took."""
        return self.pixel_columns or self.columns

    @property
    def labels(self) -> np.ndarray:
        """The classes (C,) as the files have them: int64 if all are whole numbers of at most 18 digits, else text."""
        whole = all(re.fullmatch(r"-?\d{1,18}", name) for name in self.numbers)
        return np.array([int(name) for name in self.numbers], np.int64) if whole else np.array(self.numbers)

    @property
    def has_plain_names(self) -> bool:
        """Whether the classes are called 0, 1, 2, ..., as their numbers."""
        return self.class_names == tuple(map(str, range(len(self.class_names))))

    @property
    def is_of_digits(self) -> bool:
        """Whether the classes are the ten digits: each is one shape, as letters of some scripts and things are not."""
        return self.has_plain_names and len(self.class_names) in (0, 10)  # 0: of an old run, the names were not kept

    def name_of(self, label: int) -> str:
        """Return a class's name, its number where there is none."""
        return self.class_names[label] if label < len(self.class_names) else str(label)


def _built(kind: Any, values: Any, what: str) -> Any:
    """Return an instance of a dataclass whose fields are values of JSON; raises `ValueError`."""
    if not isinstance(values, dict):
        raise ValueError(f"{what} is {brief(values)}: expected an object")
    known = [item for item in dataclasses.fields(kind) if item.name in values]
    return kind(**{item.name: _read(item.type, values[item.name], f"{what}.{item.name}") for item in known})


def _read(kind: Any, value: Any, what: str) -> Any:
    """Return a value of JSON as a field of this type has it; raises `ValueError`."""
    if dataclasses.is_dataclass(kind):
        return _built(kind, value, what)
    if get_origin(kind) is tuple:
        if isinstance(value, list | tuple):
            return tuple(_read(get_args(kind)[0], each, what) for each in value)
    elif kind is float:
        if type(value) in (int, float) and abs(value) <= sys.float_info.max:
            return float(value)
    elif type(value) is kind and (kind is not int or 0 <= value <= _LARGEST):
        return value
    raise ValueError(f"{what} is {brief(value)}: expected {getattr(kind, '__name__', kind)}")


def short_list(names: tuple[str, ...], most: int = 12) -> str:
    """Return names separated by commas, without the middle ones if there are many."""
    if len(names) > most:
        return f"{', '.join(names[: most - 2])}, ..., {names[-1]} ({len(names)})"
    return ", ".join(names)
