"""One image forward and backward through a network in plain numpy; every layer's values are kept, to be shown."""

import math
from dataclasses import dataclass, field

import numpy as np

from jitnet.model.architecture import Conv, Pool, Shape

Tensors = dict[str, np.ndarray]


@dataclass
class Step:
    """What one layer computes."""

    shape: Shape
    x: np.ndarray  # input, (H, W, C) or (D,)
    z: np.ndarray  # before the activation, shaped as out
    out: np.ndarray  # after the activation; of the last layer the logits
    grad_out: np.ndarray = field(default_factory=lambda: np.zeros(0))  # d loss / d out, shaped as out; after `backward`
    gradients: Tensors = field(default_factory=dict)  # of the layer's parameters by name


def forward(network: tuple[Shape, ...], tensors: Tensors, image: np.ndarray) -> list[Step]:
    """Return the steps of an image (H, W, C), uint8 (divided by 255) or floats; all in float64."""
    x = image / 255 if image.dtype == np.uint8 else image.astype(np.float64)
    parameters = _in_float64(tensors)
    steps = []
    for place, shape in enumerate(network):
        if isinstance(shape.layer, Pool):
            z = out = _pool(x, shape)
        elif isinstance(shape.layer, Conv):
            z = np.einsum("yxcij,ijco->yxo", _patches(x), parameters[f"{shape.name}.weight"], optimize=True)
            z = z + parameters[f"{shape.name}.bias"]
            out = activate(shape.layer.activation, z)
        else:
            x = x.reshape(-1)
            z = x @ parameters[f"{shape.name}.weight"] + parameters[f"{shape.name}.bias"]
            out = z if place == len(network) - 1 else activate(shape.layer.activation, z)
        steps.append(Step(shape, x, z, out))
        x = out
    return steps


def backward(steps: list[Step], tensors: Tensors, target: int, loss: str) -> None:
    """Fill in the gradients of the steps that `forward` returned, of an image whose class is `target`."""
    parameters = _in_float64(tensors)
    grad = _loss_gradient(steps[-1].out, target, loss)
    for step in reversed(steps):
        step.grad_out = grad.reshape(step.out.shape)
        grad = _backward(step, parameters, last=step is steps[-1])


def _in_float64(tensors: Tensors) -> Tensors:
    return {name: np.asarray(array, np.float64) for name, array in tensors.items()}


def _loss_gradient(logits: np.ndarray, target: int, loss: str) -> np.ndarray:
    """Return d loss / d logits (K,)."""
    powers = np.exp(logits - logits.max())
    chances = powers / powers.sum()
    error = chances - np.eye(len(logits))[target]
    if loss == "cross-entropy":
        return error
    slope = 2 * error / len(logits)  # of the mean squared error of the softmax
    return chances * (slope - slope @ chances)


def _backward(step: Step, parameters: Tensors, last: bool) -> np.ndarray:
    """Keep the gradients of a layer's parameters and return that of its input."""
    shape, x, grad = step.shape, step.x, step.grad_out
    if isinstance(shape.layer, Pool):
        return _pool_backward(x, shape, grad)
    grad = grad if last else grad * _slope(shape.layer.activation, step.z)
    weight = parameters[f"{shape.name}.weight"]
    if isinstance(shape.layer, Conv):
        channelwise = parameters[f"{shape.name}.bias"].shape[:2] == (1, 1)
        grad_bias = grad.sum(axis=(0, 1), keepdims=True) if channelwise else grad
        grad_weight = np.einsum("yxcij,yxo->ijco", _patches(x), grad, optimize=True)
        grad_x = np.einsum("yxoij,ijco->yxc", _patches(grad), weight[::-1, ::-1], optimize=True)
    else:
        grad_bias, grad_weight, grad_x = grad, np.outer(x, grad), weight @ grad
    step.gradients = {f"{shape.name}.weight": grad_weight, f"{shape.name}.bias": grad_bias}
    return grad_x


def _patches(x: np.ndarray) -> np.ndarray:
    """Return the 3x3 surroundings (H, W, C, 3, 3) of each pixel, zeros beyond the border."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(x, ((1, 1), (1, 1), (0, 0))), (3, 3), axis=(0, 1))


def _pool(x: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the largest or the average of each window."""
    if shape.layer == Pool("max"):
        return _windows(x, shape, beyond=-np.inf).max(axis=-1)
    return _windows(x, shape, beyond=0).sum(axis=-1) / _pixels(x, shape)


def _pool_backward(x: np.ndarray, shape: Shape, grad: np.ndarray) -> np.ndarray:
    """Return the gradient of a pool's input from that of its output."""
    grad_x = np.zeros((x.shape[0] + 1, x.shape[1] + 1, x.shape[2]))
    if shape.layer == Pool("max"):  # to the first of the largest
        winners = _windows(x, shape, beyond=-np.inf).argmax(axis=-1)
        y, column, channel = np.indices(winners.shape)
        np.add.at(grad_x, (2 * y + winners // 3, 2 * column + winners % 3, channel), grad)
    else:  # to all pixels of the window alike
        height, width = grad.shape[:2]
        for i, j in np.ndindex(3, 3):
            grad_x[i : i + 2 * height : 2, j : j + 2 * width : 2] += grad / _pixels(x, shape)
    return grad_x[:-1, :-1]


def _pixels(x: np.ndarray, shape: Shape) -> np.ndarray:
    """Return how many pixels of each window are in the image, (OH, OW, C)."""
    return _windows(np.ones_like(x), shape, beyond=0).sum(axis=-1)


def _windows(x: np.ndarray, shape: Shape, beyond: float) -> np.ndarray:
    """Return the windows (OH, OW, C, 9) of a pool, with the value `beyond` outside the image."""
    padded = np.pad(x, ((0, 1), (0, 1), (0, 0)), constant_values=beyond)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))[::2, ::2]
    height, width = shape.outputs[:2]
    return windows[:height, :width].reshape(height, width, x.shape[2], 9)


def activate(kind: str, z: np.ndarray) -> np.ndarray:
    match kind:
        case "relu":
            return np.maximum(z, 0)
        case "leaky-relu":
            return np.where(z > 0, z, 0.01 * z)
        case "sigmoid":
            return 1 / (1 + np.exp(-z))
        case "tanh":
            return np.tanh(z)
        case "gelu":
            return z * _normal(z)
        case "linear":
            return z
    raise ValueError(f"there is no activation {kind!r} here")


def _slope(kind: str, z: np.ndarray) -> np.ndarray:
    """Return the derivative of an activation."""
    f = activate(kind, z)
    match kind:
        case "relu":
            return (z > 0).astype(np.float64)
        case "leaky-relu":
            return np.where(z > 0, 1.0, 0.01)
        case "sigmoid":
            return f * (1 - f)
        case "tanh":
            return 1 - f * f
        case "gelu":
            return _normal(z) + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        case "linear":
            return np.ones_like(z)
    raise ValueError(f"there is no activation {kind!r} here")


def _normal(z: np.ndarray) -> np.ndarray:
    """Return the distribution function of the normal distribution."""
    return np.array([math.erf(value / math.sqrt(2)) for value in z.ravel()]).reshape(z.shape) / 2 + 0.5
