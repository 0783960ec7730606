"""The network as a table: one record a layer, which the drivers interpret. A new architecture compiles nothing.

Offsets count elements in four flat arenas:

    params  the parameters, conv blocks first       floats
    work    everything computed on the way          floats, zero at first: borders stay zero
    argmax  the winners of max-pooling              uint8
    rows    the non-zero inputs of dense layers     int64 (one image at a time only)

`work` holds, for each layer, one region per image of the batch (x, out, grad_out) and one per shard (ring, grad_map).
The gradients of a mini-batch lie in it too, laid out as `params`.
"""

import numpy as np

CONV = 0
DENSE = 1

LINEAR, RELU, SIGMOID, TANH = 0, 1, 2, 3  # activations: see activation.py
CROSS_ENTROPY, MSE = 0, 1  # losses: see loss.py
SGD, MOMENTUM, NESTEROV, ADAM, ADAMW = 0, 1, 2, 3, 4  # optimisers: see optimizer.py

# Which code computes a layer's output or one of its gradients. Chosen by jitnet/model/kernel_choice.py.
NOTHING = 0  # no one needs the gradient of the network's input
CONTRACTION = 1  # layers/contraction.py over shifted views; an input gradient is that of the flipped filters
FEW_CHANNELS = 2  # fast/conv_few_channels.py; an input gradient is that of the flipped filters
WINOGRAD = 3  # fast/conv_winograd.py, over a batch; an input gradient is that of the flipped filters
SPARSE_BY_FILTER = 4  # fast/conv_sparse.py, over the output gradients that are not 0, filter after filter
SPARSE_BY_PIXEL = 5  # the same, pixel after pixel: an input gradient only, next to a weight gradient by filter
SPARSE_INPUT = 6  # fast/conv_sparse.py, over the inputs that are not 0: a weight gradient only
ACTIVE_ROWS = 7  # fast/vector_rows.py, over the inputs that are not 0: a dense layer, one image at a time

# How two threads share one image's conv block (one image at a time only). Chosen there too.
UNSPLIT, BY_CHANNELS, BY_ROWS = 0, 1, 2

_FIELDS = (
    "kind",  # CONV or DENSE
    "forward_by",  # CONTRACTION, FEW_CHANNELS, WINOGRAD or ACTIVE_ROWS
    "input_gradient_by",  # any of them but SPARSE_INPUT
    "weight_gradient_by",  # CONTRACTION, SPARSE_BY_FILTER, SPARSE_INPUT or ACTIVE_ROWS
    "forward_split",  # BY_CHANNELS or BY_ROWS (CONV)
    "backward_split",  # UNSPLIT, BY_CHANNELS or BY_ROWS (CONV)
    "activation",  # LINEAR, RELU, SIGMOID or TANH, at the end
    "behind",  # the activation whose derivative the input gradient is multiplied by (DENSE; a CONV multiplies its own)
    "all_inputs",  # 1: a gradient matters even where the input is 0: not skipped (DENSE, not first, not behind ReLU)
    "pool",  # 1: 3x3/2 max-pool at the end (CONV)
    "H",  # input height (DENSE: 1)
    "W",  # input width (DENSE: 1)
    "C",  # input channels (DENSE: D, the inputs)
    "OH",  # output height, after the pool
    "OW",
    "OC",  # output channels (DENSE: K, the units)
    "BH",  # extents of the bias: (H, W, OC), or (1, 1, OC)
    "BW",
    "weight",  # offset in params: (3, 3, C, OC) or (D, K)
    "bias",  # offset in params: (BH, BW, OC) or (K,)
    "x",  # offset in work of the first image's input: (H+2, W+2, C) or (D,)
    "x_size",  # elements from one image's input to the next's
    "out",  # offset in work of the output, which is the next layer's x
    "out_size",
    "border",  # of zeros around the output: 1 if a conv follows, else 0
    "grad_out",  # offset of the output's gradient, (OH, OW, OC), no border: if a conv follows in scratch, for a shard's
    # images, else in work
    "grad_x",  # of the input's gradient: the grad_out of the layer before
    "winners",  # offset in argmax: (OH, OW, OC)
    "ring",  # offset in a shard's scratch: three rows before the pool
    "grad_map",  # offset in a shard's scratch: gradient before the pool, (together, H+2, W+2, OC), zero border
    "gathered",  # offset in a shard's scratch: gradient of the output, from both halves (one image at a time only)
    "padded",  # offset in a shard's scratch: gradient of the input with its border, (H+2, W+2, C) (by filter)
    "turned",  # offset in a shard's scratch: grad_map channel by channel (by filter)
    "filters",  # offset in a shard's scratch: gradient of the weights, (OC, 3, 3, C) (by filter)
    "transposed",  # offset in work: the weights as the backward pass wants them (CONV), or linear_scratch (DENSE)
    "rows",  # offset in rows: (D,)
    "factors",  # offset in work: (D,)
    "together",  # images that are convolved in tiles at once; 1 without tiles
    "map",  # offset in a shard's scratch: (together, H, W, OC), before the pool (WINOGRAD)
    "filters_of_tiles",  # offset in work: (36, C*OC + GAP), the weights as tiles want them (WINOGRAD)
    "second",  # offset in work: (K,), the sum over the second half of the inputs (one image at a time only)
)
LAYER = np.dtype((np.record, [(name, np.int64) for name in _FIELDS]))  # np.record: layer.kind in plain Python too

