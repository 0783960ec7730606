"""A network as data: its layers, their text form, their shapes, parameters and multiply-accumulates."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from jitnet.errors import InputError


@dataclass(frozen=True, slots=True)
class Conv:
    """Convolution 3x3, stride 1, padding 1, a bias, an activation."""

    filters: int
    activation: str = "relu"


@dataclass(frozen=True, slots=True)
class Pool:
    """Pooling 3x3, stride 2, after a `Conv`: halves height and width. Each output is the `kind` of its window."""

    kind: str = "max"


@dataclass(frozen=True, slots=True)
class Dense:
    """Fully connected units with an activation; the last layer of a network has none, its activation is ignored."""

    units: int
    activation: str = "relu"


Layer = Conv | Pool | Dense

POOLS = {"pool": "max", "avgpool": "average"}  # word of the text form: kind
ACTIVATIONS = ("relu", "sigmoid", "tanh", "linear", "leaky-relu", "gelu")

# The documents' CNN, for 28x28x1 images and ten classes.
CNN = (
    Conv(16),  # (28, 28, 1) -> (28, 28, 16)
    Pool(),  # -> (14, 14, 16)
    Conv(32),  # -> (14, 14, 32)
    Pool(),  # -> (7, 7, 32)
    Conv(64),  # -> (7, 7, 64), read as (3136,)
    Dense(100),  # -> (100,)
    Dense(10),  # -> (10,) logits
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A layer with the extents it has in a network, and where its parameters start."""

    layer: Layer
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    weight: tuple[int, ...]  # () for a pool
    bias: tuple[int, ...]
    macs: int  # multiply-accumulates per image, those with a border's zeros counted
    name: str  # "conv1"


def parse(text: str, activation: str = "relu") -> tuple[Layer, ...]:
    """Read layers from text such as "conv16 pool conv32:tanh pool conv64 dense100:sigmoid".

    `activation` is that of the layers without an explicit one. Raises `InputError` with the bad word and its place.

    >>> parse("conv4 pool dense10:tanh")
    (Conv(filters=4, activation='relu'), Pool(kind='max'), Dense(units=10, activation='tanh'))
    """
    layers: list[Layer] = []
    for place, word in enumerate(text.split(), start=1):
        kind, colon, named = word.partition(":")
        match = re.fullmatch(r"(conv|dense)([1-9][0-9]{0,5})", kind)
        if match is None and kind not in POOLS:
            raise InputError(
                f"word {place} of the architecture, {word!r}, is not a layer: "
                f"expected conv<filters>, {', '.join(POOLS)} or dense<units>, as in 'conv16 pool dense100'"
            )
        if colon and (match is None or named not in ACTIVATIONS):
            what = "gives a pool an activation" if match is None else f"names the unknown activation {named!r}"
            raise InputError(
                f"word {place} of the architecture, {word!r}, {what}: "
                f"expected one of {', '.join(ACTIVATIONS)} after a conv or dense, as in 'dense100:tanh'"
            )
        after = layers[-1] if layers else None
        if match is None:
            if not isinstance(after, Conv):
                raise InputError(f"word {place} of the architecture is a pool: expected a conv just before it")
            layers.append(Pool(POOLS[kind]))
        elif match[1] == "conv":
            if isinstance(after, Dense):
                raise InputError(
                    f"word {place} of the architecture, {word!r}, comes after a dense layer: put every conv before"
                )
            layers.append(Conv(int(match[2]), named or activation))
        else:
            layers.append(Dense(int(match[2]), named or activation))
    return tuple(layers)


def to_text(layers: tuple[Layer, ...]) -> str:
    """Return the text that `parse` reads.

    >>> to_text(CNN)
    'conv16 pool conv32 pool conv64 dense100 dense10'
    """
    return " ".join(_word(layer) for layer in layers)


