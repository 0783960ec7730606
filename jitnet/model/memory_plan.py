"""The memory plan: turns a network's shapes into the table and the arenas that the kernels work in."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jitnet.kernels.fast.dense_pieces import linear_scratch
from jitnet.kernels.table import (
    BY_CHANNELS,
    CONV,
    DENSE,
    GAP,
    GELU,
    GROUP,
    LAYER,
    LEAKY_RELU,
    LINE,
    LINEAR,
    MICROBATCH,
    PLAN,
    RELU,
    SHARDS,
    SIGMOID,
    SPARSE_BY_FILTER,
    TANH,
    TILE_PRODUCTS,
    TOGETHER,
    WINOGRAD,
    images_per_tile_batch,
    round_up_to_line,
    shard_count,
    tile_scratch,
)
from jitnet.machine import memory
from jitnet.machine.threads import pool_size
from jitnet.model import kernel_choice
from jitnet.model.architecture import Conv, Shape
from jitnet.model.kernel_choice import BATCH, INFERENCE, PER_SAMPLE, Block, Choice

ACTIVATIONS = {
    "linear": LINEAR,
    "relu": RELU,
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "leaky-relu": LEAKY_RELU,
    "gelu": GELU,
}


# Of the images' maps in inference, and of the threads' filters in tiles: enough for 64 threads with 32 images of the
# CNN each.
_INFERENCE_BYTES = 1 << 28


@dataclass
class Arena:
    """Hands out offsets in a flat array."""

    size: int = 0

    def take(self, *extents: int) -> int:
        """Return the offset of a new region of prod(extents) elements."""
        offset = self.size
        self.size += round_up_to_line(int(np.prod(extents)))
        return offset


@dataclass(frozen=True)
class Workspace:
    """The table and the arenas for batches of up to `images` images, which may be taken in parts."""

    images: int
    layers: np.ndarray  # (L,) LAYER
    plan: np.ndarray  # (1,) PLAN
    work: np.ndarray  # float32 or float64
    argmax: np.ndarray  # uint8
    rows: np.ndarray  # int64
    counts: np.ndarray  # (L, 2, LINE) int64, the first of each line used
    barrier: np.ndarray  # (BARRIER_SIZE,) int64

    def outputs(self) -> Iterator[np.ndarray]:
        """Yield what each layer put out last, for as many images as there is room for."""
        plan, last = self.plan[0], self.layers[-1]
        for index, row in enumerate(self.layers, start=1):
            start = row["out"]
            if plan["halved"] and index == len(self.layers):
                start = plan["scratch"] + plan["logits"]
            elif index == plan["halved"]:  # complete where each half reads it
                start = plan["scratch"] + last["x"]
            yield self.work[start:][: plan["images"] * row["out_size"]]


def parameter_offsets(network: tuple[Shape, ...]) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Return name -> (offset, shape) of each tensor in the parameter arena, in the network's order, without gaps."""
    offsets: dict[str, tuple[int, tuple[int, ...]]] = {}
    size = 0
    for shape in network:
        for part, extents in (("weight", shape.weight), ("bias", shape.bias)):
            if extents:
                offsets[f"{shape.name}.{part}"] = (size, extents)
                size += int(np.prod(extents))
    return offsets


def tensors_of(network: tuple[Shape, ...], params: np.ndarray) -> dict[str, np.ndarray]:
    """Return parameters (P,) by name, `conv1.weight` (3, 3, C, OC) and so on, as views: writing changes them."""
    return {
        name: params[start : start + int(np.prod(extents))].reshape(extents)
        for name, (start, extents) in parameter_offsets(network).items()
    }


