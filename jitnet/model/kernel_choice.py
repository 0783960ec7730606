"""Which code computes each layer: decided here and nowhere else, and stored in the table that the drivers read.

A choice depends on the layer's shape, the driver, and how many elements a vector register holds. All choices that
`supported` lists give the same result but for rounding; `choose` takes the fastest.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from jitnet.kernels.table import (
    ACTIVE_ROWS,
    BY_CHANNELS,
    BY_ROWS,
    CONTRACTION,
    FEW_CHANNELS,
    LINE,
    NOTHING,
    SPARSE_BY_FILTER,
    SPARSE_BY_PIXEL,
    SPARSE_INPUT,
    TILE_PRODUCTS,
    UNSPLIT,
    WINOGRAD,
    tiles_across,
)
from jitnet.model.architecture import Conv, Pool, Shape

PER_SAMPLE, BATCH = "per sample", "batch"  # drivers of training
INFERENCE = "inference"  # in groups, with the choices of BATCH; without conv blocks BATCH itself

SMALL = 2048  # weights of a last dense layer that is not cut: for two threads, to meet takes longer
FEW = 3  # input channels, at most, that are convolved with a vector of filters in registers

# What `jitnet summary --kernels` prints: the name, the file in kernels/, and a description.
NAMES = {
    NOTHING: "-",
    CONTRACTION: "contraction",
    FEW_CHANNELS: "few channels",
    WINOGRAD: "Winograd",
    SPARSE_BY_FILTER: "sparse by filter",
    SPARSE_BY_PIXEL: "sparse by pixel",
    SPARSE_INPUT: "sparse input",
    ACTIVE_ROWS: "active rows",
}
EXPLANATIONS = {
    CONTRACTION: (
        "fast/contraction.py",
        "a register tile over strided views; linear_batch_*.py call it",
    ),
    FEW_CHANNELS: ("fast/conv_few_channels.py", "a filter's nine weights stay in registers"),
    WINOGRAD: (
        "fast/conv_winograd.py",
        "tiles of 4x4 outputs, and conv_winograd_weight.py",
    ),
    SPARSE_BY_FILTER: ("fast/conv_sparse.py", "skips output gradients that are 0, filter after filter"),
    SPARSE_BY_PIXEL: ("fast/conv_sparse.py", "skips output gradients that are 0, pixel after pixel"),
    SPARSE_INPUT: ("fast/conv_sparse_input.py", "skips input pixels that are 0"),
    ACTIVE_ROWS: ("fast/linear_one_image.py", "reads the weight rows of inputs that are not 0"),
}
DRIVER_FILES = {PER_SAMPLE: "fast/per_sample.py", BATCH: "fast/batch.py"}
SPLITS = {UNSPLIT: "one thread", BY_CHANNELS: "channels", BY_ROWS: "rows"}


FAST_ACTIVATIONS = {"linear", "relu", "sigmoid", "tanh"}  # rise, and give their derivative by the result alone
FAST_POOLS = {"", "max"}


class Block(NamedTuple):
    """A layer with parameters and the pool after it: one record of the table."""

    shape: Shape
    pool: Shape | None
    after: Shape | None  # the next layer with parameters
    first: bool

    @property
    def activation(self) -> str:
        """The activation at the end, "linear" for the network's last layer."""
        assert not isinstance(self.shape.layer, Pool)
        return self.shape.layer.activation if self.after else "linear"

    @property
    def pooling(self) -> str:
        """The kind of the pool, "" without one."""
        return self.pool.layer.kind if self.pool and isinstance(self.pool.layer, Pool) else ""

    @property
    def is_conv(self) -> bool:
        """Whether the layer is a convolution."""
        return isinstance(self.shape.layer, Conv)


class Choice(NamedTuple):
    """What a layer's three results are computed by, and how two threads share one image's: constants of the table."""

    forward_by: int
    input_gradient_by: int
    weight_gradient_by: int
    forward_split: int = UNSPLIT
    backward_split: int = UNSPLIT


def blocks(network: tuple[Shape, ...]) -> Iterator[Block]:
    """Yield the layers with parameters, each with its pool."""
    heads = [place for place, shape in enumerate(network) if not isinstance(shape.layer, Pool)]
    for place, following in zip(heads, [*heads[1:], len(network)]):
        pool = network[place + 1] if following > place + 1 else None
        after = network[following] if following < len(network) else None
        yield Block(network[place], pool, after, place == 0)


def lacking(network: tuple[Shape, ...], dropout: float) -> str:
    """Return the first part of a network that the fast path and the C++ program lack, "" if they have everything."""
    if dropout:
        return "dropout"
    for block in blocks(network):
        if block.activation not in FAST_ACTIVATIONS:
            return f"the activation {block.activation!r}"
        if block.pooling not in FAST_POOLS:
            return f"{block.pooling} pooling"
    return ""


def kernels_for(network: tuple[Shape, ...], requested: str, dropout: float) -> str:
    """Return "fast" or "simple": the requested kernels, or simple ones where the fast path lacks something."""
    return "simple" if lacking(network, dropout) else requested


