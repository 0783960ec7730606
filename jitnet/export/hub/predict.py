"""Classify images with a network of jitnet by NumPy and the safetensors library: `predict`, or as a program

python predict.py model.safetensors images.npy
"""

import math
import sys
from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky-relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "gelu": lambda z: z * (1 + np.vectorize(math.erf)(z / math.sqrt(2))) / 2,
    "linear": lambda z: z,
}


def predict(path: str, images: np.ndarray) -> np.ndarray:
    """Return the classes (n,), as numbers from 0, of images (n, H, W) or (n, H, W, C), uint8 or scaled floats."""
    from safetensors import safe_open

    with safe_open(path, "np") as file:
        about = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dictionary)
    x = images.reshape(len(images), *map(int, about["image"].split()))
    x = x / np.float32(255 if images.dtype == np.uint8 else 1)
    numbers = {"conv": 0, "dense": 0}
    for word in [*about["architecture"].split(), "dense:linear"]:  # "conv16", "pool", "dense100:tanh"; the outputs
        kind, _, activation = word.partition(":")
        kind = kind.rstrip("0123456789")
        if kind in ("pool", "avgpool"):  # over 3x3 pixels, of every second one; there are none beyond the border
            padded = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=np.nan)
            windows = sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2]
            x = (np.nanmax if kind == "pool" else np.nanmean)(windows, axis=(4, 5))
            continue
        numbers[kind] += 1
        weight, bias = (tensors[f"{kind}{numbers[kind]}.{part}"] for part in ("weight", "bias"))
        if kind == "conv":  # weight (3, 3, C, OC), bias (H, W, OC) or (1, 1, OC)
            patches = sliding_window_view(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), (3, 3), axis=(1, 2))
            z = np.einsum("nhwcij,ijco->nhwo", patches, weight, optimize=True) + bias
        else:  # weight (in, out), the inputs counted pixel by pixel, all channels of each
            z = x.reshape(len(x), -1) @ weight + bias
        x = ACTIVATIONS[activation or "relu"](z)
    return x.argmax(axis=1)


if __name__ == "__main__":
    np.savetxt(sys.stdout, predict(sys.argv[1], np.load(sys.argv[2])), fmt="%d")
