"""The images and tables that programs give to the estimators, checked and converted.

Where scikit-learn has a sentence for an error, its words are used.
"""

import sys
import warnings
from typing import Any

import numpy as np

from jitnet.data import pixels
from jitnet.data.checks import colours_in_rows
from jitnet.data.pictures import style
from jitnet.data.pixels import Scale
from jitnet.data.record import DataRecord
from jitnet.data.split import with_channels
from jitnet.errors import InputError

_SMALLEST = 5  # pixels of a square image's side: rows of fewer numbers are no images
_SHOWN = 10  # names or labels in a message
_SMALL = 0.1  # fractions of images below it have been divided twice
_SPARE = 0.25  # of the range of `fit`: noise and augmentation go a little beyond it
_APART = 10.0  # times the range of `fit`: other units
_LARGE = 20.0  # numbers beyond it in size train badly: they are warned of


def images(x: np.ndarray, rows: bool, trained: Scale | None = None) -> tuple[np.ndarray, Scale]:
    """Return images as (n, H, W, C), uint8 to be divided by 255 or float32 as they are, and the scale of the numbers.

    Parameters
    ----------
    x : (n, H, W) or (n, H, W, C), or rows (n, D) that are square images. Whole numbers, of any type, are pixels:
        their full scale is found out (1, 15, 16, 255, 1023, 4095, ...) and they become bytes, with a warning unless it
        is 255. Fractions, and the numbers of a table, whose rows are not square images, are taken as they are, with a
        warning if they are large
    rows : whether a row of numbers that is not a square is accepted, as an image of one line
    trained : the scale of the images that a network was trained on, which these follow

    Raises
    ------
    InputError : another shape, a number that is not finite or not of the trained scale, or no numbers at all
    """
    x = _numbers(as_array(x, "x"))
    if x.ndim == 2 and 0 in x.shape:
        which, count = ("sample", 0) if len(x) == 0 else ("feature", 0)
        raise InputError(f"x has {count} {which}(s) (shape={x.shape}) while a minimum of 1 is required.")
    if x.ndim not in (2, 3, 4) or 0 in x.shape:
        raise InputError(
            f"x has the shape {x.shape}: expected (n, D), (n, H, W) or (n, H, W, C), none of them 0. Reshape your data"
        )
    if x.ndim == 4 and x.shape[3] > 4:
        first = ", the channels first" if x.shape[1] <= 4 else ""
        raise InputError(
            f"x has the shape {x.shape}{first}: expected (n, H, W, C) with at most 4 channels"
            + (": give x.transpose(0, 2, 3, 1)" if first else "")
        )
    table = False
    if x.ndim == 2:
        side = int(x.shape[1] ** 0.5)
        table = side * side != x.shape[1] or side < _SMALLEST
        if side * side == x.shape[1]:
            x = x.reshape(len(x), side, side)
        elif not rows:
            raise InputError(
                f"x has rows of {x.shape[1]} numbers, not a square: give images as (n, height, width), one as x[None]"
                + colours_in_rows(x.shape[1])
            )
        else:
            x = x[:, None, :]
    if not table:
        _require_no_negative(x)
    if trained is None and len(x) > 1 and (x[1] == x[0]).all() and (x == x[0]).all():
        warn("all images of x are equal: there is nothing to learn from them")
    x, scale = _scaled(x, trained, table)
    return np.ascontiguousarray(with_channels(x)), scale


def is_table(x: Any) -> bool:
    """Whether x has rows and columns (n, D); raises `InputError` for another object."""
    return as_array(x, "x").ndim == 2


def as_array(values: Any, name: str) -> np.ndarray:
    """Return what numpy makes of a value; raises `InputError` if it refuses or would lose what a mask says."""
    if hasattr(values, "toarray"):
        raise InputError(f"{name} is a sparse matrix, and sparse input is not supported: give {name}.toarray()")
    parts = values if isinstance(values, list | tuple) else (values,)
    if any(isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part) for part in parts):
        raise InputError(f"{name} is a masked array in which values are missing: fill them, as by {name}.filled(0)")
    _require_no_pairs(values, name)
    try:
        return np.asarray(values)
    except ValueError:  # a list of arrays of several shapes
        what, shape = ("images", "(n, height, width)") if name == "x" else ("labels", "(n,)")
        raise InputError(f"{name} holds {what} of different sizes: expected one size, an array {shape}") from None
    except (TypeError, RuntimeError) as error:  # a tensor on another device, or one that wants its gradient
        reason = str(error).splitlines()[0].rstrip(".")
        raise InputError(f"{name} cannot be made an array: {reason}; give one of NumPy") from None


