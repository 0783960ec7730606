"""The weights of images, and the split of what an estimator is given into images to train on and held out."""

from typing import Any

import numpy as np

from jitnet.data.labels import are_in_runs
from jitnet.data.readers.regression import LARGEST
from jitnet.data.split import Split, validation
from jitnet.errors import InputError
from jitnet.estimators.inputs import real_numbers


def of_samples(given: Any, images: int) -> np.ndarray | None:
    """Return weights (images,) float64; raises `InputError` for another shape, negative ones, or all 0."""
    if given is None:
        return None
    weights = real_numbers(given, "sample_weight")
    if weights.ndim == 0:
        weights = np.full(images, float(weights))
    if weights.shape != (images,):
        raise InputError(f"sample_weight has the shape {weights.shape}: expected ({images},), one weight per image")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise InputError(
            "sample_weight holds a negative number, NaN, inf, or zeros alone: expected weights of 0 and up"
        )
    if weights.max() > LARGEST:
        raise InputError(f"sample_weight holds {weights.max():g}: expected weights up to {LARGEST:g}")
    return weights


def of_classes(given: Any, targets: np.ndarray, labels: np.ndarray) -> np.ndarray | None:
    """Return the weight (n,) of each image by its class, `targets` (n,) among `labels` (K,).

    "balanced" gives every class the same share. Raises `InputError` for another word, or an unknown label.
    """
    if given is None:
        return None
    if isinstance(given, str) and given == "balanced":
        counts = np.bincount(targets, minlength=len(labels))
        return (len(targets) / len(labels) / np.maximum(counts, 1))[targets]
    if not isinstance(given, dict):
        raise InputError(f"class_weight is {given!r}: expected None, 'balanced', or a dict of labels and weights")
    known = labels.tolist()
    unknown = next((label for label in given if label not in known), None)
    if unknown is not None:
        raise InputError(f"class_weight names the label {unknown!r}: expected some of {known}")
    try:
        of_label = np.array([float(given.get(label, 1.0)) for label in known])
    except (TypeError, ValueError):
        raise InputError(f"class_weight is {given!r}: expected a number for each label") from None
    if not ((of_label >= 0) & (of_label <= LARGEST)).all():
        raise InputError(f"class_weight is {given!r}: expected weights from 0 to {LARGEST:g}")
    return of_label[targets]


def split(
    images: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray | None,
    held_out: Any,
    is_shuffled: bool,
    unit: float = 1.0,
) -> Split:
    """Return images (n, H, W, C), their targets (n,) or (n, 1) and weights (n,) as what is trained on and held out.

    Images of weight 0 are omitted. The weights are divided by their mean; None stands for weights that are all equal.
    `held_out` is a number of images, or their share if below 1. Raises `InputError` if none is left to train on.
    """
    places = np.arange(len(images))
    if weights is not None:
        places = places[weights > 0]
        if not len(places):
            raise InputError("class_weight and sample_weight leave no image: expected a weight above 0 for some")
    count = _count(held_out, len(places))
    labels = targets[places] if targets.ndim == 1 else np.arange(len(places))
    (train, _), (val, _), _ = validation(places, labels, count)
    notes: tuple[str, ...] = ()
    if targets.ndim == 1 and not is_shuffled and are_in_runs(targets[train]):
        notes = ("the labels are sorted, and a network forgets a class while it sees only others: give shuffle=True",)
    none = (images[:0], targets[:0])
    of_train = weights[train] / weights[train].mean() if weights is not None else None
    if of_train is not None and (of_train == of_train[0]).all():
        of_train = None
    if len(train) == len(images):  # without a copy
        return Split("array", (images, targets), none, none, unit, notes, of_train)
    parts = [(images[part], targets[part]) for part in (train, val)]
    return Split("array", parts[0], parts[1], none, unit, notes, of_train)


def _count(held_out: Any, images: int) -> int:
    """Return how many of some images are held out."""
    count = held_out
    if isinstance(held_out, float | np.floating) and 0 < held_out < 1:
        count = max(1, round(held_out * images))
    if count >= images:
        raise InputError(f"val is {held_out}: expected fewer than the {images} images of x")
    return int(count)
