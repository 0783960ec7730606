"""What the numbers of images mean: their full scale is found out, and they become bytes.

One rule for files, estimators and `predict`: whole numbers are compared with the usual full scales, fractions must
be 0 to 1 (or almost 0 to 255). What a data set was found to have is kept with it, and later images follow it.
"""

from dataclasses import dataclass

import numpy as np

from jitnet.errors import InputError

BYTES = 255.0
_WHOLE = (1, 3, 7, 15, 16, 255, 1023, 4095, 16383, 65535)  # full scales in use: of bits, and the UCI digits' 16
_FEW = 1000  # of all that is not black one pixel in this many above 255 is a mistake, not a deeper scale
_APART = 10  # full scales that differ by this factor are no matter of a darker or lighter part
_DIM = 128  # a largest byte below this may be of another scale


@dataclass(frozen=True)
class Scale:
    """The meaning of numbers: `full` is white, and they were found from `low` to `high`."""

    full: float = BYTES
    low: float = 0.0
    high: float = BYTES
    whole: bool = True
    dtype: str = "uint8"

    @property
    def found(self) -> str:
        """Return the range as a phrase."""
        kind = "whole numbers" if self.whole else "fractions"
        return f"{kind} from {self.low:g} to {self.high:g}"


def scale_of(arrays: list[np.ndarray], where: str) -> Scale:
    """Return the scale of the numbers in all of some arrays together; raises `InputError` if it cannot be told."""
    for values in arrays:
        if values.dtype.kind not in "biuf":
            raise InputError(f"{where} has values of type {values.dtype}: expected numbers, whole or from 0 to 1")
    arrays = [values for values in arrays if values.size]
    for values in arrays:
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            place = tuple(int(i) for i in np.unravel_index(int(np.argmin(np.isfinite(values))), values.shape))
            raise InputError(
                f"{where} has the value {values[place]} at {list(place)}: expected finite pixels, correct the file"
            )
    lows, highs = [float(values.min()) for values in arrays], [float(values.max()) for values in arrays]
    low, high = min(lows, default=0.0), max(highs, default=0.0)
    wholes = [values.dtype.kind != "f" or bool((values == np.trunc(values)).all()) for values in arrays]
    whole = all(wholes)
    if (
        not whole
        and any(top > 1.001 for top in highs)
        and any(top <= 1.001 and not one for top, one in zip(highs, wholes))
    ):
        raise InputError(f"{where} has pixels up to 1 in one part and up to {high:g} in another: expected one scale")
    if low < 0 and (low, high) != (-1, 1):
        raise InputError(
            f"{where} has the value {low:g} at {_place(arrays, low)}: expected pixels of at least 0; save them from 0 "
            "to 255, not standardised"
        )
    if high > BYTES and whole:
        above, drawn = (sum(int((values > level).sum()) for values in arrays) for level in (BYTES, 0))
        if above * _FEW < drawn or above == 1:
            raise InputError(
                f"{where} has the value {high:g} at {_place(arrays, high)}, and {above:,} of its pixels are above 255: "
                "expected whole numbers from 0 to 255, correct the file"
            )
    dtypes = sorted({values.dtype.name for values in arrays}) or ["uint8"]
    return Scale(_full(low, high, whole, where), low, high, whole, dtypes[-1])


def require_one_scale(parts: list[np.ndarray], where: str) -> None:
    """Refuse images for training and for testing whose full scales are far from each other (`InputError`)."""
    found = [scale_of([part], where) for part in parts]
    fulls = [scale.full for scale in found if scale.high > 0]
    if fulls and max(fulls) >= _APART * min(fulls):
        shown = " and ".join(f"{scale.found} ({scale.dtype})" for scale in found)
        raise InputError(f"{where} has {shown} in its parts: expected one scale, bring them to the same")


def _place(arrays: list[np.ndarray], value: float) -> list[int]:
    """Return where a value stands first."""
    found = next(values for values in arrays if (values == value).any())
    return [int(i) for i in np.unravel_index(int(np.argmax(found == value)), found.shape)]


