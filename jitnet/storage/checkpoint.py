"""Checkpoints: safetensors files with a SHA-256 over every byte, saved so that no crash loses the last one.

A file is an 8-byte little-endian length, a JSON header of that length, and the raw little-endian arrays; any
safetensors library opens it. Nothing in it is ever executed. Two entries of its metadata are ours: `format`
names the version of this layout, `sha256` is the digest of the whole file, its own 64 digits taken as zeros.
"""

import hashlib
import json
import math
import os
import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from jitnet.errors import InputError, JitnetError
from jitnet.storage.atomic import replace_file

Tensors = dict[str, np.ndarray]
Metadata = dict[str, str]

VERSION = 1
DTYPES = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U64": "<u8", "U8": "|u1"}
HEADER_LIMIT = 1 << 20  # bytes; ours have about 2,000, and a reader should not parse more than it can trust
AXES_LIMIT = 8

_CODES = {np.dtype(text): code for code, text in DTYPES.items()}
_NO_DIGEST = "0" * 64


class SaveError(JitnetError):
    """A checkpoint could not be saved. What was saved before is untouched."""


def save(path: str | Path, tensors: Tensors, metadata: Metadata) -> None:
    """Write a checkpoint to `path`, whole or not at all.

    Arrays have any layout in memory, a dtype of `DTYPES`, at most 8 axes, none empty; floats are finite.
    Names and metadata are printable text; `format` and `sha256` are set here. When this returns, the file has
    been read back and survives a power loss. Raises `SaveError`; what was at `path` is then still whole.
    """
    _save(Path(path), tensors, metadata, keep=None)


def save_rotating(last: str | Path, previous: str | Path, tensors: Tensors, metadata: Metadata) -> None:
    """Save as `save` does to `last`; what was there becomes `previous` in the same folder, if it is valid.

    A kill or a power loss at any moment leaves a valid checkpoint under one of the names, if there was one
    before. A damaged `last` never replaces `previous`, which may be the only good one. Raises `SaveError`.
    """
    last, previous = Path(last), Path(previous)
    try:
        load(last)
    except InputError:
        _save(last, tensors, metadata, keep=None)
    else:
        _save(last, tensors, metadata, keep=previous)


def load(path: str | Path) -> tuple[Tensors, Metadata]:
    """Read a checkpoint: writable arrays by name, and its metadata with `format` and `sha256`.

    Every byte is verified, every size is checked before memory is taken for it, and all floats are finite.
    Raises `InputError`, one sentence with the file's name and the reason, for anything else.
    """
    return _load(Path(path), ours=True)


def load_foreign(path: str | Path) -> tuple[Tensors, Metadata]:
    """Read the arrays of a safetensors file of any program, and its metadata: checked as by `load`, except for a hash.

    Raises `InputError`; of the types of the format those in `DTYPES` are read.
    """
    tensors, metadata = _load(Path(path), ours=False)
    found = metadata.items() if isinstance(metadata, dict) else ()
    return tensors, {name: text for name, text in found if isinstance(text, str) and text.isprintable()}


def _load(path: Path, ours: bool) -> tuple[Tensors, Metadata]:
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is not a regular file")
        with open(path, "rb") as file:
            return _decode(file, ours)
    except FileNotFoundError:
        reason = "there is no such file"
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError as error:
        reason = str(error)
    raise InputError(f"{path} is not a usable {'checkpoint' if ours else 'safetensors file'}: {reason}")


def content_hash(tensors: Tensors) -> str:
    """Return the SHA-256 (64 hex digits) of names, dtypes, shapes and bytes: the identity of a state.

    >>> state = {"b": np.zeros(2), "a": np.ones(3)}
    >>> content_hash(state) == content_hash(dict(reversed(state.items())))
    True
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = _little_endian(tensors[name])
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode() + b"\n")
        digest.update(array.tobytes())
    return digest.hexdigest()


def _save(path: Path, tensors: Tensors, metadata: Metadata, *, keep: Path | None) -> None:
    try:
        replace_file(path, _encode(tensors, metadata), keep=keep)
    except OSError as error:
        raise SaveError(f"cannot save {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise SaveError(f"cannot save {path}: {error}") from error


def _little_endian(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _encode(tensors: Tensors, metadata: Metadata) -> bytes:
    """Return the whole file. Wide dtypes come first, so that every array is aligned to its element."""
    header: dict[str, Any] = {"__metadata__": {**metadata, "format": f"jitnet-{VERSION}", "sha256": _NO_DIGEST}}
    _check_text(header["__metadata__"])
    parts = []
    end = 0
    for name in sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name)):
        array = _little_endian(tensors[name])
        if array.dtype not in _CODES:
            raise ValueError(f"{name!r} is of dtype {array.dtype}: expected one of {', '.join(DTYPES)}")
        check_finite(name, array)
        begin, end = end, end + array.nbytes
        entry = {"dtype": _CODES[array.dtype], "shape": list(array.shape), "data_offsets": [begin, end]}
        _check_entry(name, entry)
        header[name] = entry
        parts.append(array.tobytes())
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)
    if len(text) > HEADER_LIMIT:
        raise ValueError(f"its header has {len(text)} bytes: expected at most {HEADER_LIMIT}")
    length = len(text).to_bytes(8, "little")
    digest = hashlib.sha256(b"".join([length, text, *parts])).hexdigest()
    at = _digits_at(text, _NO_DIGEST)
    return b"".join([length, text[:at], digest.encode(), text[at + 64 :], *parts])


def _decode(file: BinaryIO, ours: bool) -> tuple[Tensors, Metadata]:
    """Return arrays and metadata of an open file; raises `ValueError` with the reason why not."""
    size = os.fstat(file.fileno()).st_size
    text = _read_header(file, size)
    header = _parse(text)
    metadata = header.pop("__metadata__", None)
    if ours:
        _check_text(metadata)
        _check_version(metadata)
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: _check_entry(*item)):
        if entry["data_offsets"][0] != end:
            raise ValueError(f"the data of {name!r} begin at {entry['data_offsets'][0]} where {end} was expected")
        end = entry["data_offsets"][1]
    promised = 8 + len(text) + end
    if size != promised:
        kind = "truncated" if size < promised else "followed by foreign bytes"
        raise ValueError(f"it is {kind}: it has {size} bytes, and its header describes {promised}")
    data = file.read(end)
    if len(data) != end or (ours and not _is_whole(text, data, metadata)):
        raise ValueError("its contents do not match its sha256, so at least one bit has changed")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        array = np.frombuffer(data[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
        check_finite(name, array)
        tensors[name] = array.astype(array.dtype.newbyteorder("="))  # a copy: aligned and writable
    return tensors, metadata


def _is_whole(text: bytes, data: bytes, metadata: Metadata) -> bool:
    """Does a file's header name the digest of all its bytes?"""
    digits = metadata.get("sha256", "")
    at = _digits_at(text, digits)
    digest = hashlib.sha256(len(text).to_bytes(8, "little"))
    for part in (text[:at], _NO_DIGEST.encode(), text[at + 64 :], data):
        digest.update(part)
    return digest.hexdigest() == digits


