"""A trained network as one file: safetensors with a hash over every byte, or npz for programs that know only numpy."""

import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from jitnet.data.pixels import Scale
from jitnet.data.readers.npy import read_npz
from jitnet.errors import InputError
from jitnet.model.architecture import Layer, parse, to_text
from jitnet.model.network import Network
from jitnet.storage import checkpoint
from jitnet.storage.atomic import replace_file
from jitnet.storage.checkpoint import Metadata, SaveError, Tensors


@dataclass(frozen=True)
class Saved:
    """What such a file holds."""

    hidden: tuple[Layer, ...]
    image: tuple[int, int, int]
    bias: str
    classes: np.ndarray
    tensors: Tensors
    scale: Scale | None = None  # of the numbers that it was trained on; None in files of before it was kept


def save(path: Path, network: Network, classes: np.ndarray, scale: Scale | None = None) -> None:
    """Write a network, its labels and the scale of its images, whole or not at all, as npz if the name ends so; raises `SaveError`."""
    metadata = {
        "classes": json.dumps(classes.tolist()),
        "classes_dtype": classes.dtype.str,
        "architecture": to_text(network.layers[:-1]),
        "image": " ".join(map(str, network.image)),
        "bias": network.bias,
    }
    if scale is not None:
        metadata["scale"] = json.dumps(asdict(scale))
    if path.suffix == ".npz":
        letters = np.frombuffer(json.dumps(metadata).encode(), np.uint8)  # numbers, as all else: no text, no pickle
        write_npz(path, network.tensors() | {"metadata": letters})
    else:
        checkpoint.save(path, network.tensors(), metadata)


def write_npz(path: Path, tensors: Tensors) -> None:
    """Write arrays by name, whole or not at all; raises `SaveError`."""
    content = io.BytesIO()
    np.savez(content, **tensors)  # type: ignore[arg-type]
    try:
        replace_file(path, content.getvalue())
    except OSError as error:
        raise SaveError(f"cannot save {path}: {error.strerror or error}") from error


def load(path: Path) -> Saved:
    """Read what `save` wrote; raises `InputError` for anything else."""
    try:
        tensors, metadata = _read_npz(path) if path.suffix == ".npz" else checkpoint.load(path)
        height, width, channels = (int(extent) for extent in metadata["image"].split())
        classes = np.array(json.loads(metadata["classes"]), metadata["classes_dtype"])
        image = (height, width, channels)
        scale = Scale(**json.loads(metadata["scale"])) if "scale" in metadata else None
        return Saved(parse(metadata["architecture"]), image, metadata["bias"], classes, tensors, scale)
    except InputError:
        raise
    except (KeyError, ValueError, TypeError):
        raise InputError(
            f"{path} is not a network that save() wrote; use `jitnet eval` for the run of a train"
        ) from None


def _read_npz(path: Path) -> tuple[Tensors, Metadata]:
    tensors = read_npz(path)
    return tensors, json.loads(tensors.pop("metadata").tobytes())
