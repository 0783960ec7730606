"""What every source of data ends in."""

import dataclasses
import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from jitnet.data import checks, labels, orientation, pixels
from jitnet.data.content import sha256
from jitnet.data.pictures import style
from jitnet.data.readers.raw import Raw
from jitnet.data.record import CLASS_FOLDERS, DataRecord, short_list
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
    facts : what was read and assumed, without what `record` adds by looking at all images
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
    facts: DataRecord = field(default_factory=DataRecord)

    @property
    def synthetic(self) -> bool:
        """Whether this is the built-in set that stands in for MNIST."""
        return self.name == SYNTHETIC

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called, in the order of their numbers."""
        return self.facts.class_names

    @functools.cached_property
    def record(self) -> DataRecord:
        """All that is known of the data, the style of its pictures included."""
        if self.y_train.ndim != 1:
            return self.facts
        found, polarity = style.measure(self.x_train)
        return dataclasses.replace(self.facts, style=found, polarity=polarity)


def assemble(
    raw: Raw,
    source: str,
    name: str,
    verified: Known | None = None,
    warn: Callable[[str], None] = lambda message: None,
    whole: bool = False,
) -> Dataset:
    """Build a data set from what a reader found; raises `InputError` when its arrays do not belong together.

    What has a known set's content, or was `verified` as a set of which no content is known beforehand, gets that
    set's name; nothing else may have such a name. `warn` takes a sentence about each assumption. `whole`: of
    one file all images are to measure on, none is held out.
    """
    notes = list(raw.notes)
    x = [checks.images(each, source) for each in (raw.x_train, raw.x_test) if each is not None]
    given = [each for each in (raw.y_train, raw.y_test) if each is not None]
    y = given if raw.names else [labels.texts(each, source) for each in given]  # a folder's name is its class as it is
    checks.belong(x, y, source)
    blank = pixels.require_content(x[0], source)
    scale = raw.scale or pixels.scale_of(x, source)
    if raw.scale is None:
        pixels.require_one_scale(x, source)
        x = [pixels.to_bytes(each, scale, source) for each in x]
        if scale.full != pixels.BYTES:
            pixels.require_content(x[0], f"{source}, in 256 levels of {scale.found},")
    names, y = labels.numbered(y, source, raw.names)
    split = raw.split
    if len(x) == 1:
        x, y, split = _one_file(x[0], y[0], names, source, whole)
        if not whole and raw.kind != CLASS_FOLDERS:
            notes.append(f"{source} has no test set: {split}")
    hashes = {part: sha256(array) for part, array in zip(PARTS, (x[0], y[0], x[1], y[1]))}
    known = verified or next((known for known in KNOWN.values() if known.sha256 == hashes), None)
    turned = raw.orientation if known else orientation.turned(x[0], y[0], names, raw.orientation == "EMNIST")
    if not known:
        if turned == "turned upright":
            x = [np.ascontiguousarray(each.swapaxes(1, 2)) for each in x]
            hashes = {part: sha256(array) for part, array in zip(PARTS, (x[0], y[0], x[1], y[1]))}
            notes.append(f"the images of {source} lie on their side, as EMNIST's do: they are turned upright")
        notes += [pixels.remark(scale, source), blank]
        notes.append(checks.one_sided(y[0], y[1], names, source))
        notes.append(checks.repeated(x[0], x[1], source) if not whole else "")
        notes.append(checks.alike(names, source))
        notes.append(checks.inverted(x[0], x[1], source) if raw.x_test is not None else "")
        name = f"own-{name}" if name in KNOWN else name
    else:
        name = known.name
    plain = tuple(names) == tuple(map(str, range(len(names))))
    if not plain and not known:
        notes.append(f"the classes of {source} are {short_list(tuple(f'{i} = {n}' for i, n in enumerate(names)))}")
    notes = [note for note in notes if note]
    for note in notes:
        warn(note)
    shown = known.class_names if known and known.class_names else tuple(names)
    facts = DataRecord(
        kind=raw.kind,
        class_names=shown,
        numbers=tuple(names),
        label_column=raw.label_column,
        header=raw.header,
        pixel_columns=raw.columns,
        scale=scale,
        orientation=turned if turned == "turned upright" else "upright",
        channels=1 if x[0].ndim == 3 else x[0].shape[3],
        image=x[0].shape[1:3],
        split=split,
        notes=tuple(notes),
        sha256=hashlib.sha256("".join(hashes.values()).encode()).hexdigest(),
    )
    return Dataset(name, x[0], y[0], x[1], y[1], len(names), source, facts.sha256, facts=facts)


def _one_file(x: np.ndarray, y: np.ndarray, names: list[str], source: str, whole: bool):
    """Return images and labels for training and testing of one file, and the rule: in a sentence's words."""
    if whole:
        return [x, x], [y, y], "all images are measured on"
    test = labels.held_out(y, names, source)
    rule = f"every seventh image of each class is for testing, {int(test.sum()):,} in all"
    return [x[~test], x[test]], [y[~test], y[test]], rule


def own_name(path: Path) -> str:
    """Return what to call the data at a path: its last name, printable, told apart from the built-in set's."""
    name = printable(path.absolute().name if path.is_dir() else path.stem)
    return f"own-{name}" if name in ("", SYNTHETIC) else name
