"""The network as a table: one record per layer, which the drivers interpret. A new architecture compiles nothing.

Fields that say "in ..." are offsets, which count elements in flat arenas:

    params   the parameters, conv blocks first       floats
    work     everything computed during a step       floats, zero at first: borders stay zero
    argmax   the winners of max-pooling              uint8
    rows     the non-zero inputs of dense layers     int64 (one image at a time only)

`work` holds, for each layer, one region per image of the batch (x, out, grad_out) and scratch for the workers: an
offset "in scratch" counts from a worker's. The gradients of a mini-batch are in it too, laid out as `params`.

These names mean the same in every file of fast/, so that functions do not repeat their shapes:

    layer            one LAYER record; layers, (L,) of them
    plan             the PLAN record, or in a @kernel the (1,) array that holds it
    params, work, argmax, rows    the arenas
    scratch          offset in work of the worker's scratch
    n, slot          the image's number in the batch, and in its shard
    share            (first row, end row, first channel, end channel) of a conv block's output; ends are exclusive
    half             0 or 1, one image's halves: see work_split.py
    lr, scale, divisor            scalars of the dtype of params
    first, stop      the first of some rows, filters or images, and the end, exclusive
    count            elements of a vector to use, if fewer than all
    place, start     offsets in elements into the array before them
    size             elements
    itemsize         bytes of an element of params
"""

import numpy as np

CONV = 0
DENSE = 1
MAX_POOL = 2  # a separate layer in step.py; in the records below, a flag of the convolution before it
AVERAGE_POOL = 3
POOLS = {"max": MAX_POOL, "average": AVERAGE_POOL}  # by the word of jitnet/model/architecture.py

LINEAR, RELU, SIGMOID, TANH, GELU, LEAKY_RELU = 0, 1, 2, 3, 4, 5  # activations: see activation.py
CROSS_ENTROPY, MSE = 0, 1  # losses: see loss.py
SGD, MOMENTUM, NESTEROV, ADAM, ADAMW = 0, 1, 2, 3, 4  # optimizers: see optimizer.py

# Which code computes a layer's output or one of its gradients. Chosen by jitnet/model/kernel_choice.py.
NOTHING = 0  # no one needs the gradient of the network's input
CONTRACTION = 1  # fast/contraction.py over shifted views; an input gradient is that of the flipped filters
FEW_CHANNELS = 2  # fast/conv_few_channels.py; an input gradient is that of the flipped filters
WINOGRAD = 3  # fast/conv_winograd.py, over a batch, an input gradient with flipped filters; conv_winograd_weight.py
SPARSE_BY_FILTER = 4  # fast/conv_sparse.py, over the output gradients that are not 0, filter after filter
SPARSE_BY_PIXEL = 5  # the same, pixel after pixel: an input gradient only, next to a weight gradient by filter
SPARSE_INPUT = 6  # fast/conv_sparse_input.py, over the inputs that are not 0: a weight gradient only
ACTIVE_ROWS = 7  # fast/linear_one_image.py, over the inputs that are not 0: a dense layer, one image at a time

# How two threads share one image's conv block (one image at a time only). Chosen there too.
UNSPLIT, BY_CHANNELS, BY_ROWS = 0, 1, 2

