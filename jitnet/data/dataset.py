"""What every source of data ends in."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jitnet.data import checks
from jitnet.data.content import Part
from jitnet.data.sources.known import KNOWN, PARTS, Known
from jitnet.printing import printable

SYNTHETIC = "synthetic"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels for training and testing, checked and writeable.

    Attributes
    ----------
    name : "mnist" only if the content is MNIST's, "synthetic" only if jitnet made it, else by the path
    x_train, x_test : (N, H, W) or (N, H, W, C) uint8, C-contiguous
    y_train, y_test : (N,) uint8, 0 to classes - 1
    classes : at least 2
    source : the place it came from, for people
    sha256 : of the four arrays' shapes and content: equal exactly when the data is
    unit : 1, or of a regression the square of what its targets were divided by
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: int
    source: str
    sha256: str
    unit: float = 1.0

    @property
    def synthetic(self) -> bool:
        """Whether this is the built-in set that stands in for MNIST."""
        return self.name == SYNTHETIC


def assemble(parts: dict[str, Part], source: str, name: str, verified: Known | None = None) -> Dataset:
    """Build a data set from its four arrays; raises `InputError` when they do not belong together.

    What has a known set's content, or was `verified` as a set of which no content is known beforehand, gets that
    set's name; nothing else may have such a name.
    """
    classes = checks.classes(parts, source)
    hashes = {part: parts[part].sha256 for part in PARTS}
    whole = hashlib.sha256("".join(hashes.values()).encode()).hexdigest()
    known = verified or next((known for known in KNOWN.values() if known.sha256 == hashes), None)
    if known:
        name, classes = known.name, known.classes
    elif name in KNOWN:
        name = f"own-{name}"
    x_train, y_train, x_test, y_test = (parts[part].array for part in PARTS)
    return Dataset(name, x_train, y_train, x_test, y_test, classes, source, whole)


def own_name(path: Path) -> str:
    """Return what to call the data at a path: its last name, printable, told apart from the built-in set's."""
    name = printable(path.absolute().name if path.is_dir() else path.stem)
    return f"own-{name}" if name in ("", SYNTHETIC) else name