def real_numbers(values: Any, name: str) -> np.ndarray:
    """Return numbers as float64; raises `InputError` for what only looks like numbers, as text, dates and masks do."""
    found = as_array(values, name)
    text = found.dtype.kind == "O" and any(isinstance(value, str | bytes) for value in found.ravel().tolist())
    if found.dtype.kind not in "biufO" or text:
        raise InputError(f"{name} holds {'text' if text else found.dtype}: expected real numbers")
    try:
        with np.errstate(over="ignore"):
            return found.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} does not hold real numbers alone: expected floats or whole numbers") from None


def _require_no_pairs(values: Any, name: str) -> None:
    """Refuse data sets of other libraries, whose items are images with their labels (`InputError`)."""
    if isinstance(values, np.ndarray) or hasattr(values, "__array__"):
        return
    try:
        first = values[0]
    except Exception:  # without a first item it is not a list of pairs, for any kind of error
        return
    pair = isinstance(first, tuple) and len(first) == 2 and hasattr(first[0], "size")
    if pair or isinstance(first, dict):
        raise InputError(
            f"{name} is a {type(values).__name__} whose items are images with labels: expected arrays of each, as "
            "jitnet.integrations.datasets.to_arrays makes them of Hugging Face's"
        )


def _scaled(x: np.ndarray, trained: Scale | None, table: bool) -> tuple[np.ndarray, Scale]:
    """Return pixels that are whole numbers as uint8 by their scale, other numbers as float32; and the scale."""
    low, high = float(x.min()), float(x.max())
    free = trained is not None and not trained.whole and (trained.full != 1.0 or trained.low < 0)  # of any range
    pixel = not free and (not table or (trained is not None and trained.whole))
    if not (pixel and (x.dtype.kind in "iub" or (low >= 0 and 1 < high <= 65535 and (x == np.trunc(x)).all()))):
        if trained is not None:
            _warn_of_range(low, high, trained, table)
            return x.astype(np.float32), trained
        if max(abs(low), abs(high)) > _LARGE:
            what = "numbers" if table else "fractions"
            warn(
                f"x holds {what} from {low:g} to {high:g}, which are taken as they are: networks learn from numbers "
                "of about 0 to 1, so divide pixels by 255 and scale other columns"
            )
        elif not table and 0 < max(abs(low), abs(high)) < _SMALL:
            warn(f"x holds fractions from {low:g} to {high:g}: pixels reach about 1 if they are divided by 255 once")
        full = max(abs(low), abs(high)) if low < 0 or high > 1.001 else 1.0
        return x.astype(np.float32), Scale(full, low, high, False)
    if trained is not None and trained.whole:
        made, note = pixels.as_trained(x, trained, "x")
        warn(note)
        return made, trained
    scale = pixels.scale_of([x], "x")
    if trained is None:
        warn(pixels.remark(scale, "x"))
    return pixels.to_bytes(x, scale, "x"), trained or scale


def _warn_of_range(low: float, high: float, trained: Scale, table: bool) -> None:
    """Warn of fractions whose range is not that of the numbers in `fit`, as the network saw them."""
    least, most = (0.0, 1.0) if trained.whole else (trained.low, trained.high)
    reach, found = max(abs(least), abs(most)), max(abs(low), abs(high))
    spare = (most - least) * _SPARE
    other = (
        low < least - spare or high > most + spare or 0 < found * _APART < reach or (least < 0 and low > least + spare)
    )
    if found > _APART * reach or (other and not table):
        seen = f"{trained.found}, divided by {trained.full:g}" if trained.whole else f"{trained.found}"
        warn(f"x holds fractions from {low:g} to {high:g}, and fit had {seen}: expected the same range, scale x alike")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside of jitnet that called it; of "" nothing."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("jitnet."):
        level, frame = level + 1, frame.f_back
    if message:
        warnings.warn(message, category, stacklevel=level)


