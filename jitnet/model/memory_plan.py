"""Where everything lies: turns a network's shapes into the table and the arenas that the kernels work in."""

from dataclasses import dataclass

import numpy as np

from jitnet.kernels.table import (
    CONV,
    DENSE,
    GAP,
    LAYER,
    LINEAR,
    MICROBATCH,
    PLAN,
    PRODUCTS,
    RELU,
    SHARDS,
    SIGMOID,
    TANH,
    linear_scratch,
    pays_in_tiles,
    shard_count,
    tile_scratch,
    tiled_together,
    whole_lines,
)
from jitnet.machine import memory
from jitnet.model.architecture import Conv, Pool, Shape

_ACTIVATIONS = {"linear": LINEAR, "relu": RELU, "sigmoid": SIGMOID, "tanh": TANH}


@dataclass
class Arena:
    """Hands out offsets in a flat array."""

    size: int = 0

    def take(self, *extents: int) -> int:
        """Return the offset of a new region of prod(extents) elements."""
        offset = self.size
        self.size += whole_lines(int(np.prod(extents)))
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
    counts: np.ndarray  # (2*L,) int64
    team: np.ndarray  # (TEAM_SIZE,) int64


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


def build(network: tuple[Shape, ...], images: int, threads: int, dtype: type) -> Workspace:
    """Lay a network out for batches of up to `images` images, with room for the microbatches that busy the threads."""
    from jitnet.kernels.fast.spin_barrier import TEAM_SIZE  # imports numba, whose threads are to be set before

    offsets = parameter_offsets(network)
    table = np.zeros(sum(not isinstance(shape.layer, Pool) for shape in network), LAYER)
    plan = np.zeros(1, PLAN)
    work, scratch, argmax, rows = Arena(), Arena(), Arena(), Arena()
    microbatch = MICROBATCH if any(isinstance(shape.layer, Conv) for shape in network) else images
    at_once = min(images, microbatch * ((threads + SHARDS - 1) // SHARDS))
    shards = max(shard_count(at_once), 2)  # a single image is shared by two threads
    slots = min(images, MICROBATCH // SHARDS)
    room = 0  # for tiles

    index = -1
    for place, shape in enumerate(network):
        if isinstance(shape.layer, Pool):
            continue
        index += 1
        pooled = place + 1 < len(network) and isinstance(network[place + 1].layer, Pool)
        after = network[place + 1 + pooled] if place + 1 + pooled < len(network) else None
        row = table[index]
        row["weight"], row["bias"] = offsets[f"{shape.name}.weight"][0], offsets[f"{shape.name}.bias"][0]
        is_conv = isinstance(shape.layer, Conv)
        H, W, C = shape.inputs if is_conv else (1, 1, shape.inputs[0])
        outputs = network[place + 1].outputs if pooled else shape.outputs
        OH, OW, OC = outputs if is_conv else (1, 1, outputs[0])
        row["border"] = border = int(after is not None and isinstance(after.layer, Conv))
        row["kind"], row["pool"] = (CONV if is_conv else DENSE), pooled
        row["activation"] = _ACTIVATIONS[shape.layer.activation] if after is not None else LINEAR
        if index and not is_conv:
            before = table[index - 1]
            mine = before["kind"] == DENSE or before["activation"] == RELU  # a conv block does its own but for ReLU's
            row["behind"] = before["activation"] if mine else LINEAR
            row["all_inputs"] = before["activation"] != RELU
        for name, extent in zip(("H", "W", "C", "OH", "OW", "OC"), (H, W, C, OH, OW, OC)):
            row[name] = extent

        padding = 2 * is_conv
        row["x_size"] = (H + padding) * (W + padding) * C
        row["out_size"] = (OH + 2 * border) * (OW + 2 * border) * OC
        if index == 0:
            row["x"] = work.take(at_once, int(row["x_size"]))
            row["grad_x"] = 0 if is_conv else work.take(at_once, H, W, C)  # nobody asks for a picture's gradient
        else:
            row["x"], row["grad_x"] = table[index - 1]["out"], table[index - 1]["grad_out"]
        row["out"] = work.take(at_once, int(row["out_size"]))
        row["grad_out"] = scratch.take(slots, OH, OW, OC) if border else work.take(at_once, OH, OW, OC)
        if is_conv:
            row["BH"], row["BW"] = shape.bias[:2]
            row["transposed"] = work.take(*shape.weight)
            row["ring"] = scratch.take(3, W, OC)
            row["gathered"] = scratch.take(OH, OW, OC)
            row["tiled"] = tiled = pays_in_tiles(H, W, C, OC)
            row["together"] = together = min(slots, tiled_together(H, W)) if tiled else 1
            row["grad_map"] = scratch.take(together, H + 2, W + 2, OC)
            if tiled:
                row["filters_of_tiles"] = work.take(PRODUCTS, C * OC + GAP)
                room = max(room, tile_scratch(together, H, W, C, OC))
            if tiled and pooled:
                row["map"] = scratch.take(together, H, W, OC)
            if pooled:
                row["winners"] = argmax.take(at_once, OH, OW, OC)
            row["padded"] = scratch.take(H + 2, W + 2, C)
            row["turned"] = scratch.take(OC, H + 2, W + 2)
            row["filters"] = scratch.take(OC, 3, 3, C)
            plan["convs"] = index + 1
            plan["conv_params"] = row["bias"] + int(np.prod(shape.bias))
        else:
            row["transposed"] = work.take(linear_scratch(C, OC))
            row["rows"] = rows.take(C)
            row["factors"] = work.take(C)
            row["second"] = work.take(OC)

    plan["images"], plan["microbatch"], plan["shards"] = at_once, microbatch, shards
    plan["tiles"] = scratch.take(room)
    plan["scratch"], plan["scratch_size"] = work.take(shards, scratch.size), scratch.size
    plan["shard_grads"] = work.take(shards, int(plan["conv_params"][0]))
    plan["grads"] = work.take(sum(int(np.prod(extents)) for _, extents in offsets.values()))
    plan["zeros"] = work.take(max(max(int(row["C"]), int(row["OC"])) for row in table))
    size = work.size * np.dtype(dtype).itemsize + argmax.size + 8 * rows.size
    memory.require(size, f"a batch of {images:,} images in this network")
    return Workspace(
        images=images,
        layers=table,
        plan=plan,
        work=aligned_zeros(work.size, dtype),
        argmax=np.zeros(max(argmax.size, 1), np.uint8),
        rows=np.zeros(max(rows.size, 1), np.int64),
        counts=np.zeros(2 * len(table), np.int64),
        team=np.zeros(TEAM_SIZE, np.int64),
    )


def aligned_zeros(size: int, dtype: type) -> np.ndarray:
    """Return zeros that start on a cache line, so that a vector load never crosses two where offsets are rounded."""
    itemsize = np.dtype(dtype).itemsize
    whole: np.ndarray = np.zeros(size + 64 // itemsize, dtype)
    skip = -whole.ctypes.data % 64 // itemsize
    return whole[skip : skip + size]
