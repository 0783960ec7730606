"""One image forward and backward through a network in plain numpy; every layer's values are kept, to be shown."""

from dataclasses import dataclass, field

import numpy as np

from jitnet.model.architecture import Conv, Pool, Shape

Tensors = dict[str, np.ndarray]


@dataclass
class Step:
    """What one layer computes."""

    shape: Shape
    x: np.ndarray  # input, (H, W, C) or (D,)
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
            out = _windows(x, shape).max(axis=-1)
        elif isinstance(shape.layer, Conv):
            out = np.einsum("yxcij,ijco->yxo", _patches(x), parameters[f"{shape.name}.weight"], optimize=True)
            out = _activate(shape.layer.activation, out + parameters[f"{shape.name}.bias"])
        else:
            x = x.reshape(-1)
            out = x @ parameters[f"{shape.name}.weight"] + parameters[f"{shape.name}.bias"]
            out = out if place == len(network) - 1 else _activate(shape.layer.activation, out)
        steps.append(Step(shape, x, out))
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
    if isinstance(shape.layer, Pool):  # to the first of the largest
        winners = _windows(x, shape).argmax(axis=-1)
        grad_x = np.zeros((x.shape[0] + 1, x.shape[1] + 1, x.shape[2]))
        y, column, channel = np.indices(winners.shape)
        np.add.at(grad_x, (2 * y + winners // 3, 2 * column + winners % 3, channel), grad)
        return grad_x[:-1, :-1]
    grad = grad if last else grad * _slope(shape.layer.activation, step.out)
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


def _windows(x: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the windows (OH, OW, C, 9) of a max-pool."""
    padded = np.pad(x, ((0, 1), (0, 1), (0, 0)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))[::2, ::2]
    height, width = shape.outputs[:2]
    return windows[:height, :width].reshape(height, width, x.shape[2], 9)


def _activate(kind: str, x: np.ndarray) -> np.ndarray:
    return {"relu": lambda: np.maximum(x, 0), "sigmoid": lambda: 1 / (1 + np.exp(-x)), "tanh": lambda: np.tanh(x)}.get(
        kind, lambda: x
    )()


def _slope(kind: str, out: np.ndarray) -> np.ndarray:
    """Return the derivative of an activation by its result."""
    return {"relu": out > 0, "sigmoid": out * (1 - out), "tanh": 1 - out * out}.get(kind, np.ones_like(out))
