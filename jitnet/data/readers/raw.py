"""What a reader returns: the arrays as the files have them, before their numbers and labels are looked at."""

from dataclasses import dataclass, field

import numpy as np


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
    split: str = ""
    orientation: str = "upright"
    notes: list[str] = field(default_factory=list)  # what was assumed and should be known
