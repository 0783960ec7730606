"""What a run trains on, chooses its best epoch by, and reports: a data set cut up as the settings say."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jitnet.config import Settings
from jitnet.data.dataset import Dataset
from jitnet.data.labels import are_in_runs, chosen
from jitnet.errors import InputError

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Split:
    """Images (n, H, W, C) and labels (n,), or numbers (n, 1), to train on, to choose the best epoch by, to report.

    `notes` are sentences about how it was cut, where that is not by place.
    """

    name: str
    train: Arrays
    val: Arrays
    test: Arrays
    unit: float = 1.0  # what losses are reported in: the square of the unit that targets were divided by
    notes: tuple[str, ...] = ()
    weights: np.ndarray | None = None  # (n,) float64, of the loss of each image to train on; None = all 1

    def parts(self, batch: np.ndarray, most: int) -> Iterator[tuple[np.ndarray, float]]:
        """Yield the images of a batch (N,) in parts of equal weight and at most `most` images, with the weight."""
        weights = self.weights[batch] if self.weights is not None else np.ones(len(batch))
        for weight in np.unique(weights):
            group = batch[weights == weight]
            for start in range(0, len(group), most):
                yield group[start : start + most], float(weight)


def split(data: Dataset, settings: Settings) -> Split:
    """Cut a data set up as the settings say; raises `InputError` if too little is left to train on.

    `limit` takes the first images and `val` the last of these; where the labels are sorted, the first or last of each
    class in proportion.
    """
    x, y, notes = with_channels(data.x_train), data.y_train, []
    if settings.limit > len(x):
        raise InputError(f"--limit is {settings.limit}: expected at most the {len(x):,} training images of {data.name}")
    if settings.limit:
        places, moved = chosen(y, settings.limit, last=False)
        x, y = (x[places], y[places]) if moved else (x[: settings.limit], y[: settings.limit])
        if moved:
            notes.append(_moved(data.name, settings.limit, "first"))
    if settings.val >= len(x):
        raise InputError(f"--val is {settings.val}: expected fewer than the {len(x)} images there are to train on")
    train, val, moved = validation(x, y, settings.val)
    if moved:
        notes.append(_moved(data.name, settings.val, "last"))
    if not settings.shuffle and are_in_runs(train[1]):
        notes.append(
            f"the images of {data.name} are in the order of their classes, and a network forgets a class while it sees "
            "only others: train with --shuffle"
        )
    left = len(np.unique(train[1]))
    if (settings.limit or settings.val) and train[1].ndim == 1 and left < data.classes:
        notes.append(
            f"the {len(train[1]):,} images to train on have {left} of the {data.classes} classes of {data.name}: "
            "expected all, raise --limit or lower --val"
        )
    test = (with_channels(data.x_test), data.y_test)
    return Split(data.name, train, val, test, data.unit, tuple(notes))


def validation(x: np.ndarray, y: np.ndarray, count: int) -> tuple[Arrays, Arrays, bool]:
    """Hold `count` images (n, ...) and labels (n,) out; return the rest, them, and whether the labels were sorted.

    They are the last ones, or, where these would not hold the classes in about their shares, the last of each class.
    """
    places, moved = chosen(y, count, last=True)
    if not moved:
        cut = len(x) - count
        return (x[:cut], y[:cut]), (x[cut:], y[cut:]), False
    out = np.zeros(len(x), bool)
    out[places] = True
    return (x[~out], y[~out]), (x[out], y[out]), True


def _moved(name: str, count: int, which: str) -> str:
    return f"the labels of {name} are sorted, so the {which} of each class are taken in proportion, {count:,} in all"


def with_channels(images: np.ndarray) -> np.ndarray:
    """Return images (n, H, W) as (n, H, W, 1); others as they are."""
    return images[..., None] if images.ndim == 3 else images
