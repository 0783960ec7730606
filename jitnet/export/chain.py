"""The layers of another program's network, collected one after the other as its graph is read from input to output."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jitnet.model.architecture import Conv, Dense, Layer, Pool, to_text
from jitnet.storage.checkpoint import Tensors

MONOTONE = ("relu", "leaky-relu", "sigmoid", "tanh", "linear")  # the largest of a pool's window is the same after them


class UnsupportedError(Exception):
    """A layer that jitnet lacks; its text is a clause that follows "which"."""


@dataclass
class Chain:
    """Layers with their parameters, which have PyTorch's axes: (OC, C, 3, 3), (out, in), (OC, H, W)."""

    layers: list[Layer] = field(default_factory=list)
    tensors: Tensors = field(default_factory=dict)
    layout: str = "torch"  # or "jitnet": a dense layer reads a map pixel by pixel
    _activated: bool = False  # whether the last layer with parameters has its activation
    _flat: bool = False

    @property
    def hidden(self) -> str:
        """The hidden layers as text."""
        return to_text(tuple(self.layers[:-1])) or " "

    @property
    def bias(self) -> str:
        """Whether conv biases are per "position" or per "channel"."""
        biases = [array for name, array in self.tensors.items() if name.startswith("conv") and name.endswith(".bias")]
        return "position" if any(array.ndim >= 3 and max(array.shape[-2:]) > 1 for array in biases) else "channel"

    @property
    def network(self) -> str:
        """The preset whose name the network takes."""
        return "cnn" if "conv1.weight" in self.tensors else "mlp"

    @property
    def outputs(self) -> int:
        """The units of the last layer."""
        last = self.layers[-1] if self.layers else None
        if not isinstance(last, Dense):
            raise UnsupportedError("does not end in a dense layer")
        if last.activation != "linear":
            raise UnsupportedError(f"has the activation {last.activation} at its outputs: jitnet has none there")
        return last.units

    def conv(self, weight: np.ndarray, bias: np.ndarray | None) -> None:
        """Add a convolution: weight (OC, C, 3, 3), bias (OC,) or (OC, H, W)."""
        if weight.ndim != 4 or weight.shape[2:] != (3, 3):
            raise UnsupportedError(f"has filters of {'x'.join(map(str, weight.shape[2:]))}: jitnet has 3x3")
        if self._flat:
            raise UnsupportedError("comes after a dense layer: jitnet has every conv before")
        self._add(Conv(len(weight), "linear"), weight, bias)

    def dense(self, weight: np.ndarray, bias: np.ndarray | None) -> None:
        """Add a dense layer: weight (out, in), bias (out,)."""
        self._flat = True
        self._add(Dense(len(weight), "linear"), weight, bias)

    def add_bias(self, bias: np.ndarray) -> None:
        """Add a bias that is not part of the layer before."""
        name = self._name()
        if not name or self._activated or isinstance(self.layers[-1], Pool):
            raise UnsupportedError("adds numbers elsewhere than just after a conv or dense layer")
        held = self.tensors[f"{name}.bias"]
        if bias.ndim == 4 and len(bias) == 1:
            bias = bias[0]
        if bias.size == 1 or isinstance(self.layers[-1], Dense):
            bias = bias.reshape(-1)
        elif bias.ndim != 3 or len(bias) not in (1, len(held)):  # one axis alone is that of the columns
            raise UnsupportedError(f"adds numbers of the shape {bias.shape}: jitnet has one per channel or position")
        elif held.ndim == 1:
            held = held[:, None, None]
        self.tensors[f"{name}.bias"] = held + bias

    def activate(self, kind: str) -> None:
        """Give the last layer its activation."""
        if not self.layers:
            raise UnsupportedError("comes before the first layer")
        place = len(self.layers) - 1
        if isinstance(self.layers[-1], Pool):
            if self.layers[-1] != Pool() or kind not in MONOTONE:  # of averages this is not true
                raise UnsupportedError("comes after a pool: jitnet has the activation before it")
            place -= 1
        layer = self.layers[place]
        if self._activated:
            raise UnsupportedError("is a second activation of one layer")
        assert isinstance(layer, Conv | Dense)
        self.layers[place] = type(layer)(layer.filters if isinstance(layer, Conv) else layer.units, kind)
        self._activated = True

    def pool(self, kind: str) -> None:
        """Add a pool, "max" or "average"."""
        if not self.layers or not isinstance(self.layers[-1], Conv):
            raise UnsupportedError("is a pool that does not follow a conv")
        self.layers.append(Pool(kind))

    def _add(self, layer: Layer, weight: np.ndarray, bias: np.ndarray | None) -> None:
        self.layers.append(layer)
        self._activated = False
        name = self._name()
        self.tensors[f"{name}.weight"] = weight
        self.tensors[f"{name}.bias"] = np.zeros(len(weight), weight.dtype) if bias is None else bias

    def _name(self) -> str:
        """Return the name of the last layer with parameters, "conv1"."""
        kinds = [type(layer) for layer in self.layers if not isinstance(layer, Pool)]
        return f"{kinds[-1].__name__.lower()}{kinds.count(kinds[-1])}" if kinds else ""


def require(given: dict[str, Any], usual: dict[str, Any], needed: dict[str, Any]) -> None:
    """Raise `UnsupportedError` unless attributes have these values; those in `usual` may be absent."""
    for name, wanted in (usual | needed).items():
        value = given.get(name, usual.get(name))
        if value != wanted:
            raise UnsupportedError(f"has the {name} {_shown(value)}: jitnet has {_shown(wanted)}")


def _shown(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else "no value" if value is None else str(value)
