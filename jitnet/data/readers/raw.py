"""What a reader returns: the arrays as the files have them, before their numbers and labels are looked at."""

from dataclasses import dataclass, field

import numpy as np

from jitnet.data.pixels import Scale


@dataclass
class Raw:
    """Images and labels of one or two files; without test images they are taken from the training images later."""

    kind: str  # "IDX", "CSV", ...
    x_train: np.ndarray
    y_train: np.ndarray  # (N,) of numbers or str
    x_test: np.ndarray | None = None
    y_test: np.ndarray | None = None
    names: list[str] | None = None  # of the classes, in order, if the files give one
    header: str = ""
    label_column: str = ""
    columns: tuple[str, ...] = ()  # of a table: the names of its pixel columns
    split: str = ""
    orientation: str = "upright"
    scale: Scale | None = None  # of the numbers in the files, if the arrays are bytes made of them
    notes: list[str] = field(default_factory=list)  # what was assumed and should be known


def of_parts(kind: str, parts: dict[str, np.ndarray], split: str = "") -> Raw:
    """Return what the four arrays x_train, y_train, x_test and y_test are, of a format and split by the files."""
    return Raw(kind, parts["x_train"], parts["y_train"], parts["x_test"], parts["y_test"], split=split)
