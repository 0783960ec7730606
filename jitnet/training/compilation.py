"""Compiling the kernels as a separate phase, which views can show and which is over before the first epoch."""

import contextlib
import importlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from jitnet.events import Compiling, Event, Warned
from jitnet.model.architecture import parse
from jitnet.model.network import PART, Network, is_fused
from jitnet.model.optimizer import Optimizer

# Kernels in the order of their compilation, as module.function. The drivers, compiled last, contain the others: once a
# driver is in the cache only it is loaded; compiled one by one, the others let a view show progress.
_INFERENCE = "fast.batch.predict_logits"
_FORWARD = ("fast.batch_conv.conv_blocks_forward", "fast.linear_batch.linear_batch_forward")
_BACKWARD = (
    "layers.loss.output_loss",
    "fast.linear_batch.linear_batch_backward_input",
    "fast.linear_batch.linear_batch_backward_weight",
    "fast.batch_conv.conv_blocks_backward",
    "fast.batch_conv.sum_shards",
    "layers.optimizer.optimizer_step",
)
_LONGEST = "fast.batch_conv.conv_blocks_backward"  # as long as all the others


def compile_kernels(
    network: Network,
    batch_size: int,
    images: np.ndarray,
    targets: np.ndarray | None = None,  # labels unless given
    optimizer: Optimizer | None = None,  # SGD unless given
) -> Iterator[Event]:
    """Compile, or load from the cache, what training on such images at this batch size will call.

    Kernels whose cached code is damaged are compiled again, with one warning. Without a place for a cache there is a
    warning too.
    """
    targets = np.zeros(1, np.uint8) if targets is None else targets
    optimizer = optimizer or network.plain_optimizer()
    if network.kernels == "simple":
        yield from _compile_simple(network, targets, optimizer)
        return
    fused = is_fused(batch_size, optimizer)
    if fused:
        first: tuple[str, ...] = ("fast.per_sample.train_per_sample",)
    elif batch_size <= PART:
        first = ("fast.batch.train_minibatch",)
    else:
        first = ("fast.batch.accumulate_gradient", "layers.optimizer.optimizer_step")
    parts = _FORWARD if fused else _FORWARD + _BACKWARD
    yield from _compile((*first, _INFERENCE), parts, network, batch_size, images, targets, optimizer)


def compile_inference(network: Network, images: np.ndarray) -> Iterator[Event]:
    """Compile, or load from the cache, what a network's scores of such images call; see `compile_kernels`."""
    targets = np.zeros(1, np.uint8)
    if network.kernels == "simple":
        yield from _compile_simple(network, targets, None)
        return
    yield from _compile((_INFERENCE,), _FORWARD, network, 1, images, targets, network.plain_optimizer())


def _compile_simple(network: Network, targets: np.ndarray, optimizer: Optimizer | None) -> Iterator[Event]:
    """Compile the pages that a network's simple step calls, without an optimizer those of its inference."""
    calls = network.simple(1).calls(targets, optimizer)

    def in_turn() -> Iterator[Event]:
        started, cached = time.perf_counter(), all(map(_in_cache, calls))
        for index, (name, arguments) in enumerate((*calls.items(), ("", ()))):
            seconds = time.perf_counter() - started
            yield Compiling(name=name, index=index, total=len(calls), cached=cached, seconds=seconds)
            if name:
                _compile_for(name, arguments)

    yield from _with_warnings(in_turn())


def _compile(drivers: tuple[str, ...], parts: tuple[str, ...], *example: Any) -> Iterator[Event]:
    yield from _with_warnings(_compile_in_turn(drivers, parts, *example))


def _with_warnings(compiling: Iterator[Event]) -> Iterator[Event]:
    from jitnet.kernels.compiler import cache

    if cache.CACHE_FOLDER is None:
        yield Warned(
            message="no folder is writable for compiled kernels, so each start compiles them again: "
            "set JITNET_CACHE_DIR to one that is"
        )
    yield from compiling
    if cache.DAMAGED:
        names = ", ".join(sorted(set(cache.DAMAGED)))
        cache.DAMAGED.clear()
        yield Warned(message=f"the cache of compiled kernels was damaged, so these were compiled again: {names}")


def _compile_in_turn(
    drivers: tuple[str, ...], parts: tuple[str, ...], network: Network, *example: Any
) -> Iterator[Event]:
    import numba

    from jitnet.kernels.compiler import symbols

    started = time.perf_counter()
    cached = all(_in_cache(name) for name in drivers)
    here = () if cached else tuple(name for name in parts if name not in drivers)
    elsewhere: tuple[str, ...] = ()
    if not cached and len(drivers) > 1 and _has_second_core():
        elsewhere = (*(name for name in here if name != _LONGEST), _INFERENCE)
        here = tuple(name for name in here if name not in elsewhere)
    with _second_process(elsewhere, network, *example) as process:
        for name in (*here, *drivers):
            if not (process and _needs(name)):
                importlib.import_module(f"jitnet.kernels.{name.rpartition('.')[0]}")
        primitives = symbols.names()
        names = (*primitives, *here, *drivers)
        for index, name in enumerate(names):
            seconds = time.perf_counter() - started
            yield Compiling(name=name, index=index, total=len(names), cached=cached, seconds=seconds)
            if process and _needs(name):
                process.wait()
            if name in primitives:
                symbols.prepare_one(name, numba.from_dtype(np.dtype(network.dtype)))
            else:
                _compile_kernel(name, network, *example)
    seconds = time.perf_counter() - started
    yield Compiling(name="", index=len(names), total=len(names), cached=cached, seconds=seconds)