_FIELDS = (
    "kind",  # CONV or DENSE
    "forward_by",  # CONTRACTION, FEW_CHANNELS, WINOGRAD or ACTIVE_ROWS
    "input_gradient_by",  # any of them but SPARSE_INPUT
    "weight_gradient_by",  # CONTRACTION, WINOGRAD, SPARSE_BY_FILTER, SPARSE_INPUT or ACTIVE_ROWS
    "forward_split",  # BY_CHANNELS or BY_ROWS (CONV)
    "backward_split",  # UNSPLIT, BY_CHANNELS or BY_ROWS (CONV)
    "activation",  # LINEAR, RELU, SIGMOID or TANH, at the end
    "previous_activation",  # whose derivative the input gradient is multiplied by (DENSE; a CONV multiplies its own)
    "all_inputs",  # 1: a gradient matters even where the input is 0: not skipped (DENSE, not first, not after ReLU)
    "pool",  # 1: 3x3/2 max-pool at the end (CONV)
    "H",  # input height (DENSE: 1)
    "W",  # input width (DENSE: 1)
    "C",  # input channels (DENSE: D, the inputs)
    "OH",  # output height, after the pool
    "OW",
    "OC",  # output channels (DENSE: K, the units)
    "BH",  # extents of the bias: (H, W, OC), or (1, 1, OC) (DENSE: 1, 1)
    "BW",
    "weight",  # in params: (3, 3, C, OC) or (D, K)
    "bias",  # in params: (BH, BW, OC) or (K,)
    "x",  # in work: the first image's input, (H+2, W+2, C) or (D,)
    "x_size",  # elements from one image's input to the next's
    "out",  # in work: the output, which is the next layer's x
    "out_size",
    "border",  # of zeros around the output: 1 if a conv follows, else 0
    "grad_out",  # in scratch if a conv follows, else in work: gradient of the output, (OH, OW, OC), without a border.
    # One image at a time, in scratch too of the last layer that is cut, and of the last
    "grad_x",  # gradient of the input: the previous layer's grad_out
    "winners",  # in argmax: (OH, OW, OC)
    "winners_apart",  # elements from there to those of the second half's channels, so that no two threads write a cache
    # line; 0 if both are in one array
    "ring",  # in scratch: three rows before the pool, (3, W, OC)
    "grad_map",  # in scratch: gradient before the pool, (images_per_tile_batch, H+2, W+2, OC), zero border
    "grad_out_sum",  # in scratch: grad_out of both halves, (OH, OW, OC) (one image at a time only)
    "grad_x_padded",  # in scratch: gradient of the input with its border, (H+2, W+2, C) (SPARSE)
    "map_by_channel",  # in scratch: grad_map channel after channel, (OC, H+2, W+2) (SPARSE)
    "weight_sums",  # in scratch: what becomes the gradient of the weights, over a batch: (OC, 3, 3, C) (SPARSE) or
    # (36, C*OC + GAP) (WINOGRAD)
    "own_weight",  # in scratch: a half's filters, (3, 3, C, channels), or weights, (D, K), in the place of params in a
    # call; 0 if they stay in params (one image at a time only)
    "own_bias",  # in scratch: the same of the bias, (BH, BW, channels) or (K,)
    "backward_weight",  # in work: the weights as the backward pass reads them, (OC, 3, 3, C) or (3, 3, OC, C) (CONV)
    "linear_scratch",  # in work: (linear_scratch_size,) (DENSE, over a batch)
    "linear_scratch_size",  # linear_scratch(images, D, K) (the same)
    "rows",  # in rows: the inputs that are not 0, (D,); of a last layer that is not cut, those of the second half
    # begin D + LINE later (DENSE, one image at a time only)
    "factors",  # in work: their values, (D,) (the same)
    "images_per_tile_batch",  # images that are convolved in tiles at once; 1 without tiles
    "map_before_pool",  # in scratch: (images_per_tile_batch, H, W, OC) (WINOGRAD)
    "winograd_weight",  # in scratch: the weights transformed for tiles, (36, C*OC + GAP) (WINOGRAD)
    "out_partial",  # in work: the sum over the second half of the inputs, (K,) (DENSE, one image at a time only)
)
LAYER = np.dtype((np.record, [(name, np.int64) for name in _FIELDS]))  # np.record: layer.kind in plain Python too

