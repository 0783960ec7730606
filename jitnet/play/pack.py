"""Numbers as text in a page: rounded, deflated, and written with 85 printable characters. packed.js reads them."""

import base64
import zlib
from typing import Any

import numpy as np

FINEST = 24  # bits of a parameter, sign excluded, relative to the largest of its tensor: float32 has no more
_FEW = 0.1  # of all parameters: a smaller tensor is not rounded further than float32
_SHOWN = 4  # decimals with which the page shows parameters
_ALPHABET = bytes.maketrans(b"<>&-`", b"[],.:")  # b85's characters that mean something in HTML, and their substitutes


def text(data: bytes) -> str:
    """Return bytes as text of 5/4 their length, without a character that means something in HTML.

    The first character is the number of zeros that fill the last word of four bytes.
    """
    spare = -len(data) % 4
    return str(spare) + base64.b85encode(data + bytes(spare)).translate(_ALPHABET).decode("ascii")


def deflated(data: bytes) -> bytes:
    """Return bytes compressed as a browser's DecompressionStream("deflate") reads them."""
    return zlib.compress(data, 9)


def packed(tensors: dict[str, np.ndarray], bits: int) -> dict[str, Any]:
    """Return parameters as whole multiples of a step, one step a tensor, so that they take less room.

    Parameters
    ----------
    tensors : float arrays of any shape by name
    bits : a step is 2**-bits of the power of two that is not below the tensor's largest absolute value; a tensor of
        few parameters, which costs little room, has `FINEST`

    Returns
    -------
    dict : "exponents", a step's binary exponent per tensor, and "planes", the bytes of the whole numbers as texts
    """
    exponents = [_exponent(array, tensors, bits) for array in tensors.values()]
    whole = np.concatenate([_rounded(array, 2.0**each) for array, each in zip(tensors.values(), exponents)])
    code = np.where(whole < 0, -2 * whole - 1, 2 * whole)  # small numbers of either sign have leading zeros
    planes = [np.asarray(code >> 8 * place & 255, np.uint8) for place in range(4)]
    return {"exponents": exponents, "planes": [text(deflated(plane.tobytes())) for plane in planes]}


def restored(tensors: dict[str, np.ndarray], bits: int) -> dict[str, np.ndarray]:
    """Return the parameters, float32, that the page has when `tensors` are packed with that many bits."""
    found = {}
    for name, array in tensors.items():
        step = 2.0 ** _exponent(array, tensors, bits)
        found[name] = (_rounded(array, step) * step).astype(np.float32).reshape(array.shape)
    return found


def _exponent(array: np.ndarray, tensors: dict[str, np.ndarray], bits: int) -> int:
    """Return the binary exponent of the step of one of the tensors."""
    few = array.size < _FEW * sum(each.size for each in tensors.values())
    return int(np.frexp(np.abs(array).max(initial=0))[1]) - (FINEST if few else bits)


def _rounded(values: np.ndarray, step: float) -> np.ndarray:
    """Return values as int64 (n,) multiples of a step: the nearest that is shown with the same digits, if one is."""
    values = np.asarray(values, np.float64).ravel()
    whole = np.rint(values / step).astype(np.int64)
    shown = np.rint(values * 10**_SHOWN)
    other = whole + np.where(whole * step < values, 1, -1)
    swap = (np.rint(whole * step * 10**_SHOWN) != shown) & (np.rint(other * step * 10**_SHOWN) == shown)
    return np.where(swap, other, whole)


def coarse(pixels: np.ndarray, levels: int = 32) -> np.ndarray:
    """Return uint8 images of any shape rounded to that many grey levels, which takes a third less room."""
    step = 255 / (levels - 1)
    return np.rint(np.rint(pixels / step) * step).astype(np.uint8)


def images(pixels: np.ndarray) -> dict[str, str]:
    """Return uint8 images of any shape as texts: which pixels are not 0, and these pixels."""
    drawn = pixels != 0
    return {"mask": text(deflated(np.packbits(drawn).tobytes())), "levels": text(deflated(pixels[drawn].tobytes()))}


def floats(values: np.ndarray) -> str:
    """Return numbers as the text of their float32."""
    return text(deflated(np.ascontiguousarray(values, "<f4").tobytes()))


def labels(values: np.ndarray) -> str:
    """Return labels 0 to 255 as text."""
    return text(deflated(np.asarray(values, np.uint8).tobytes()))
