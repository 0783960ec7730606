"""Tensors and their metadata in one file: safetensors with a hash over every byte, or npz for numpy alone."""

import io
import json
from pathlib import Path

import numpy as np

from jitnet.data.readers.npy import read_npz
from jitnet.errors import InputError
from jitnet.storage import checkpoint
from jitnet.storage.atomic import replace_file
from jitnet.storage.checkpoint import Metadata, SaveError, Tensors

_ENTRY = "metadata"  # of an npz file: JSON as bytes, since text would be a pickle


def save(path: Path, tensors: Tensors, metadata: Metadata) -> None:
    """Write tensors and metadata, whole or not at all, as npz if the name ends so; raises `SaveError`.

    As in a checkpoint, floats are finite.
    """
    if path.suffix != ".npz":
        checkpoint.save(path, tensors, metadata)
        return
    try:
        for name, array in tensors.items():
            checkpoint.check_finite(name, array)
    except ValueError as error:
        raise SaveError(f"cannot save {path}: {error}") from error
    content = io.BytesIO()
    letters = np.frombuffer(json.dumps(metadata).encode(), np.uint8)
    np.savez(content, **tensors, **{_ENTRY: letters})  # type: ignore[arg-type]
    try:
        replace_file(path, content.getvalue())
    except OSError as error:
        raise SaveError(f"cannot save {path}: {error.strerror or error}") from error


def load(path: Path) -> tuple[Tensors, Metadata]:
    """Read what `save` wrote, or a checkpoint; raises `InputError` if the file is damaged or a float is not finite."""
    if path.suffix != ".npz":
        return checkpoint.load(path)
    tensors, texts = load_foreign(path)
    try:
        for name, array in tensors.items():
            checkpoint.check_finite(name, array)
    except ValueError as error:
        raise InputError(f"{path} is not a usable model: {error}") from None
    return tensors, texts


def load_foreign(path: Path) -> tuple[Tensors, Metadata]:
    """Read the arrays of a .safetensors or .npz file of any program, and its metadata, empty if there are none.

    Nothing in the file is executed. Raises `InputError`.
    """
    if path.suffix == ".safetensors":
        return checkpoint.load_foreign(path)
    if path.suffix != ".npz":
        raise InputError(
            f"{path} cannot be imported: expected a .safetensors or .npz file, from PyTorch by "
            "safetensors.torch.save_file(model.state_dict(), FILE)"
        )
    tensors = read_npz(path)
    entry = tensors.get(_ENTRY)
    if entry is None or entry.dtype != np.uint8:
        return tensors, {}
    try:
        found = json.loads(tensors.pop(_ENTRY).tobytes())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InputError(f"{path} has damaged metadata: write it again")
    return tensors, found