_PLAN_FIELDS = (
    "convs",  # the first so many layers are conv blocks
    "images",  # that work has room for; a larger batch is taken in parts
    "microbatch",  # images whose gradients are summed before the next's are added, however many there is room for
    "shards",  # that work has room for
    "scratch",  # offset in work of the first shard's scratch
    "tiles",  # offset in a shard's scratch: what conv2d_tiles wants
    "scratch_size",
    "shard_grads",  # offset in work of the first shard's gradients, laid out as the conv part of params
    "conv_params",  # size of the conv part of params
    "grads",  # offset in work of the gradients, laid out as params
    "zeros",  # offset in work of zeros that nobody writes
    "loss",  # CROSS_ENTROPY or MSE
)
PLAN = np.dtype((np.record, [(name, np.int64) for name in _PLAN_FIELDS]))

# How a gradient becomes an update, for optimizer.py.
RULE = np.dtype(
    (
        np.record,
        [
            ("kind", np.int64),  # SGD, MOMENTUM, NESTEROV, ADAM or ADAMW
            ("summed", np.int64),  # 1: the gradient of a batch is the sum over its images, 0: the mean
            ("momentum", np.float64),
            ("beta1", np.float64),
            ("beta2", np.float64),
            ("eps", np.float64),
            ("decay", np.float64),
        ],
    )
)


# Images that a network with conv blocks takes forward and back before the next: their maps, 60 KB each for the CNN, are
# still in a cache then. A batch of 512 in one go takes 1.22 times as long, in parts of 128 1.1 times.
MICROBATCH = 64
# Of a microbatch. Each has gradients and scratch of its own in a cache, so that sixteen images pay: with eight shards
# a step takes 1.06 times as long.
SHARDS = 4


def shard_count(images: int) -> int:
    """Return into how many shards images are cut: by their number alone, so that sums never depend on the threads."""
    return images // MICROBATCH * SHARDS + min(images % MICROBATCH, SHARDS)


def shard_range(images: int, shard: int) -> tuple[int, int]:
    """Return the first image of a shard, and the one behind its last."""
    before = shard // SHARDS * MICROBATCH
    count = min(MICROBATCH, images - before)
    pieces, piece = min(count, SHARDS), shard % SHARDS
    return before + count * piece // pieces, before + count * (piece + 1) // pieces


STRIP = 256  # input units of one piece of a dense layer's way back
TURNED = 64  # images whose gradients are transposed at a time


def linear_scratch(D: int, K: int) -> int:
    """Return how many elements of scratch dense.linear_backward_input wants."""
    return (D + STRIP - 1) // STRIP * TURNED * (K + STRIP)


LINE = 16  # elements that offsets are rounded to: a cache line of float32


def whole_lines(size: int) -> int:
    """Return the size rounded up to whole cache lines."""
    return (size + LINE - 1) // LINE * LINE


TILE = 4  # outputs of a tile of winograd.py, in each direction
REACH = 6  # inputs under them
PRODUCTS = REACH * REACH
GAP = LINE  # between the planes of products, so that their places in the cache differ
TOGETHER = 4  # images that are convolved in tiles at once, at the most, so that there are tiles enough
ENOUGH = 16  # tiles: two of the register tiles of contract.py


def tiles_across(extent: int) -> int:
    """Return how many tiles cover that many outputs."""
    return (extent + TILE - 1) // TILE


def tile_scratch(images: int, H: int, W: int, C: int, OC: int) -> int:
    """Return how many elements of scratch winograd.conv2d_tiles wants, from C to OC channels or back."""
    tiles = images * tiles_across(H) * tiles_across(W)
    planes = PRODUCTS * (tiles * (whole_lines(C) + whole_lines(OC)) + 2 * GAP)
    seen = images * H * whole_lines(W) + whole_lines((H + 2) * (W + 2)) + LINE
    return planes + seen + REACH * (TILE * tiles_across(W) + 2) * LINE


def tiled_together(H: int, W: int) -> int:
    """Return how many images are convolved in tiles at once."""
    return max(1, min(TOGETHER, ENOUGH // (tiles_across(H) * tiles_across(W))))


def pays_in_tiles(H: int, W: int, C: int, OC: int) -> bool:
    """Return whether a convolution is faster in tiles: half the multiplications at the most, of whole vectors."""
    tiles = tiles_across(H) * tiles_across(W)
    return 2 * PRODUCTS * tiles <= 9 * H * W and min(C, OC) >= LINE
