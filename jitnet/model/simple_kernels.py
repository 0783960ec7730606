"""A network as kernels/step.py takes it: the arrays of every layer, and the calls."""

from collections.abc import Iterator

import numpy as np

from jitnet.kernels.arrays import Layer, Net
from jitnet.kernels.table import CONV, DENSE, LINEAR, POOLS
from jitnet.machine import memory
from jitnet.model.architecture import Conv, Dense, Pool, Shape
from jitnet.model.memory_plan import ACTIVATIONS, aligned_zeros, parameter_offsets
from jitnet.model.optimizer import Optimizer

ROOM = 64  # images at a time: a larger batch adds up its gradient in parts, to bound memory


class SimpleKernels:
    """The simple step of one network.

    Parameters
    ----------
    shapes : the network's layers
    params : (P,) its parameters, updated by training
    loss : CROSS_ENTROPY or MSE, and the smoothing of the labels
    images : in a batch, at the most
    dropout : chance that an output of a hidden dense layer is dropped in training
    seed : of the dropout
    """

    def __init__(
        self,
        shapes: tuple[Shape, ...],
        params: np.ndarray,
        loss: tuple[int, float],
        images: int,
        dropout: float = 0,
        seed: int = 0,
    ):
        self.images = images
        room, dtype = min(images, ROOM), params.dtype
        sizes = [2 * int(np.prod(shape.outputs)) for shape in shapes]  # out and grad_out; z and grad_z: the same again
        values = int(np.prod(shapes[0].inputs)) + sum(
            size * (1 + bool(shape.weight)) for size, shape in zip(sizes, shapes)
        )
        memory.require((params.size + room * values) * dtype.itemsize, f"a batch of {images:,} images in this network")
        grads: np.ndarray = aligned_zeros(params.size, dtype.type)
        offsets = parameter_offsets(shapes)

        def part(arena: np.ndarray, name: str) -> np.ndarray | None:
            if name not in offsets:
                return None
            start, extents = offsets[name]
            return arena[start : start + int(np.prod(extents))].reshape(extents)

        def array(extents: tuple[int, ...], kind: type | np.dtype = dtype) -> np.ndarray:
            return np.zeros((room, *extents), kind)

        layers: list[Layer] = []
        for place, shape in enumerate(shapes):
            is_pool, name = isinstance(shape.layer, Pool), shape.name
            is_last = place == len(shapes) - 1
            layers.append(
                Layer(
                    kind=_kind(shape.layer),
                    activation=LINEAR
                    if is_last or isinstance(shape.layer, Pool)
                    else ACTIVATIONS[shape.layer.activation],
                    dropout=dropout if isinstance(shape.layer, Dense) and not is_last else 0.0,
                    weight=part(params, f"{name}.weight"),
                    bias=part(params, f"{name}.bias"),
                    grad_weight=part(grads, f"{name}.weight"),
                    grad_bias=part(grads, f"{name}.bias"),
                    x=layers[-1].out.reshape(room, *shape.inputs) if layers else array(shape.inputs),
                    z=None if is_pool else array(shape.outputs),
                    out=array(shape.outputs),
                    winner=array(shape.outputs, np.uint8) if shape.layer == Pool("max") else None,
                    grad_out=array(shape.outputs),
                    grad_z=None if is_pool else array(shape.outputs),
                    grad_x=layers[-1].grad_out.reshape(room, *shape.inputs) if layers else None,
                )
            )
        self.net = Net(tuple(layers), *loss, seed, params, grads, np.zeros(room))

    def train(self, optimizer: Optimizer, *recipe) -> int:
        """Train as `kernels.step.train`; the recipe is its arguments from `images` on."""
        from jitnet.kernels.step import train

        return train(self.net, optimizer.rule, optimizer.first, optimizer.second, optimizer.taken, *recipe)

    def add_gradient(self, grad: np.ndarray, *batch) -> float:
        """Add a batch's gradient to `grad` (P,) and return the sum of its losses; see `kernels.step.add_gradient`."""
        from jitnet.kernels.step import add_gradient

        self.net.grads[:] = 0
        total = add_gradient(self.net, *batch)
        grad += self.net.grads
        return total

    def predict(self, images: np.ndarray, divisor: np.floating, order: np.ndarray, out: np.ndarray) -> None:
        """Write the scores (N, K) of the images that `order` (N,) names."""
        from jitnet.kernels.step import predict

        predict(self.net, images, divisor, order, out)

    def outputs(self) -> Iterator[np.ndarray]:
        """Yield what each layer with parameters put out last."""
        return (layer.out for layer in self.net.layers if layer.weight is not None)

    def calls(self, targets: np.ndarray, optimizer: Optimizer | None) -> dict[str, tuple]:
        """Return the kernels that this network calls, as module.function, each with arguments of the right types.

        Without an optimizer those of inference alone.
        """
        found: dict[str, tuple] = {}
        floats = np.zeros(1)
        for layer in self.net.layers:
            if layer.weight is None:
                word = next(word for word, kind in POOLS.items() if kind == layer.kind)
                winner = () if layer.winner is None else (layer.winner,)
                found[f"layers.pooling.{word}_pool2d_forward"] = (layer.x, layer.out, *winner)
                found[f"layers.pooling.{word}_pool2d_backward"] = (layer.grad_out, *winner, layer.x)
                continue
            word = "convolution.conv2d" if layer.kind == CONV else "linear.linear"
            flat = layer.out.reshape(-1)
            found[f"layers.{word}_forward"] = (layer.x, layer.weight, layer.bias, layer.z)
            found["layers.activation.activation_forward"] = (layer.activation, flat, flat)
            found["layers.activation.activation_backward"] = (layer.activation, flat, flat, flat)
            gradients = (layer.grad_weight, layer.grad_bias)
            found[f"layers.{word}_backward_weight"] = (layer.x, layer.grad_z, *gradients)
            if layer.grad_x is not None:
                found[f"layers.{word}_backward_input"] = (layer.grad_z, layer.weight, layer.grad_x)
        if optimizer is None:
            return {name: arguments for name, arguments in found.items() if name.endswith("_forward")}
        dropping = next((layer for layer in self.net.layers if layer.dropout), None)
        if dropping is not None:
            found["layers.dropout.dropout"] = (
                dropping.dropout,
                self.net.seed,
                0,
                0,
                np.zeros(1, np.int64),
                dropping.out,
            )
        last, params = self.net.layers[-1], self.net.params
        scale, order, loss = params.dtype.type(1), np.zeros(1, np.int64), (self.net.loss, self.net.smoothing)
        found["layers.loss.output_loss"] = (*loss, last.out, targets, order, scale, floats, last.out)
        state = (optimizer.first, optimizer.second)
        found["layers.optimizer.optimizer_step"] = (optimizer.rule, params, self.net.grads, *state, 1.0, 1)
        return found


def _kind(layer: Conv | Pool | Dense) -> int:
    """Return a layer's code."""
    if isinstance(layer, Pool):
        return POOLS[layer.kind]
    return CONV if isinstance(layer, Conv) else DENSE
