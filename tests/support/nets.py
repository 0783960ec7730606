"""Small networks of every kind, and data for them."""

from dataclasses import dataclass

import naive
import numpy as np

from jitnet.model.architecture import Layer, parse
from jitnet.model.network import Network

# Wide enough to be cut by channels in float32 too: see kernels/fast/work_split.py.
WIDE = [
    ("conv9 pool conv37 pool conv33 dense41 dense3", (9, 7, 1), "position"),
    ("conv33 pool conv41 pool dense3", (6, 5, 1), "channel"),
]
# Over batches these have blocks in tiles: with and without a pool, after one, between two, before a dense layer.
TILED = [
    ("conv16 pool conv17 pool dense3", (7, 8, 1), "position"),
    ("conv17 pool conv16 conv16 dense4", (6, 7, 1), "position"),
]
# (architecture, image, bias): one to many blocks, with and without pools, heads of any length, no conv, odd extents,
# channels that fill no vector.
MAKES = [
    ("dense2", (1, 1, 1), "position"),
    ("dense17 dense3", (3, 2, 1), "position"),
    ("dense16 dense5 dense33 dense4", (4, 3, 3), "position"),
    ("conv1 dense2", (1, 1, 1), "position"),
    ("conv3 dense4", (5, 4, 1), "position"),
    ("conv3 pool dense2", (2, 2, 3), "channel"),
    ("conv5 pool dense6 dense3", (5, 7, 1), "position"),
    ("conv17 pool conv5 dense4", (4, 6, 3), "channel"),
    ("conv3 conv5 pool dense3", (3, 5, 5), "position"),
    ("conv4 conv3 conv2 dense3", (2, 3, 17), "channel"),
    ("conv2 pool conv3 pool conv4 dense6 dense5", (9, 8, 1), "position"),
    ("conv3 pool conv4 pool conv3 pool dense3", (11, 8, 1), "channel"),
    # Blocks with a pool and at least half a vector of input channels have another backward pass:
    # see kernels/fast/conv_sparse.py.
    ("conv8 pool conv5 pool dense3", (5, 4, 1), "position"),
    ("conv9 conv17 pool conv4 dense4", (5, 4, 3), "channel"),
    ("conv5 pool dense3", (4, 5, 17), "position"),
    ("conv5 pool conv3 dense3", (4, 5, 17), "position"),
    *WIDE,
    ("conv16 conv18:tanh dense3", (3, 3, 17), "channel"),
    *TILED,
    # Every activation in every place: first, after a pool, after a conv, after another, dense after each.
    ("dense6:sigmoid dense5:tanh dense4:linear dense7 dense3", (4, 3, 1), "position"),
    ("conv3:tanh pool conv4:sigmoid conv2 dense5:tanh dense3", (5, 6, 1), "position"),
    ("conv9:linear conv8:tanh pool dense4:sigmoid dense3", (5, 4, 3), "channel"),
    ("conv3:sigmoid pool conv2:tanh dense3", (4, 5, 2), "position"),
]
# (hidden layers, image, bias) for other programs: every layer, activation and bias; odd and even maps; one channel and
# several.
EXPORTED = [
    (" ", (4, 3, 1), "position"),
    ("dense7 dense5:tanh dense4:linear", (4, 3, 2), "position"),
    ("conv3", (5, 4, 1), "channel"),
    ("conv3:sigmoid pool dense5:gelu", (6, 7, 1), "position"),
    ("conv4:leaky-relu pool conv5:linear conv3:tanh pool dense6:sigmoid", (9, 8, 3), "channel"),
    ("conv4:gelu pool conv5 pool conv2:gelu dense6:leaky-relu", (8, 11, 2), "position"),
    ("conv4 avgpool conv3:gelu avgpool dense5", (9, 8, 2), "position"),
]
FLOAT32 = 2e-5  # of the largest number of a tensor: about 300 roundings of float32 after a few steps
IDS = [f"{text}, {'x'.join(map(str, image))}, {bias}" for text, image, bias in MAKES]


@dataclass
class Case:
    """A network with parameters, and images to show it."""

    network: Network
    images: np.ndarray  # (n, H, W, C) uint8, a third of the pixels 0
    targets: np.ndarray  # (n,) uint8

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self.network.layers

    @property
    def inputs(self) -> np.ndarray:
        """The images as the network sees them."""
        return np.float64(self.images) / 255

    def tensors(self) -> dict[str, np.ndarray]:
        """Return a copy of the parameters for the naive twins."""
        return {name: np.float64(array) for name, array in self.network.tensors().items()}


def case(make, dtype, images=3, seed=0) -> Case:
    """Build a network, draw its weights, and biases that are not 0."""
    text, image, bias = make
    rng = np.random.default_rng(seed)
    network = Network(parse(text), image, bias, dtype)
    network.initialise("he", seed)
    for name, array in network.tensors().items():
        if name.endswith(".bias"):
            array[...] = 0.3 * rng.standard_normal(array.shape)
    pixels = rng.integers(0, 256, (images, *image), dtype=np.uint8) * (rng.random((images, *image)) < 0.67)
    return Case(network, pixels.astype(np.uint8), rng.integers(0, network.classes, images).astype(np.uint8))


def smooth_case(make, images=3) -> Case:
    """Draw until no unit is near ReLU's kink and no two winners of a pool are near a tie: differences need room."""
    for seed in range(1000):
        drawn = case(make, np.float64, images, seed)
        if _room(drawn) > 2e-3:
            return drawn
    raise AssertionError("every draw came too near a kink")


def _room(drawn) -> float:
    tensors = drawn.tensors()
    _, tape, inputs = naive.forward(drawn.layers, tensors, drawn.inputs)
    room, kinds = [np.inf], naive.activations(drawn.layers)
    for name, x in zip(naive.heads(drawn.layers)[:-1], inputs):
        before = naive.linear_forward(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"])
        room += [np.abs(before).min()] * (kinds[name] == 1)
    for (name, _), (_, before, argmax) in zip(naive.blocks(drawn.layers), tape):
        room += [np.abs(before).min()] * (kinds[name] == 1)
        if argmax is not None:
            after = naive.activation_forward(kinds[name], before)
            room += [_gap(after, oy, ox, kinds[name] == 1) for oy, ox in np.ndindex(argmax.shape[1:3])]
    return min(room)


def _gap(before, oy, ox, relu) -> float:
    """Return the distance of the best of a window to the second, where ReLU, if there is one, lets it through."""
    window = before[:, 2 * oy : 2 * oy + 3, 2 * ox : 2 * ox + 3]
    second, best = np.sort(window.reshape(len(window), -1, window.shape[3]), axis=1)[:, -2:].swapaxes(0, 1)
    return np.min((best - second)[best > 0] if relu else best - second, initial=np.inf)


def assert_close(found, expected, tolerance) -> None:
    """Compare tensors by name, relative to the largest number of each."""
    for name, array in expected.items():
        assert found[name].shape == array.shape
        error = np.max(np.abs(found[name] - array)) / np.max(np.abs(array))
        assert error <= tolerance, f"{name} is off by {error:.2g}"