def _read_header(file: BinaryIO, size: int) -> bytes:
    if size == 0:
        raise ValueError("it is empty")
    if size < 8:
        raise ValueError(f"it is truncated: it has {size} bytes, not even a header")
    length = int.from_bytes(file.read(8), "little")
    if length > HEADER_LIMIT:
        raise ValueError(f"its header claims {length} bytes, more than the {HEADER_LIMIT} allowed")
    if length > size - 8:
        raise ValueError(f"it is truncated: its header claims {length} bytes of {size - 8}")
    return file.read(length)


def _parse(text: bytes) -> dict[str, Any]:
    """Return the header as a dictionary whose keys were all different."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError(f"its header has two entries called {max(names, key=names.count)!r}")
        return dict(pairs)

    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=unique)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("its header is not JSON") from None
    if not isinstance(header, dict):
        raise ValueError("its header is not a JSON object")
    return header


def _check_text(metadata: Any) -> None:
    """Check that metadata are printable strings, so that they may be shown on any terminal."""
    if not isinstance(metadata, dict):
        raise ValueError("it has no metadata, so jitnet did not write it")
    for name, value in metadata.items():
        if not (isinstance(value, str) and name.isprintable() and value.isprintable()):
            raise ValueError(f"its metadata {name!r} is not printable text")


def _check_version(metadata: Metadata) -> None:
    match = re.fullmatch(r"jitnet-([0-9]{1,9})", metadata.get("format", ""))
    if match is None:
        raise ValueError(f"its format is {metadata.get('format')!r}: expected 'jitnet-{VERSION}'")
    if int(match[1]) > VERSION:
        writer = metadata.get("jitnet", "?")
        raise ValueError(
            f"it has format {match[0]}, written by jitnet {writer}, and this jitnet reads up to "
            f"jitnet-{VERSION}: update jitnet"
        )


def _check_entry(name: str, entry: Any) -> list[int]:
    """Return an entry's offsets after checking it in exact integers, before any memory is taken."""
    if name == "__metadata__" or not name.isprintable():
        raise ValueError(f"a tensor cannot be called {name!r}")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"the entry {name!r} has not exactly dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        advice = "; in PyTorch `model.float()` before saving makes F32 of it" if dtype in ("F16", "BF16") else ""
        raise ValueError(f"{name!r} has the unknown dtype {dtype!r}: expected one of {', '.join(DTYPES)}{advice}")
    for values, least in ((shape, 1), (offsets, 0)):
        if not isinstance(values, list) or any(type(value) is not int or value < least for value in values):
            raise ValueError(f"{name!r} has a shape or offsets that are not whole numbers, each extent at least 1")
    if len(shape) > AXES_LIMIT or len(offsets) != 2:
        raise ValueError(f"{name!r} has {len(shape)} axes and {len(offsets)} offsets: expected up to 8, and 2")
    if math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize != offsets[1] - offsets[0]:
        raise ValueError(f"the shape of {name!r} does not fit its data")
    return offsets


def check_finite(name: str, array: np.ndarray) -> None:
    """Raise `ValueError` if an array of floats has NaN or an infinity."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name!r} has a value that is not finite")


def _digits_at(header: bytes, digits: str) -> int:
    """Return where the 64 digits of the file's own digest begin."""
    key = b'"sha256":"'
    at = header.find(key + digits.encode() + b'"') if re.fullmatch("[0-9a-f]{64}", digits) else -1
    if at < 0:
        raise ValueError("it has no sha256 of its contents")
    return at + len(key)