def _numbers(x: np.ndarray) -> np.ndarray:
    """Return an array of whole numbers, or of finite floats."""
    if x.dtype.kind == "O" and x.size:  # a table of several types, of which numpy finds a common one
        try:
            x = np.array(x.tolist())
        except ValueError:
            raise InputError(
                "x holds images of different sizes: expected one size, an array (n, height, width)"
            ) from None
    if x.dtype.kind == "c":
        raise InputError(f"x is of type {x.dtype}. Complex data not supported: expected real numbers")
    if x.dtype.kind not in "iufb":
        raise InputError(f"x is of type {x.dtype}{_strange(x)}: expected numbers, as in an array (n, height, width)")
    if x.dtype.kind == "f":
        with np.errstate(over="ignore"):
            finite = np.isfinite(x.astype(np.float32)).all()
        if not finite:
            raise InputError(
                "x holds NaN, inf or a number beyond float32, which are not finite: expected finite numbers"
            )
    return x


def _require_no_negative(x: np.ndarray) -> None:
    """Refuse images of whole numbers of which one is negative (`InputError`): no scale of pixels has it."""
    if x.dtype.kind == "i" and x.min() < 0:
        place = tuple(int(i) for i in np.unravel_index(int(np.argmin(x)), x.shape))
        raise InputError(
            f"x has the value {x[place]} at {list(place)}: expected whole numbers from 0 to 255, or floats"
        )


def _strange(x: np.ndarray) -> str:
    """Return what an array holds instead of numbers, as a phrase."""
    if x.shape == ():
        return f", a single {type(x.item()).__name__}"
    found = ((place, value) for place, value in np.ndenumerate(x) if not isinstance(value, int | float | np.number))
    place, value = next(found, ((), ""))
    return f" and holds {str(value)[:20]!r} ({type(value).__name__.rstrip('_')}) at {list(place)}" if place else ""


def record_of(images: np.ndarray, classes: np.ndarray, scale: Scale) -> DataRecord:
    """Return the record of the data of `fit`: images (n, H, W, C) and the sorted labels (classes,)."""
    names, channels = tuple(map(str, classes.tolist())), images.shape[3]
    found, polarity = style.measure(style.as_bytes(images)) if scale.full == 1 or scale.whole else (style.AS_IS, "")
    return DataRecord(
        kind="arrays", class_names=names, numbers=names, scale=scale, channels=channels, image=images.shape[1:3],
        style=found, polarity=polarity,
    )  # fmt: skip


def warn_of_polarity(images: np.ndarray, record: DataRecord) -> None:
    """Warn of images (n, H, W, C) whose ink and paper are the other way round than those of `fit`."""
    if record.polarity and (other := style.other_polarity(images, record.polarity)):
        warn(
            f"the images of x are {other}, and those of fit were {record.polarity}: "
            "invert them, by 255 - x of bytes and 1 - x of fractions"
        )


def rows_of(x: Any) -> np.ndarray:
    """Return rows of numbers (n, D) as float64; raises `InputError` for none, or one that is not finite."""
    found = _numbers(as_array(x, "x")).astype(np.float64)
    if 0 in found.shape:
        which, count = ("sample", 0) if len(found) == 0 else ("feature", 0)
        raise InputError(f"x has {count} {which}(s) (shape={found.shape}) while a minimum of 1 is required.")
    return found


def column_names(x: Any) -> np.ndarray | None:
    """Return the names (D,) of a table's columns, None if they are not all text."""
    columns = getattr(x, "columns", None)
    if columns is None or not len(columns) or not all(isinstance(name, str) for name in columns):
        return None
    return np.array(list(columns), object)


def require_names(x: Any, known: np.ndarray | None, estimator: str) -> None:
    """Refuse a table whose columns are not those (D,) of `fit`, in their order (`InputError`); warn of one without."""
    names = column_names(x)
    if known is None and names is not None:
        warn(f"X has feature names, but {estimator} was fitted without feature names")
    elif known is not None and names is None:
        warn(f"X does not have valid feature names, but {estimator} was fitted with feature names")
    elif known is not None and names is not None and list(known) != list(names):
        other = next((name for name in names if name not in list(known)), None)
        raise InputError(
            "The feature names should match those that were passed during fit: expected "
            f"{some(known)}, found " + (f"{other!r} too" if other else "them in another order or fewer")
        )


def some(values: np.ndarray) -> str:
    """Return the first of some names or labels (n,), quoted where they are text, and how many there are."""
    shown = ", ".join(map(repr, values[:_SHOWN].tolist()))
    return shown if len(values) <= _SHOWN else f"{shown}, ... ({len(values):,} in all)"
