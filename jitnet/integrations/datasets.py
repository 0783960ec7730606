"""Data sets of Hugging Face's `datasets` as arrays for `fit`: `to_arrays`."""

from typing import Any

import numpy as np

from jitnet.data.labels import named
from jitnet.errors import InputError


def to_arrays(dataset: Any, image: str = "image", label: str = "label") -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, H, W) or (n, H, W, C) and labels (n,), the names of the classes if the data set has them.

    `dataset` is one split, as `load_dataset("mnist", split="train")` returns it; `image` and `label` are its columns.
    Raises `InputError` if it has no such column, images of several sizes, or an image whose class is not known.
    """
    columns = list(getattr(dataset, "column_names", []))
    if isinstance(getattr(dataset, "column_names", None), dict):
        raise InputError(f"the data set has the splits {', '.join(columns)}: give one of them, as dataset['train']")
    for name in (image, label):
        if name not in columns:
            raise InputError(f"the data set has no column {name!r}: expected one of {', '.join(columns) or 'none'}")
    plain = dataset.with_format(None)
    images = [np.asarray(each) for each in plain[image]]
    if not images:
        raise InputError("the data set has no rows: expected images and their labels")
    if len({each.shape for each in images}) != 1:
        raise InputError("the data set has images of different sizes: expected one size, resize them by dataset.map")
    names = getattr(dataset.features[label], "names", None)
    labels = named(list(plain[label]), names, f"the column {label!r}") if names else plain[label]
    return np.stack(images), np.array(labels)