_PLAN_FIELDS = (
    "convs",  # the number of conv blocks, which come first
    "halved",  # how many layers are cut into halves: all, or all but the last, of which each half has x, factors and
    # grad_x in its scratch (one image at a time only, else 0)
    "logits",  # in scratch: (K,) (the same)
    "images",  # that work has room for; a larger batch is taken in parts
    "workers",  # of inference: how many groups of images it has room for, images // workers each
    "microbatch",  # images whose gradients are summed before the next are added, no matter how many there is room for
    "scratches",  # that work has room for, one for each worker: as many as shards, or as threads if that is less
    "scratch",  # in work: the first scratch
    "scratch_size",  # elements from one scratch to the next
    "tile_scratch",  # in scratch: (tile_scratch(...),) of the block that needs most (WINOGRAD)
    "shard_grads",  # in work: the shards' gradients, each laid out as the conv part of params
    "conv_params",  # size of the conv part of params
    "grads",  # in work: the gradients, laid out as params (over a batch)
    "zeros",  # in work: zeros that no one writes
    "loss",  # CROSS_ENTROPY or MSE
)
_SMOOTHING = ("smoothing", np.float64)  # of the labels: see loss.py
PLAN = np.dtype((np.record, [*((name, np.int64) for name in _PLAN_FIELDS), _SMOOTHING]))

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
# still in a cache then. A batch of 512 at once takes 1.22 times as long, in parts of 128 1.1 times.
MICROBATCH = 64
SHARDS = 4  # of a microbatch, each with separate gradients and scratch in a cache: eight take 1.06 times as long


def shard_count(images: int) -> int:
    """Return into how many shards images are cut: by their number alone, so that sums never depend on the threads."""
    return images // MICROBATCH * SHARDS + min(images % MICROBATCH, SHARDS)


def shard_range(images: int, shard: int) -> tuple[int, int]:
    """Return the first image of a shard, and its end, exclusive."""
    before = shard // SHARDS * MICROBATCH
    count = min(MICROBATCH, images - before)
    pieces, piece = min(count, SHARDS), shard % SHARDS
    return before + count * piece // pieces, before + count * (piece + 1) // pieces


LINE = 16  # elements that offsets are rounded to: a cache line of float32


def round_up_to_line(size: int) -> int:
    """Return the size rounded up to whole cache lines."""
    return (size + LINE - 1) // LINE * LINE


TOGETHER = 4  # images of inference that go through one conv block before the next: 16 take 1.03 of the time
GROUP = 32  # images that a thread takes through a network in inference, at most
ENOUGH_GROUPS = 16  # of a call with many images, so that as many threads share it


def group_size(images: int, room: int) -> int:
    """Return how many images a group of inference has: `room`, of few images less, down to a quarter."""
    return min(room, max((room + 3) // 4, (images + ENOUGH_GROUPS - 1) // ENOUGH_GROUPS))


OUTPUT_TILE = 4  # outputs of a tile of conv_winograd.py, in each direction
INPUT_TILE = 6  # inputs of the tile
TILE_PRODUCTS = INPUT_TILE * INPUT_TILE
GAP = LINE  # between the planes of products, so that their places in the cache differ
ENOUGH_TILES = 16  # to convolve at once: two register tiles of contraction.py
MOST_IMAGES_PER_TILE_BATCH = 4


def tiles_across(extent: int) -> int:
    """Return how many tiles cover an extent of outputs."""
    return (extent + OUTPUT_TILE - 1) // OUTPUT_TILE


def tile_scratch(images: int, H: int, W: int, C: int, OC: int) -> int:
    """Return how many elements of scratch conv2d_winograd needs, from C to OC channels or back."""
    tiles = images * tiles_across(H) * tiles_across(W)
    planes = TILE_PRODUCTS * (tiles * (round_up_to_line(C) + round_up_to_line(OC)) + 2 * GAP)
    seen = images * H * round_up_to_line(W)
    return planes + seen + INPUT_TILE * (OUTPUT_TILE * tiles_across(W) + 2) * LINE


def images_per_tile_batch(H: int, W: int) -> int:
    """Return how many images are convolved in tiles at once."""
    return max(1, min(MOST_IMAGES_PER_TILE_BATCH, ENOUGH_TILES // (tiles_across(H) * tiles_across(W))))