def supported(block: Block, driver: str) -> Iterator[Choice]:
    """Yield every choice that the driver's code can carry out for a layer."""
    if not block.is_conv:
        yield _dense(block, driver)
        return
    tiles = (WINOGRAD,) if driver == BATCH else ()
    for forward_by, (input_gradient_by, weight_gradient_by) in product(
        (CONTRACTION, FEW_CHANNELS, *tiles), _gradients(block, tiles)
    ):
        choice = Choice(forward_by, input_gradient_by, weight_gradient_by)
        if driver == BATCH:
            yield choice
            continue
        for forward_split, backward_split in product((BY_CHANNELS, BY_ROWS), _splits(block, weight_gradient_by)):
            if backward_split != BY_ROWS or forward_split == BY_ROWS:  # its sums go to both halves' whole filters
                yield choice._replace(forward_split=forward_split, backward_split=backward_split)


def _gradients(block: Block, tiles: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of codes for a convolution's input and weight gradients."""
    sparse = (SPARSE_BY_FILTER, SPARSE_BY_PIXEL, *tiles)
    dense = (CONTRACTION, FEW_CHANNELS, *tiles)
    pairs = [(SPARSE_BY_FILTER, sparse), *((by, dense) for by in (CONTRACTION, SPARSE_INPUT, *tiles))]
    for weight_by, inputs_by in pairs:
        yield from ((input_by, weight_by) for input_by in ((NOTHING,) if block.first else inputs_by))


def _splits(block: Block, weight_gradient_by: int) -> tuple[int, ...]:
    """Return how two threads can share a convolution's gradients: neither may wait for the other in between."""
    if weight_gradient_by == SPARSE_BY_FILTER:
        return UNSPLIT, BY_CHANNELS
    if weight_gradient_by == SPARSE_INPUT and block.first:
        return UNSPLIT, BY_CHANNELS, BY_ROWS
    return (UNSPLIT,)


def own_params(choice: Choice, shape: Shape) -> tuple[bool, bool]:
    """Return whether each half of one image keeps filters and bias of a conv block for itself during a call.

    By channels, the halves use different ones; by rows, both add the other's sums to a copy.
    """
    if choice.backward_split == BY_ROWS:
        return True, shape.bias[0] == 1  # a bias per position is that of different rows
    splits = {choice.forward_split, choice.backward_split}
    apart = splits == {BY_CHANNELS} and choice[0] == CONTRACTION and choice[2] == SPARSE_BY_FILTER
    return apart, apart


def halved(layers: list[Block]) -> int:
    """Return how many layers of one image are cut into halves: all, or all but a small last one after a dense layer."""
    last = layers[-1].shape.weight
    small = len(layers) > 1 and not layers[-2].is_conv and last[0] * last[1] <= SMALL
    return len(layers) - small


def choose(network: tuple[Shape, ...], driver: str, itemsize: int, vector_bytes: int) -> tuple[Choice, ...]:
    """Return the fastest choice for each layer with parameters."""
    lanes = vector_bytes // itemsize
    return tuple(_conv(b, driver, lanes) if b.is_conv else _dense(b, driver) for b in blocks(network))


def _dense(block: Block, driver: str) -> Choice:
    if driver == PER_SAMPLE:  # one pass over the rows computes both gradients, even of the first layer
        return Choice(ACTIVE_ROWS, ACTIVE_ROWS, ACTIVE_ROWS)
    return Choice(CONTRACTION, NOTHING if block.first else CONTRACTION, CONTRACTION)


def _conv(block: Block, driver: str, lanes: int) -> Choice:
    H, W, C = block.shape.inputs
    OC = block.shape.outputs[2]
    wide = lanes <= 2 * C  # input channels fill at least half a vector; with fewer, vectors of filters are faster
    tiled = driver == BATCH and _tiles_pay(H, W, C, OC)
    back_in_tiles = tiled and block.pool is None  # before a pool most of the map is zero
    zeros = block.pool is not None or block.activation == "relu"  # most of the output's gradient is 0

    forward_by = WINOGRAD if tiled else FEW_CHANNELS if C <= FEW else CONTRACTION
    if back_in_tiles:
        weight_gradient_by = WINOGRAD
    else:
        weight_gradient_by = SPARSE_INPUT if not wide else SPARSE_BY_FILTER if zeros else CONTRACTION
    if block.first:
        input_gradient_by = NOTHING
    elif back_in_tiles:
        input_gradient_by = WINOGRAD
    elif weight_gradient_by == SPARSE_BY_FILTER:
        input_gradient_by = SPARSE_BY_PIXEL if block.pool is None else SPARSE_BY_FILTER
    else:
        input_gradient_by = FEW_CHANNELS if OC <= FEW else CONTRACTION  # flipped, from OC channels to C
    choice = Choice(forward_by, input_gradient_by, weight_gradient_by)
    if driver == BATCH:
        return choice

    # By channels, a thread meets the same filters in the forward and the backward pass, so they stay in its core's own
    # cache; by rows if half the channels would not fill a line of it, which both would write: with AVX2 a step of the
    # CNN takes 1.2 times as long.
    forward_split = BY_CHANNELS if 2 * LINE <= OC else BY_ROWS
    splits = _splits(block, weight_gradient_by)
    backward_split = forward_split if forward_split in splits else UNSPLIT
    return choice._replace(forward_split=forward_split, backward_split=backward_split)


def _tiles_pay(H: int, W: int, C: int, OC: int) -> bool:
    """Whether a convolution is faster in tiles: at most half the multiplications, of whole vectors."""
    products = TILE_PRODUCTS * tiles_across(H) * tiles_across(W)
    return 2 * products <= 9 * H * W and min(C, OC) >= LINE