def _full(low: float, high: float, whole: bool, where: str) -> float:
    found = f"{where} has {'whole numbers' if whole else 'fractions'} from {low:g} to {high:g}"
    if low < 0:
        return 1.0
    if whole:
        if high == 0:  # nothing is known
            return BYTES
        if high > _WHOLE[-1]:
            raise InputError(f"{found}: expected at most {_WHOLE[-1]:,} (16 bits), correct the file")
        return float(next(full for full in _WHOLE if high <= full))
    if high <= 1.001:
        return 1.0
    if _DIM <= high <= 255.5:
        return BYTES
    raise InputError(f"{found}: expected 0 to 1, or 0 to 255; divide them by their full scale")


def to_bytes(values: np.ndarray, scale: Scale, where: str) -> np.ndarray:
    """Return numbers of a known scale as a C-contiguous, writeable uint8 array of the same shape.

    Raises `InputError` for numbers outside the scale.
    """
    if values.dtype == np.uint8 and scale.full == BYTES:
        return np.require(values, np.uint8, ["C", "W"])
    signed = scale.low < 0
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if low < (-scale.full if signed else 0) or high > scale.full * 1.004:
        raise InputError(
            f"{where} has values from {low:g} to {high:g}: expected {-scale.full if signed else 0:g} to "
            f"{scale.full:g}, as in the data that the network was trained on"
        )
    if scale.full == BYTES and values.dtype.kind in "iu":
        return np.require(values, np.uint8, ["C", "W"])
    share = values.astype(np.float32) / np.float32(scale.full)
    if signed:
        share = (share + 1) / 2
    return np.require(np.clip(np.rint(share * 255), 0, 255), np.uint8, ["C", "W"])


def as_trained(values: np.ndarray, scale: Scale, where: str) -> tuple[np.ndarray, str]:
    """Return images as bytes by the rule of the data that a network was trained on, and a note, "" if none is due.

    Numbers of that scale follow it, and so do fractions from 0 to 1 of any scale; whole numbers that only fit
    another scale are refused (`InputError`).
    """
    if values.dtype.kind == "b":
        return to_bytes(values, Scale(1.0), where), ""
    own = scale_of([values], where)
    if not own.whole and own.full == 1.0 and own.low >= 0:
        return to_bytes(values, own, where), ""
    if own.high > scale.full and scale.full == 1.0 and not scale.whole and own.full == BYTES:
        return to_bytes(values, own, where), ""  # fractions were trained on, and bytes mean the same
    note = ""
    if own.whole and 0 < own.high * _APART <= scale.high:
        note = f"{where} has {own.found}: divided by {scale.full:g} as in training; give 0 to {scale.full:g}"
    return to_bytes(values, scale, where), note


def remark(scale: Scale, where: str) -> str:
    """Return what should be said about a scale as a sentence, "" where it is the usual one."""
    if scale.full == BYTES and scale.whole and (scale.high >= _DIM or scale.high == 0):
        if scale.dtype.startswith("float"):
            return f"the pixels of {where} are whole numbers as floats, up to {scale.high:g}: they are divided by 255"
        return ""
    if not scale.whole and scale.full == 1.0 and scale.low >= 0:
        few = "; is 1 their full scale?" if 0 < scale.high < scale.full / _APART else ""
        return f"the pixels of {where} are {scale.found}: they are kept as bytes, in 256 levels{few}"
    ending = "; is that their full scale?" if scale.full == BYTES and scale.high < _DIM else ""
    if scale.low < 0:
        return f"the pixels of {where} are {scale.found}: -1 is taken for black and 1 for white"
    return f"the pixels of {where} are {scale.found}: they are divided by {scale.full:g}{ending}"


def require_content(images: np.ndarray, where: str) -> str:
    """Refuse images (N, ...) that are all equal (`InputError`); return a note about blank ones, "" if there are few."""
    if len(images) == 1:
        raise InputError(f"{where} has one image: expected several of each class")
    flat = images.reshape(len(images), -1)
    if (flat == flat[0]).all():
        what = f"every pixel of all images is {flat[0, 0]}" if flat[0].min() == flat[0].max() else "all are the same"
        raise InputError(f"{where} has {len(images):,} images, and {what}: expected images that differ, check the file")
    blank = int((flat.min(axis=1) == flat.max(axis=1)).sum())
    if blank * 100 > len(flat):
        return f"{blank:,} of the {len(flat):,} images of {where} are blank"
    return ""
