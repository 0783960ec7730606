"""numpy's own files, `.npy` and `.npz`, without pickles and without believing their headers."""

import io
import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from jitnet.data.content import brief, read_exactly, read_file, shaped
from jitnet.errors import InputError

NUMBERS = "biuf"  # the kinds of dtypes that hold numbers
ALSO_TEXT = NUMBERS + "US"


def read(stream: IO[bytes], where: str, kinds: str = NUMBERS) -> np.ndarray:
    """Read one `.npy` file of numbers, or of the `kinds` of dtypes, to the stream's end.

    Returns an array with the file's shape and dtype, C-contiguous and writeable. Raises `InputError` when the
    header is damaged, announces objects, or does not fit the data that follows it.
    """
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        elif version == (2, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
        else:
            raise ValueError(f"version {version}")
    except Exception as error:  # the header is Python text: what a damaged one raises is nobody's promise
        raise InputError(
            f"{where} has no sound npy header ({brief(error)}): expected a file that np.save wrote"
        ) from None
    if dtype.kind not in kinds:
        wanted = "numbers or texts, save it as uint8 or by astype(str)" if "U" in kinds else "numbers, save it as uint8"
        raise InputError(f"{where} holds values of type {dtype.name}: expected {wanted}")
    if any(extent < 0 for extent in shape):
        raise InputError(f"{where} announces the shape {shape}: expected extents of at least 0, check the file")
    content = read_exactly(stream, math.prod(shape) * dtype.itemsize, where)
    if dtype.itemsize == 0:
        raise InputError(f"{where} holds texts of no length: expected labels, check the file")
    array = np.frombuffer(content, dtype)
    if dtype.kind == "U" and (np.frombuffer(content, np.dtype("u4").newbyteorder(dtype.byteorder)) > 0x10FFFF).any():
        raise InputError(f"{where} holds texts with characters that do not exist: expected labels, check the file")
    array = shaped(array, shape[::-1], where).T if fortran else shaped(array, shape, where)
    return np.require(array, dtype.newbyteorder("="), ["C", "A", "W"])


def decode(content: bytes, where: str, kinds: str = NUMBERS) -> np.ndarray:
    """Read an `.npy` file from its bytes; raises `InputError` as `read`."""
    return read(io.BytesIO(content), where, kinds)


def read_path(path: Path, kinds: str = NUMBERS) -> np.ndarray:
    """Read an `.npy` file; raises `InputError` as `read`."""
    return decode(read_file(path), str(path), kinds)


def names_in(content: bytes, where: str) -> list[str]:
    """Return the names of the arrays in an `.npz` file; raises `InputError` for another file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except Exception as error:  # a damaged archive raises many kinds of errors
        raise _unsound(where, error) from None


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of an `.npz` file; raises `InputError` as `read`."""
    content = read_file(path)
    return decode_npz(content, tuple(names_in(content, str(path))), str(path))


def _unsound(where: str, error: Exception) -> InputError:
    return InputError(f"{where} is not a sound npz file ({brief(error)}): expected one that np.savez wrote")


def decode_npz(content: bytes, names: tuple[str, ...], where: str, kinds: str = NUMBERS) -> dict[str, np.ndarray]:
    """Read the named arrays of an `.npz` file; raises `InputError` as `read`, and when one is missing."""
    arrays = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            missing = [name for name in names if f"{name}.npy" not in archive.namelist()]
            if missing:
                raise InputError(
                    f"{where} lacks {', '.join(missing)}: expected arrays named {', '.join(names)}, save them so"
                )
            for name in names:
                with archive.open(f"{name}.npy") as member:
                    arrays[name] = read(member, f"{name} in {where}", kinds)
    except InputError:
        raise
    except Exception as error:  # as above: a damaged archive raises many kinds of errors
        raise _unsound(where, error) from None
    return arrays
