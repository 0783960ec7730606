"""The measured kernels, with their shapes in the documents' CNN and their data."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from bench import kernel_loops, rows
from jitnet.kernels.fast.dense_pieces import linear_scratch
from jitnet.kernels.table import GAP, LINEAR, RELU, TILE_PRODUCTS, images_per_tile_batch, tile_scratch
from jitnet.model.architecture import forward_macs, parse, step_macs
from jitnet.model.memory_plan import aligned_zeros
from jitnet.model.network import Network

CONVS = (("conv1", 28, 1, 16), ("conv2", 14, 16, 32), ("conv3", 7, 32, 64))  # name, height and width, C, OC
POOLS = (("pool1", 28, 16), ("pool2", 14, 32))
DENSE = (("dense1", 3136, 100, LINEAR), ("dense 512", 512, 512, RELU))  # name, D, K, and the activation before it
D, K = DENSE[0][1:3]
BATCHES = (16, 128)


@dataclass(frozen=True)
class Case:
    """One kernel at one shape."""

    name: str
    shape: str
    flop: int  # of one repeat of one piece, dense: nothing is counted as skipped. 0: it has no multiply-adds
    make: Callable[[int], Callable[[int], object]]  # threads -> run(repeats)
    pieces: bool = True  # each thread works on a separate piece; False: the threads share one
    note: str = ""


def cases() -> Iterator[Case]:
    """Yield all cases, from the smallest kernel to the whole step."""
    for name, H, C, OC in CONVS:
        flop, shape = 18 * H * H * C * OC, f"{H}x{H}x{C} -> {OC}"
        yield Case(f"{name} forward", shape, flop, _bind(_conv_forward, H, C, OC))
        note = "not part of training" if name == "conv1" else ""
        yield Case(f"{name} input gradient", shape, flop, _bind(_conv_forward, H, OC, C), note=note)
        yield Case(f"{name} weight gradient", shape, flop, _bind(_conv_weight, H, C, OC))
        if name != "conv1":
            images = images_per_tile_batch(H, H)
            note = f"forward, over a batch, {images} at once; the flop are those of the sum"
            yield Case(f"{name} in tiles", shape, images * flop, _bind(_conv_tiles, images, H, C, OC), note=note)
            note = f"over a batch, {images} at once; the flop are those of the sum"
            weight = _bind(_conv_weight_tiles, images, H, C, OC)
            yield Case(f"{name} weight gradient in tiles", shape, images * flop, weight, note=note)
            yield Case(f"{name} filters for tiles", f"3x3x{C}x{OC}", 0, _bind(_for_tiles, C, OC), note="once per batch")
            yield Case(f"{name} flip of the filters", f"3x3x{C}x{OC}", 0, _bind(_flip, C, OC), note="once per step")
    for name, H, C in POOLS:
        yield Case(f"{name} forward", f"{H}x{H}x{C}", 0, _bind(_pool_forward, H, C), note="with ReLU and argmax")
        yield Case(f"{name} backward", f"{H}x{H}x{C}", 0, _bind(_pool_backward, H, C))
    for share, note in ((1.0, "all inputs active"), (0.5, "half of the inputs active")):
        yield Case("dense1 forward, 1 image", f"{D}x{K}", 2 * D * K, _bind(_linear_forward_sample, share), note=note)
        yield Case("dense1 backward, 1 image", f"{D}x{K}", 4 * D * K, _bind(_linear_sgd_sample, share), note=note)
    for (name, inputs, units, before), N in product(DENSE, BATCHES):
        sizes = (N, inputs, units)
        flop, shape = 2 * math.prod(sizes), "x".join(map(str, sizes))
        yield Case(f"{name} forward", shape, flop, _bind(_linear_forward, *sizes), pieces=False)
        yield Case(f"{name} input gradient", shape, flop, _bind(_linear_input, *sizes, before), pieces=False)
        weight = _bind(_linear_weight, *sizes)
        yield Case(f"{name} weight gradient", shape, flop, weight, pieces=False, note="with the SGD step")
    shapes = Network(parse(rows.CNN), (28, 28, 1)).shapes
    step, forward = 2 * step_macs(shapes), 2 * forward_macs(shapes)
    note = "loss and update too"
    yield Case("whole step, 1 image", "CNN", step, _bind(_steps, 1), pieces=False, note=note)
    yield Case("whole step, 128 images", "CNN", 128 * step, _bind(_steps, 128), pieces=False, note=note)
    yield Case("inference, 256 images", "CNN", 256 * forward, _bind(_inference, 256), pieces=False)


def _bind(make: Callable, *shape) -> Callable[[int], Callable[[int], object]]:
    return lambda threads: make(threads, *shape)


def _room(*extents: int) -> np.ndarray:
    """Return zeros that begin at a cache line, as the network's arenas do: NumPy's own arrays begin inside one."""
    return aligned_zeros(math.prod(extents), np.float32).reshape(extents)


def _draw(*extents: int) -> np.ndarray:
    out = _room(*extents)
    return np.random.default_rng(sum(extents)).standard_normal(out=out, dtype=np.float32)


def _padded(*extents):
    """Return maps (..., H+2, W+2, C) with a border of zeros."""
    *parts, H, C = extents
    x = _room(*parts, H + 2, H + 2, C)
    x[..., 1:-1, 1:-1, :] = _draw(*parts, H, H, C)
    return x


def _conv_forward(P, H, C, OC):
    """Also used for the input gradient, which is the same with the channels swapped."""
    x, weight, bias = _padded(P, H, C), _draw(3, 3, C, OC), _draw(H, H, OC)
    out = _room(P, H, H, OC)
    return lambda repeats: kernel_loops.conv2d_forward(repeats, x, weight, bias, out)


def _conv_weight(P, H, C, OC):
    x, gradient, out = _padded(P, H, C), _padded(P, H, OC), _room(P, 3, 3, C, OC)
    return lambda repeats: kernel_loops.conv2d_backward_weight(repeats, x, gradient, np.float32(1e-6), out)


def _for_tiles(P, C, OC):
    weight, out = _draw(P, 3, 3, C, OC), _room(P, TILE_PRODUCTS, C * OC + GAP)
    return lambda repeats: kernel_loops.transform_weight(repeats, weight, out)


def _conv_tiles(P, N, H, C, OC):
    x, bias = _padded(P, N, H, C), _draw(H, H, OC)
    transformed, scratch = (
        _draw(P, TILE_PRODUCTS, C * OC + GAP),
        _room(P, tile_scratch(N, H, H, C, OC)),
    )
    zeros, out = _room(OC), _room(P, N * H * H * OC)
    return lambda repeats: kernel_loops.conv2d_winograd(repeats, x, transformed, bias, zeros, scratch, out)


def _conv_weight_tiles(P, N, H, C, OC):
    x, gradients = _padded(P, N, H, C), _padded(P, N, H, OC)
    gradients *= np.float32(1e-3)
    scratch = _room(P, tile_scratch(N, H, H, C, OC))
    sums = _room(P, TILE_PRODUCTS, C + 1, OC)[:, :, :C]  # with gaps between the planes
    return lambda repeats: kernel_loops.winograd_backward_weight(repeats, x, gradients, scratch, sums)


def _flip(P, C, OC):
    weight, out = _draw(P, 3, 3, C, OC), _room(P, 3, 3, OC, C)
    return lambda repeats: kernel_loops.flip_weight(repeats, weight, out)


def _pool_forward(P, H, C):
    x, out = _draw(P, H, H, C), _room(P, H // 2, H // 2, C)
    argmax = np.empty(out.shape, np.uint8)
    return lambda repeats: kernel_loops.max_pool2d_forward(repeats, x, out, argmax)


def _pool_backward(P, H, C):
    x, out = _draw(P, H, H, C), _room(P, H // 2, H // 2, C)
    argmax = np.empty(out.shape, np.uint8)
    kernel_loops.max_pool2d_forward(1, x, out, argmax)
    gradient = _room(P, H + 2, H + 2, C)
    return lambda repeats: kernel_loops.max_pool2d_backward(repeats, out, argmax, gradient)


def _sample(P, share):
    """Return the layer for one image; a random share of its inputs is not 0, as after ReLU."""
    x = _draw(P, D)
    np.add(np.abs(x), 0.1, out=x)
    inactive = np.random.default_rng(1).permutation(D)[round(share * D) :]
    x[:, inactive] = 0
    weight, bias = _draw(P, D, K), _draw(P, K)
    rows_, factors, out = np.empty((P, D), np.int64), _room(P, D), _room(P, K)
    return x, weight, bias, rows_, factors, out


def _linear_forward_sample(P, share):
    arrays = _sample(P, share)
    return lambda repeats: kernel_loops.linear_forward_sample(repeats, *arrays)


def _linear_sgd_sample(P, share):
    x, weight, bias, rows_, factors, out = _sample(P, share)
    kernel_loops.linear_forward_sample(1, x, weight, bias, rows_, factors, out)
    count, gradient, grad_input = round(share * D), _draw(P, K), _room(P, D)
    return lambda repeats: kernel_loops.linear_sgd_sample(
        repeats, gradient, rows_, factors, count, np.float32(1e-9), weight, bias, grad_input
    )


def _linear_forward(threads, N, D, K):
    x, weight, bias, out = _draw(N, D), _draw(D, K), _draw(K), _room(N, K)
    scratch = _room(linear_scratch(N, D, K))
    return lambda repeats: kernel_loops.linear_forward(repeats, x, weight, bias, scratch, out)


def _linear_input(threads, N, D, K, previous_activation):
    x, weight, gradient = _draw(N, D), _draw(D, K), _draw(N, K)
    scratch, out = _room(linear_scratch(N, D, K)), _room(N, D)
    return lambda repeats: kernel_loops.linear_backward_input(
        repeats, gradient, weight, x, previous_activation, scratch, out
    )


def _linear_weight(threads, N, D, K):
    x, gradient = _draw(N, D), _draw(N, K)
    weight, bias = _room(D, K), _room(K)
    return lambda repeats: kernel_loops.linear_sgd(repeats, x, gradient, np.float32(-1e-6), weight, bias)


def _network():
    network = Network(parse(rows.CNN), (28, 28, 1))
    network.initialise("lecun", 0)
    return network, *rows.data(2048)[1:]


def _steps(threads, batch):
    network, images, targets = _network()

    def run(repeats):
        order = np.arange(repeats * batch) % len(images)
        network.train_steps(images, targets, order, batch, np.full(repeats, 1e-4), np.zeros(1))

    return run


def _inference(threads, batch):
    network, images, _ = _network()
    images, out = images[:batch], _room(batch, 10)

    def run(repeats):
        for _ in range(repeats):
            network.logits_of(images, 0, out)

    return run