def _word(layer: Layer) -> str:
    if isinstance(layer, Pool):
        return next(word for word, kind in POOLS.items() if kind == layer.kind)
    word = f"conv{layer.filters}" if isinstance(layer, Conv) else f"dense{layer.units}"
    return word if layer.activation == "relu" else f"{word}:{layer.activation}"


def shapes(layers: tuple[Layer, ...], image: tuple[int, int, int], bias: str = "position") -> tuple[Shape, ...]:
    """Follow the extents through the network; `image` is (H, W, C).

    Raises `InputError` if an image is too small for its pools or the network does not end in a dense layer.
    """
    if not layers or not isinstance(layers[-1], Dense):
        raise InputError("the network has no output: expected a dense layer at its end")
    return tuple(_follow(layers, image, bias))


def _follow(layers: tuple[Layer, ...], image: tuple[int, ...], bias: str) -> Iterator[Shape]:
    extent = image
    counts: dict[type, int] = {}
    for layer in layers:
        counts[type(layer)] = counts.get(type(layer), 0) + 1
        number = counts[type(layer)]
        if isinstance(layer, Conv):
            H, W, C = extent
            after: tuple[int, ...] = (H, W, layer.filters)
            biases = after if bias == "position" else (1, 1, layer.filters)
            weight: tuple[int, ...] = (3, 3, C, layer.filters)
            yield Shape(layer, extent, after, weight, biases, 9 * H * W * C * layer.filters, f"conv{number}")
        elif isinstance(layer, Pool):
            H, W, C = extent
            after = (H // 2, W // 2, C)
            if min(after) < 1:
                raise InputError(
                    f"pool {number} is given {H}x{W} pixels: expected at least 2x2, so use fewer pools "
                    f"or images larger than {image[0]}x{image[1]}"
                )
            yield Shape(layer, extent, after, (), (), 0, f"pool{number}")
        else:
            inputs = math.prod(extent)
            after = (layer.units,)
            macs = inputs * layer.units
            yield Shape(layer, (inputs,), after, (inputs, layer.units), after, macs, f"dense{number}")
        extent = after


def parameter_count(network: tuple[Shape, ...]) -> int:
    """Return how many numbers the network learns."""
    return sum(math.prod(part) for shape in network for part in (shape.weight, shape.bias) if part)


def forward_macs(network: tuple[Shape, ...]) -> int:
    """Return the multiply-accumulates of one image's forward pass."""
    return sum(shape.macs for shape in network)


def step_macs(network: tuple[Shape, ...]) -> int:
    """Return those of one image's training step: forward, weight gradient, and input gradient but for the first."""
    return 3 * forward_macs(network) - network[0].macs


def operations(network: tuple[Shape, ...], regression: bool = False) -> list[tuple[str, str, str, str, str]]:
    """Return the documents' listing, one row an operation: name, input size, output size, parameters, MACs.

    A `regression` has rows of numbers as its inputs, which are vectors already, and no softmax.
    """
    rows = []
    for place, shape in enumerate(network):
        source, target = "x".join(map(str, shape.inputs)), "x".join(map(str, shape.outputs))
        if isinstance(shape.layer, Pool):
            rows.append((f"{shape.layer.kind}-pool 3x3/2", source, target, "", ""))
            continue
        if isinstance(shape.layer, Dense):
            if len(network[place - 1].outputs) == 3 if place else not regression:
                before = "x".join(map(str, network[place - 1].outputs)) if place else "image"
                rows.append(("vectorise", before, source, "", ""))
            name = "matrix product"
        else:
            name = "convolution 3x3"
        weight, bias = "x".join(map(str, shape.weight)), "x".join(map(str, shape.bias))
        rows.append((name, source, target, weight, f"{shape.macs:,}"))
        rows.append(("add bias", target, target, bias, ""))
        last = place == len(network) - 1
        activation = shape.layer.activation if not last else "linear" if regression else "softmax"
        if activation != "linear":
            rows.append((activation, target, target, "", ""))
    return rows
