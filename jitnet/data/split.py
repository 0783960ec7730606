"""What a run trains on, chooses its best epoch by, and reports: a data set cut up as the settings say."""

from dataclasses import dataclass

import numpy as np

from jitnet.config import Settings
from jitnet.data.dataset import Dataset
from jitnet.errors import InputError

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Split:
    """Images (n, H, W, C) and labels (n,), or numbers (n, 1), to train on, to choose the best epoch by, to report."""

    name: str
    train: Arrays
    val: Arrays
    test: Arrays
    unit: float = 1.0  # what losses are reported in: the square of the unit that targets were divided by


def split(data: Dataset, settings: Settings) -> Split:
    """Cut a data set up as the settings say; raises `InputError` if too little is left to train on."""
    x, y = with_channels(data.x_train), data.y_train
    if settings.limit > len(x):
        raise InputError(f"--limit is {settings.limit}: expected at most the {len(x):,} training images of {data.name}")
    if settings.limit:
        x, y = x[: settings.limit], y[: settings.limit]
    if settings.val >= len(x):
        raise InputError(f"--val is {settings.val}: expected fewer than the {len(x)} images there are to train on")
    cut = len(x) - settings.val
    test = (with_channels(data.x_test), data.y_test)
    return Split(data.name, (x[:cut], y[:cut]), (x[cut:], y[cut:]), test, data.unit)


def with_channels(images: np.ndarray) -> np.ndarray:
    """Return images (n, H, W) as (n, H, W, 1); others as they are."""
    return images[..., None] if images.ndim == 3 else images
