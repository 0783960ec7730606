"""Compiling the kernels as a phase of its own, which views can show and which is over before the first epoch."""

import importlib
import time
from collections.abc import Iterator

import numpy as np

from jitnet.events import Compiling, Event, Warned
from jitnet.network import PART, Network

# Kernels in the order of their compilation, as module.function. The drivers, compiled last, contain the others: once a
# driver is in the cache only it is loaded; compiled one by one, the others let a view show progress.
_FORWARD = ("minibatch.trunk_forward", "dense.linear_forward")
_BACKWARD = (
    "loss.softmax_cross_entropy",
    "dense.linear_backward_input",
    "dense.linear_backward_weight",
    "minibatch.trunk_backward",
    "minibatch.sum_shards",
    "optimizer.sgd_step",
)


def compile_kernels(network: Network, batch_size: int, images: np.ndarray) -> Iterator[Event]:
    """Compile, or load from the cache, what training on such images at this batch size will call.

    Kernels whose cached code is damaged are compiled anew, with one warning. Without a place for a cache there is a
    warning too.
    """
    from jitnet.kernels import options

    if options.CACHE_FOLDER is None:
        yield Warned(
            message="no folder is writable for compiled kernels, so each start compiles them anew: "
            "set JITNET_CACHE_DIR to one that is"
        )
    yield from _compile(network, batch_size, images)
    if options.DAMAGED:
        names = ", ".join(sorted(set(options.DAMAGED)))
        options.DAMAGED.clear()
        yield Warned(message=f"the cache of compiled kernels was damaged, so these were compiled anew: {names}")


def _compile(network: Network, batch_size: int, images: np.ndarray) -> Iterator[Event]:
    if batch_size == 1:
        drivers: tuple[str, ...] = ("persample.train_per_sample", "minibatch.predict_logits")
    elif batch_size <= PART:
        drivers = ("minibatch.train_minibatch", "minibatch.predict_logits")
    else:
        drivers = ("minibatch.accumulate_gradient", "optimizer.sgd_step", "minibatch.predict_logits")
    cached = all(_in_cache(name) for name in drivers)
    parts = () if cached else _FORWARD if batch_size == 1 else _FORWARD + _BACKWARD
    names = ("contract", *(name for name in parts if name not in drivers), *drivers)
    started = time.perf_counter()
    for index, name in enumerate(names):
        seconds = time.perf_counter() - started
        yield Compiling(name=name, index=index, total=len(names), cached=cached, seconds=seconds)
        if index == 0:
            _compile_primitives(network)
        else:
            _compile_kernel(name, network, batch_size, images)
    seconds = time.perf_counter() - started
    yield Compiling(name="", index=len(names), total=len(names), cached=cached, seconds=seconds)


def _compile_primitives(network: Network) -> None:
    import numba

    from jitnet.kernels import primitive

    importlib.import_module("jitnet.kernels.rows")  # which knows them all
    primitive.prepare(numba.from_dtype(np.dtype(network.dtype)))


def _in_cache(name: str) -> bool:
    from jitnet.kernels import options

    return options.CACHE_FOLDER is not None and any(options.CACHE_FOLDER.rglob(f"{name}-*.nbi"))


def _compile_kernel(name: str, network: Network, batch_size: int, images: np.ndarray) -> None:
    """Compile one kernel for the types it will be called with; nothing is run."""
    import numba

    module, function = name.split(".")
    kernel = getattr(importlib.import_module(f"jitnet.kernels.{module}"), function)
    signature = tuple(numba.typeof(argument) for argument in _arguments(function, network, batch_size, images))
    if numba.config.DISABLE_JIT or signature in kernel.signatures:
        return
    kernel.compile(signature)


def _arguments(function: str, network: Network, batch_size: int, images: np.ndarray) -> tuple:
    """Return arguments of the right types, their values being of no account."""
    number = np.dtype(network.dtype).type(1)
    vector: np.ndarray = np.empty(1, network.dtype)
    matrix = vector.reshape(1, 1)
    integers, floats, targets = np.zeros(1, np.int64), np.zeros(1), np.zeros(1, np.uint8)
    space = network.workspace(min(batch_size, PART))
    table = (space.layers, space.plan)
    buffers = (*table, network.params, space.work, space.argmax)
    match function:
        case "train_per_sample":
            return network.per_sample_arguments(images, targets, integers, floats, floats, floats)
        case "train_minibatch":
            return network.minibatch_arguments(images, targets, integers, batch_size, floats, floats, floats)
        case "accumulate_gradient":
            return network.accumulate_arguments(images, targets, integers, 1.0, vector)
        case "predict_logits":
            return network.predict_arguments(images, integers, matrix)
        case "trunk_forward":
            return (*buffers, images, number, integers)
        case "trunk_backward":
            return (*buffers, 1)
        case "linear_forward":
            return (matrix, matrix, vector, True, matrix)
        case "linear_backward_input":
            return (matrix, matrix, matrix, True, vector, matrix)
        case "linear_backward_weight":
            return (matrix, matrix, matrix, vector)
        case "softmax_cross_entropy":
            return (matrix, integers, number, floats, matrix)
        case "sum_shards":
            return (matrix, vector)
        case "sgd_step":
            return (vector, vector, number)
    raise AssertionError(function)
