"""Small data sets and their files, for the tests of jitnet.data."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np

from jitnet.data.content import sha256
from jitnet.data.sources.known import FILES, Known

SHAPES = {"x_train": (40, 28, 28), "y_train": (40,), "x_test": (20, 28, 28), "y_test": (20,)}


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    made = {part: rng.integers(0, 256, shape, np.uint8) for part, shape in SHAPES.items()}
    return made | {part: np.arange(len(made[part]), dtype=np.uint8) % 10 for part in ("y_train", "y_test")}


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_idx(folder: Path, made: dict[str, np.ndarray], compress: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for part, array in made.items():
        content = idx_bytes(array)
        name = FILES[part] + (".gz" if compress else "")
        (folder / name).write_bytes(gzip.compress(content) if compress else content)
    return folder


def csv_text(x: np.ndarray, y: np.ndarray, header: str = "") -> str:
    rows = np.column_stack([y, x.reshape(len(x), -1)]).tolist()
    return header + "".join(",".join(map(str, row)) + "\n" for row in rows)


def tiny_fashion(mirrors: tuple[str, ...] = (), files: dict[str, bytes] | None = None) -> Known:
    """A stand-in for a set of which the MD5 of the .gz files are known, those of `files` by name."""
    md5 = {part: hashlib.md5((files or {}).get(f"{name}.gz", b"")).hexdigest() for part, name in FILES.items()}
    return Known(
        name="fashion", title="Fashion-MNIST", classes=10, shapes=SHAPES, md5=md5, npz="", folder="F", mirrors=mirrors
    )


def tiny_mnist(mirrors: tuple[str, ...] = ()) -> Known:
    """A stand-in for the table's entry, whose hashes are those of `arrays()`."""
    return Known(
        name="mnist",
        title="MNIST",
        classes=10,
        shapes=SHAPES,
        sha256={part: sha256(array) for part, array in arrays().items()},
        npz="mnist.npz",
        folder="MNIST",
        mirrors=mirrors,
    )
