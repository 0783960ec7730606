"""What the convolutions make of one image: the maps behind each ReLU, computed plainly from the named tensors."""

import numpy as np

from jitnet.model.architecture import Conv, Pool, Shape

Tensors = dict[str, np.ndarray]


def feature_maps(network: tuple[Shape, ...], tensors: Tensors, image: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return (name, map (H, W, C)) of each conv behind its ReLU; `image` is (H, W, C) bytes, or floats as they are."""
    x = image / 255 if image.dtype == np.uint8 else image
    maps = []
    for shape in network:
        if isinstance(shape.layer, Conv):
            windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((1, 1), (1, 1), (0, 0))), (3, 3), axis=(0, 1))
            weight, bias = tensors[f"{shape.name}.weight"], tensors[f"{shape.name}.bias"]
            x = np.maximum(np.einsum("hwcij,ijco->hwo", windows, weight, optimize=True) + bias, 0)
            maps.append((shape.name, x))
        elif isinstance(shape.layer, Pool):
            padded = np.pad(x, ((0, 1), (0, 1), (0, 0)), constant_values=-np.inf)
            windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
            x = windows[::2, ::2][: shape.outputs[0], : shape.outputs[1]].max(axis=(-2, -1))
    return maps
