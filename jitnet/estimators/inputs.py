"""The images and labels that programs give to the estimators, checked and converted.

Where scikit-learn has a sentence for an error, its words are used.
"""

import numpy as np

from jitnet.data.checks import whole_bytes
from jitnet.data.split import with_channels
from jitnet.errors import InputError

MOST_CLASSES = 256  # classes: the kernels take targets as bytes


def images(x: np.ndarray, rows: bool) -> np.ndarray:
    """Return images as (n, H, W, C), uint8 to be divided by 255 or float32 as they are.

    Parameters
    ----------
    x : (n, H, W) or (n, H, W, C), or rows (n, D) that are square images; whole numbers 0 to 255, or floats
    rows : whether a row of numbers that is not a square is accepted, as an image of one line

    Raises
    ------
    InputError : another shape, a number that is not finite, or no numbers at all
    """
    if hasattr(x, "toarray"):
        raise InputError("x is a sparse matrix, and sparse input is not supported: give x.toarray()")
    x = _numbers(np.asarray(x))
    if x.ndim == 2 and 0 in x.shape:
        which, count = ("sample", 0) if len(x) == 0 else ("feature", 0)
        raise InputError(f"x has {count} {which}(s) (shape={x.shape}) while a minimum of 1 is required.")
    if x.ndim not in (2, 3, 4) or 0 in x.shape:
        raise InputError(
            f"x has the shape {x.shape}: expected (n, D), (n, H, W) or (n, H, W, C), none of them 0. Reshape your data"
        )
    if x.ndim == 2:
        side = int(x.shape[1] ** 0.5)
        if side * side == x.shape[1]:
            x = x.reshape(len(x), side, side)
        elif rows:
            x = x[:, None, :]
        else:
            raise InputError(f"x has rows of {x.shape[1]} numbers, not a square: give images as (n, height, width)")
    return np.ascontiguousarray(with_channels(x))


def _numbers(x: np.ndarray) -> np.ndarray:
    """Return an array of bytes or of finite float32."""
    if x.dtype.kind == "O" and x.size:  # a table of several types, of which numpy finds a common one
        x = np.array(x.tolist())
    if x.dtype.kind == "c":
        raise InputError(f"x is of type {x.dtype}. Complex data not supported: expected real numbers")
    if x.dtype.kind in "iu":
        return whole_bytes(x, "x")
    if x.dtype.kind not in "fb":
        raise InputError(f"x is of type {x.dtype}: expected numbers")
    with np.errstate(over="ignore"):
        x = x.astype(np.float32)
    if not np.isfinite(x).all():
        raise InputError("x holds NaN, inf or a number beyond float32, which are not finite: expected finite pixels")
    return x


def labels_of_images(y: np.ndarray, images: int) -> np.ndarray:
    """Return labels as an array (images,); raises `InputError` for another shape or kind."""
    labels = np.asarray(y)
    if labels.shape != (images,):
        raise InputError(f"y has the shape {labels.shape}: expected ({images},), one label per image")
    return _check_labels(labels)


def classes_of(y: np.ndarray) -> np.ndarray:
    """Return the different labels, sorted; raises `InputError` for one class, too many, or another kind.

    >>> classes_of(["seven", "one", "one"]).tolist()
    ['one', 'seven']
    """
    found = np.unique(_check_labels(np.asarray(y)))
    if not 2 <= len(found) <= MOST_CLASSES:
        raise InputError(f"the labels hold {len(found)} classes: expected 2 to {MOST_CLASSES}")
    return found


def _check_labels(labels: np.ndarray) -> np.ndarray:
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
