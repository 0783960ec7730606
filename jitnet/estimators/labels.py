"""The labels that programs give to the estimators: whole numbers, numbers, or strings."""

import numpy as np

from jitnet.errors import InputError

MOST = 256  # classes: the kernels take targets as bytes


def one_per_image(y: np.ndarray, images: int) -> np.ndarray:
    """Return labels as an array (images,); raises `InputError` for another shape or kind."""
    labels = np.asarray(y)
    if labels.shape != (images,):
        raise InputError(f"y has the shape {labels.shape}: expected ({images},), one label per image")
    return _checked(labels)


def classes(y: np.ndarray) -> np.ndarray:
    """Return the different labels, sorted; raises `InputError` for one class, too many, or another kind.

    >>> classes(["seven", "one", "one"]).tolist()
    ['one', 'seven']
    """
    found = np.unique(_checked(np.asarray(y)))
    if not 2 <= len(found) <= MOST:
        raise InputError(f"the labels hold {len(found)} classes: expected 2 to {MOST}")
    return found


def require_alike(labels: np.ndarray, known: np.ndarray) -> None:
    """Refuse labels (n,) that can equal none of the known ones (classes,): text against numbers (`InputError`)."""
    text = [array.dtype.kind == "U" for array in (labels, known)]
    if text[0] != text[1]:
        kinds = ["text" if each else "numbers" for each in text]
        raise InputError(
            f"y holds {kinds[0]} such as {labels.tolist()[0]!r}, but fit had {kinds[1]} such as {known.tolist()[0]!r}: "
            f"expected labels of one type, give y.astype({'str' if text[1] else 'int'})"
        )


def _checked(labels: np.ndarray) -> np.ndarray:
    if labels.shape == () and labels.item() is None:
        raise InputError("an estimator of classes requires y to be passed, but the target y is None")
    if labels.dtype.kind == "O" and all(isinstance(label, str) for label in labels.flat):  # a pandas column
        labels = labels.astype(str)
    if labels.dtype.kind not in "iubfU" or (labels.dtype.kind == "f" and not np.isfinite(labels).all()):
        raise InputError(
            f"Unknown label type: the labels are of type {labels.dtype}, expected whole or finite numbers, or strings"
        )
    if labels.dtype.kind == "f" and (labels != np.trunc(labels)).any():
        number = labels[labels != np.trunc(labels)][0]
        raise InputError(
            f"Unknown label type: continuous numbers such as {number}: expected classes, as whole numbers or strings; "
            "for a regression use `jitnet train mlp --data FILE.csv --target COLUMN`"
        )
    return labels