def build(
    network: tuple[Shape, ...],
    images: int,
    threads: int,
    dtype: type,
    driver: str = BATCH,  # or PER_SAMPLE, for one image, or INFERENCE, for groups of images
    choices: tuple[Choice, ...] = (),  # supported by the driver; () for the fastest
) -> Workspace:
    """Lay a network out for batches of up to `images` images, with room for the microbatches that busy the threads."""
    # These import numba, whose threads are to be set before.
    from jitnet.kernels.compiler.tile import VECTOR_BYTES
    from jitnet.kernels.fast.spin_barrier import BARRIER_SIZE

    itemsize = np.dtype(dtype).itemsize
    choices = choices or kernel_choice.choose(network, BATCH if driver == INFERENCE else driver, itemsize, VECTOR_BYTES)
    blocks = list(kernel_choice.blocks(network))
    halved = kernel_choice.halved(blocks)
    offsets = parameter_offsets(network)
    table = np.zeros(len(blocks), LAYER)
    plan = np.zeros(1, PLAN)
    work, scratch, argmax, rows = Arena(), Arena(), Arena(), Arena()
    microbatch = MICROBATCH if blocks[0].is_conv else images
    at_once = min(images, microbatch * ((threads + SHARDS - 1) // SHARDS))
    shards = max(shard_count(at_once), 2)  # a single image is shared by two threads
    scratches = 2 if driver == PER_SAMPLE else min(shards, pool_size())
    slots = min(images, MICROBATCH // SHARDS)
    tile_room = 0
    if driver == INFERENCE:
        group, scratches = _room_for_groups(blocks, images, itemsize)
        plan["workers"], at_once = scratches, scratches * group
    maps = scratches * TOGETHER if driver == INFERENCE else at_once  # images of a map that only conv blocks read

    for index, (block, choice, row) in enumerate(zip(blocks, choices, table)):
        shape, pool, after, _ = block
        for name, by in choice._asdict().items():
            row[name] = by
        row["weight"], row["bias"] = offsets[f"{shape.name}.weight"][0], offsets[f"{shape.name}.bias"][0]
        H, W, C = shape.inputs if block.is_conv else (1, 1, shape.inputs[0])
        outputs = pool.outputs if pool else shape.outputs
        OH, OW, OC = outputs if block.is_conv else (1, 1, outputs[0])
        row["border"] = border = int(after is not None and isinstance(after.layer, Conv))
        row["kind"], row["pool"] = (CONV if block.is_conv else DENSE), pool is not None
        row["activation"] = ACTIVATIONS[block.activation]
        if index and not block.is_conv:
            before = table[index - 1]
            # A conv block multiplies by its own derivative.
            row["previous_activation"] = before["activation"] if before["kind"] == DENSE else LINEAR
            row["all_inputs"] = before["activation"] != RELU
        for name, extent in zip(("H", "W", "C", "OH", "OW", "OC"), (H, W, C, OH, OW, OC)):
            row[name] = extent

        padding = 2 * block.is_conv
        row["x_size"] = (H + padding) * (W + padding) * C
        row["out_size"] = (OH + 2 * border) * (OW + 2 * border) * OC
        if index == 0:
            row["x"] = work.take(scratches if driver == PER_SAMPLE else maps, int(row["x_size"]))
            row["grad_x"] = 0 if block.is_conv else work.take(at_once, H, W, C)  # nobody needs an image's gradient
        else:
            row["x"], row["grad_x"] = table[index - 1]["out"], table[index - 1]["grad_out"]
        row["out"] = work.take(maps if border else at_once, int(row["out_size"]))
        if driver != INFERENCE:
            apart = driver == PER_SAMPLE and index >= halved - 1  # each half has its own
            row["grad_out"] = scratch.take(slots, OH, OW, OC) if border or apart else work.take(at_once, OH, OW, OC)
        row["BH"], row["BW"] = shape.bias[:2] if block.is_conv else (1, 1)
        if block.is_conv:
            if driver != INFERENCE and choice.input_gradient_by != WINOGRAD:
                row["backward_weight"] = work.take(*shape.weight)
            row["ring"] = scratch.take(3, W, OC)
            if driver == PER_SAMPLE:
                row["grad_out_sum"] = scratch.take(OH, OW, OC)
                own_filters, own_bias = kernel_choice.own_params(choice, shape)
                row["own_weight"] = scratch.take(*shape.weight) if own_filters else 0
                row["own_bias"] = scratch.take(*shape.bias) if own_bias else 0
            tiled = WINOGRAD in choice[:3]
            row["images_per_tile_batch"] = tile_batch = min(slots, images_per_tile_batch(H, W)) if tiled else 1
            row["grad_map"] = scratch.take(tile_batch, H + 2, W + 2, OC)
            if tiled:
                row["winograd_weight"] = scratch.take(TILE_PRODUCTS, C * OC + GAP)
                tile_room = max(tile_room, tile_scratch(tile_batch, H, W, C, OC), 9 * C * OC)  # or flipped filters
            if choice.forward_by == WINOGRAD and pool:
                row["map_before_pool"] = scratch.take(tile_batch, H, W, OC)
            if pool and driver != INFERENCE:
                row["winners"] = argmax.take(at_once, OH, OW, OC)
                if driver == PER_SAMPLE and choice[3:] == (BY_CHANNELS, BY_CHANNELS):
                    row["winners_apart"] = argmax.take(OH, OW, OC) - row["winners"]
            if choice.weight_gradient_by == SPARSE_BY_FILTER:
                row["grad_x_padded"] = scratch.take(H + 2, W + 2, C)
                row["map_by_channel"] = scratch.take(OC, H + 2, W + 2)
            sums = {SPARSE_BY_FILTER: (OC, 3, 3, C), WINOGRAD: (TILE_PRODUCTS, C * OC + GAP)}
            if driver == BATCH and choice.weight_gradient_by in sums:
                row["weight_sums"] = scratch.take(*sums[choice.weight_gradient_by])
            plan["convs"] = index + 1
            plan["conv_params"] = row["bias"] + int(np.prod(shape.bias))
        else:
            row["linear_scratch_size"] = linear_scratch(at_once, C, OC) if driver == BATCH else 0
            row["linear_scratch"] = work.take(int(row["linear_scratch_size"])) if driver == BATCH else 0
            if driver == PER_SAMPLE and index < halved:
                row["rows"], row["factors"], row["out_partial"] = rows.take(C), work.take(C), work.take(OC)
            elif driver == PER_SAMPLE:
                row["rows"], row["factors"], row["x"] = rows.take(2, C + LINE), scratch.take(C), scratch.take(C)
                row["own_weight"], row["own_bias"] = scratch.take(C, OC), scratch.take(OC)

    plan["images"], plan["microbatch"], plan["scratches"] = at_once, microbatch, scratches
    if driver == PER_SAMPLE:
        plan["halved"], plan["logits"] = halved, scratch.take(int(table[-1]["OC"]))
    plan["tile_scratch"] = scratch.take(tile_room)
    plan["scratch"], plan["scratch_size"] = work.take(scratches, scratch.size), scratch.size
    if driver != INFERENCE:
        plan["shard_grads"] = work.take(shards, int(plan["conv_params"][0]))
    if driver == BATCH:
        plan["grads"] = work.take(sum(int(np.prod(extents)) for _, extents in offsets.values()))
    plan["zeros"] = work.take(max(max(int(row["C"]), int(row["OC"])) for row in table))
    size = work.size * itemsize + argmax.size + 8 * rows.size
    memory.require(size, f"a batch of {images:,} images in this network")
    return Workspace(
        images=images,
        layers=table,
        plan=plan,
        work=aligned_zeros(work.size, dtype),
        argmax=np.zeros(max(argmax.size, 1), np.uint8),
        rows=np.zeros(max(rows.size, 1), np.int64),
        counts=np.zeros((len(table), 2, LINE), np.int64),
        barrier=np.zeros(BARRIER_SIZE, np.int64),
    )


def _room_for_groups(blocks: list[Block], images: int, itemsize: int) -> tuple[int, int]:
    """Return how many images a group of inference has, at most, and how many groups there is room for.

    One for each thread of the pool, but no more than _INFERENCE_BYTES of maps unless a single image has more, and of
    filters in tiles, of which each worker has its own, unless one has more.
    """
    values = sum(int(np.prod(block.shape.inputs)) for block in blocks)
    room = max(1, _INFERENCE_BYTES // (values * itemsize))  # images
    filters = sum(TILE_PRODUCTS * block.shape.weight[2] * block.shape.weight[3] for block in blocks if block.is_conv)
    workers = min(pool_size(), room, max(1, _INFERENCE_BYTES // (filters * itemsize)))
    return max(1, min(GROUP, images, room // workers)), workers


def read_only(array: np.ndarray) -> np.ndarray:
    """Return what a kernel only reads as one type, so that one compilation serves all layouts in memory.

    numba compiles again for an array in Fortran's order, as pandas keeps its columns, for one that may not be written,
    as a mapped file, and for one that is not aligned. Only such an order, or a lack of alignment, costs a copy.
    """
    view: np.ndarray = np.require(array, requirements=("C", "A")).view()
    view.flags.writeable = False
    return view


def aligned_zeros(size: int, dtype: type) -> np.ndarray:
    """Return zeros that start on a cache line, so that a vector load never crosses two where offsets are rounded."""
    itemsize = np.dtype(dtype).itemsize
    whole: np.ndarray = np.zeros(size + 64 // itemsize, dtype)
    skip = -whole.ctypes.data % 64 // itemsize
    return whole[skip : skip + size]