def _needs(name: str) -> bool:
    """Return whether a kernel contains what the second process compiles: the drivers of batches do."""
    return name.startswith("fast.batch.")


def _has_second_core() -> bool:
    import numba

    from jitnet.kernels.compiler import cache

    return bool(cache.CACHE_FOLDER) and numba.config.NUMBA_NUM_THREADS > 1


_BESIDE = """
import sys
sys.path[:] = {path}
from jitnet.training.compilation import compile_alone
compile_alone{arguments}
"""


@contextlib.contextmanager
def _second_process(
    names: tuple[str, ...],
    network: Network,
    batch_size: int,
    images: np.ndarray,
    targets: np.ndarray,
    optimizer: Optimizer,
) -> Iterator[subprocess.Popen | None]:
    """Meanwhile compile some kernels in a second process: see docs/decisions.md.

    Nothing depends on it: kernels that it did not compile are compiled here.
    """
    process = None
    if names:
        arguments = names, np.dtype(network.dtype).name, images.dtype.name, targets.dtype.name, targets.ndim
        code = _BESIDE.format(path=sys.path, arguments=arguments)
        with contextlib.suppress(OSError):
            process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
    try:
        yield process
    finally:
        if process:
            process.kill()
            process.wait()


def compile_alone(names: tuple[str, ...], dtype: str, images: str, targets: str, axes: int) -> None:
    """Compile some kernels for these dtypes, and targets of that many axes; any network will do."""
    network = Network(parse("dense2"), (1, 1, 1), dtype=np.dtype(dtype).type)
    example = 1, np.zeros((1, 1, 1, 1), images), np.zeros((1,) * axes, targets), network.plain_optimizer()
    for name in names:
        _compile_kernel(name, network, *example)


def compiled_drivers() -> dict[str, bool]:
    """Return for each form of training, and for prediction, whether its code is in the cache."""
    return {
        "one image at a time": _in_cache("fast.per_sample.train_per_sample"),
        "batches": _in_cache("fast.batch.train_minibatch"),
        "large batches": _in_cache("fast.batch.accumulate_gradient"),
        "prediction": _in_cache(_INFERENCE),
    }


def _in_cache(name: str) -> bool:
    from jitnet.kernels.compiler import cache

    return cache.CACHE_FOLDER is not None and any(cache.CACHE_FOLDER.rglob(f"{'.'.join(name.split('.')[-2:])}-*.nbi"))


def _compile_kernel(
    name: str, network: Network, batch_size: int, images: np.ndarray, targets: np.ndarray, optimizer: Optimizer
) -> None:
    """Compile one kernel of the fast path for the types it will be called with."""
    _compile_for(name, _arguments(name.rpartition(".")[2], network, batch_size, images, targets, optimizer))


def _compile_for(name: str, arguments: tuple) -> None:
    """Compile a kernel, module.function, for the types of these arguments; nothing is run."""
    import numba

    from jitnet.kernels.compiler import thread_pool

    thread_pool.start_pool()  # a kernel from the cache may name the pool's functions, and LLVM ends the process without
    module, _, function = name.rpartition(".")
    kernel = getattr(importlib.import_module(f"jitnet.kernels.{module}"), function)
    signature = tuple(numba.typeof(argument) for argument in arguments)
    if numba.config.DISABLE_JIT or signature in kernel.signatures:
        return
    kernel.compile(signature)


def _arguments(
    function: str, network: Network, batch_size: int, images: np.ndarray, targets: np.ndarray, optimizer: Optimizer
) -> tuple:
    """Return arguments of the right types, whose values are not used."""
    number = np.dtype(network.dtype).type(1)
    vector: np.ndarray = np.empty(1, network.dtype)
    matrix = vector.reshape(1, 1)
    integers, floats = np.zeros(1, np.int64), np.zeros(1)
    space = network.workspace(min(batch_size, PART))
    table = (space.layers, space.plan)
    buffers = (*table, network.params, space.work, space.argmax)
    match function:
        case "train_per_sample":
            return network.per_sample_arguments(images, targets, integers, floats, floats, floats)
        case "train_minibatch":
            return network.minibatch_arguments(images, targets, integers, batch_size, floats, floats, floats, optimizer)
        case "accumulate_gradient":
            return network.accumulate_arguments(images, targets, integers, 1.0, vector)
        case "predict_logits":
            return network.predict_arguments(images, integers, matrix)
        case "conv_blocks_forward":
            return (*buffers, images, number, integers)
        case "conv_blocks_backward":
            return (*buffers, 1)
        case "linear_batch_forward":
            return (matrix, matrix, vector, 1, matrix)
        case "linear_batch_backward_input":
            return (matrix, matrix, matrix, 1, vector, matrix)
        case "linear_batch_backward_weight":
            return (matrix, matrix, number, False, matrix, vector)
        case "output_loss":
            return (1, matrix, targets, integers, number, floats, matrix)
        case "sum_shards":
            return (matrix, False, vector)
        case "optimizer_step":
            return network.step_arguments(vector, 1.0, optimizer)
    raise AssertionError(function)
