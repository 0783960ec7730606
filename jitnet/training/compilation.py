"""Compiling the kernels as a separate phase, which views can show and which is over before the first epoch."""

import importlib
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from jitnet.events import Compiling, Event, Warned
from jitnet.machine import memory
from jitnet.model.architecture import parse
from jitnet.model.memory_plan import read_only
from jitnet.model.network import PART, Network
from jitnet.model.optimizer import Optimizer, is_fused
from jitnet.training.compilers import Compilers
from jitnet.training.kernel_list import GROUPS, INCLUDED, KERNELS, PRODUCTS, STEP, arguments_of, inference_of

_ready: WeakKeyDictionary[Network, set[np.dtype]] = WeakKeyDictionary()  # for images of which types each can predict
_NO_FOLDER = (
    "no folder is writable for compiled kernels, so each start compiles them again: set JITNET_CACHE_DIR to one that is"
)
_UNSAVED = (
    "compiled kernels cannot be saved in {folder} ({reason}), so each start compiles them again: free some space "
    "there, or set JITNET_CACHE_DIR to another folder"
)
_warned: set[str] = set()  # what this process has said
_PROCESSES = 4  # at most
_PROCESS_BYTES = 300_000_000  # of memory that one of them needs
HEARTBEAT_S = 0.2  # between two events while another process compiles: clocks run, keys and signals are heard


def compile_kernels(
    network: Network,
    batch_size: int,
    images: np.ndarray,
    targets: np.ndarray | None = None,  # labels unless given
    optimizer: Optimizer | None = None,  # SGD unless given
) -> Iterator[Event]:
    """Compile, or load from the cache, what training on such images at this batch size will call.

    Kernels whose cached code is damaged are compiled again, with one warning. Without a place for a cache, or space in
    it, there is a warning too, the first time in a process.
    """
    targets = np.zeros(1, np.uint8) if targets is None else targets
    optimizer = optimizer or network.plain_optimizer()
    if network.kernels == "simple":
        yield from _compile_simple(network, targets, optimizer)
        return
    if is_fused(batch_size, optimizer):
        first: tuple[str, ...] = ("fast.per_sample.train_per_sample",)
    elif batch_size <= PART:
        first = ("fast.batch.train_minibatch",)
    else:
        first = ("fast.batch.accumulate_gradient", STEP)
    yield from _compile((*first, inference_of(network)), network, batch_size, images, targets, optimizer)


def compile_inference(network: Network, images: np.ndarray) -> Iterator[Event]:
    """Compile, or load from the cache, what a network's scores of such images call; see `compile_kernels`.

    Nothing is yielded the second time: to look it up takes 2 ms, a prediction of one image 0.1.
    """
    types, targets = _ready.setdefault(network, set()), np.zeros(1, np.uint8)
    if images.dtype in types:
        return
    if network.kernels == "simple":
        yield from _compile_simple(network, targets, None)
    else:
        yield from _compile((inference_of(network),), network, 1, images, targets, network.plain_optimizer())
    types.add(images.dtype)


def compile_calls(calls: dict[str, tuple]) -> Iterator[Event]:
    """Compile, or load from the cache, kernels, module.function, for the types of their arguments."""
    yield from _with_warnings(_compile_calls(calls))


def _compile_simple(network: Network, targets: np.ndarray, optimizer: Optimizer | None) -> Iterator[Event]:
    """Compile the pages that a network's simple step calls, without an optimizer those of its inference."""
    yield from compile_calls(network.simple(1).calls(read_only(targets), optimizer))


def _compile_calls(calls: dict[str, tuple]) -> Iterator[Event]:
    started = time.perf_counter()
    cached = all(_is_cached(name, given) for name, given in calls.items())
    for index, (name, given) in enumerate((*calls.items(), ("", ()))):
        seconds = time.perf_counter() - started
        yield Compiling(name=name, index=index, total=len(calls), cached=cached, seconds=seconds)
        if name:
            _compile_for(name, given)


def _compile(drivers: tuple[str, ...], *example: Any) -> Iterator[Event]:
    yield from _with_warnings(_compile_in_turn(drivers, *example))


def _with_warnings(compiling: Iterator[Event]) -> Iterator[Event]:
    from jitnet.kernels.compiler import cache

    if cache.CACHE_FOLDER is None and _NO_FOLDER not in _warned:  # what draws digits is compiled before the network's
        _warned.add(_NO_FOLDER)
        yield Warned(message=_NO_FOLDER)
    yield from compiling
    if cache.DAMAGED:
        names = ", ".join(sorted(set(cache.DAMAGED)))
        cache.DAMAGED.clear()
        yield Warned(message=f"the cache of compiled kernels was damaged, so these were compiled again: {names}")
    if cache.UNSAVED and _UNSAVED not in _warned:
        _warned.add(_UNSAVED)
        yield Warned(message=_UNSAVED.format(folder=cache.CACHE_FOLDER, reason=cache.UNSAVED[0]))


def _compile_in_turn(drivers: tuple[str, ...], network: Network, *example: Any) -> Iterator[Event]:
    started = time.perf_counter()
    missing = [name for name in drivers if not _is_cached(name, arguments_of(name, network, *example))]
    if not missing:
        yield from _compile_here(drivers, True, started, network, *example)
        return
    included = dict.fromkeys(name for driver in missing for name in INCLUDED.get(driver, ()))
    parts = tuple(name for name in included if not _is_cached(name, arguments_of(name, network, *example)))
    if _may_compile_apart():
        yield from _compile_apart(missing, parts, started, network, *example)
        for name in (*_primitives(drivers), *drivers):  # loaded; what a process was hindered from is compiled now
            _compile_named(name, network, *example)
    else:
        yield from _compile_here((*parts, *drivers), False, started, network, *example)


def _compile_here(
    names: tuple[str, ...], cached: bool, started: float, network: Network, *example: Any
) -> Iterator[Event]:
    """Compile, or load from the cache, one kernel after the other; nothing is heard meanwhile."""
    names = (*_primitives(names), *names)
    for index, name in enumerate((*names, "")):
        yield Compiling(
            name=name, index=index, total=len(names), cached=cached, seconds=time.perf_counter() - started,
            about=KERNELS[name].about if name else "",
        )  # fmt: skip
        if name:
            _compile_named(name, network, *example)


def _compile_apart(
    drivers: list[str], parts: tuple[str, ...], started: float, network: Network, *example: Any
) -> Iterator[Event]:
    """Compile in other processes, which leave the code in the cache; this one reports several times a second."""
    shared = [name for name in _primitives(drivers) if not _is_primitive_cached(name, network)]
    tasks: dict[str, set[str]] = {name: set() for name in (*shared, *parts)}
    tasks |= {name: set(parts) & set(INCLUDED.get(name, ())) for name in drivers}
    _, images, targets, _ = example
    dtypes = np.dtype(network.dtype).name, images.dtype.name, targets.dtype.name, targets.ndim
    with Compilers(tasks, _processes(), dtypes, lambda name: KERNELS[name].seconds) as compilers:
        compilers.wait(0.0)
        while not compilers.finished:
            running = sorted(compilers.running, key=list(tasks).index)
            yield Compiling(
                name=running[0] if running else "", index=min(len(compilers.done), len(tasks) - 1), total=len(tasks),
                cached=False, seconds=time.perf_counter() - started, left_s=compilers.seconds_left(),
                about="; ".join(KERNELS[name].about for name in running),
            )  # fmt: skip
            compilers.wait(HEARTBEAT_S)
    seconds = time.perf_counter() - started
    yield Compiling(name="", index=len(tasks), total=len(tasks), cached=False, seconds=seconds, left_s=0.0)


def serve(dtype: str, images: str, targets: str, axes: int) -> None:
    """Compile kernels whose names come in on standard input, for these dtypes and targets of that many axes.

    Each name is written to standard output when its kernel is in the cache; one that cannot be saved ends this. Any
    network will do.
    """
    from jitnet.kernels.compiler import cache, symbols

    symbols.run_nothing()
    network = Network(parse("dense2"), (1, 1, 1), dtype=np.dtype(dtype).type)
    example = 1, np.zeros((1, 1, 1, 1), images), np.zeros((1,) * axes, targets), network.plain_optimizer()
    for line in sys.stdin:
        _compile_named(line.strip(), network, *example)
        if cache.UNSAVED:
            return
        sys.stdout.write(line)
        sys.stdout.flush()


def _primitives(kernels: Iterable[str]) -> tuple[str, ...]:
    """Return the names of what these kernels share, which is compiled before them."""
    from jitnet.kernels.compiler import symbols

    for name in kernels:
        importlib.import_module(f"jitnet.kernels.{name.rpartition('.')[0]}")
    return tuple(symbols.names())


def _may_compile_apart() -> bool:
    """Whether other processes can leave code in the cache for this one."""
    import numba

    from jitnet.kernels.compiler import cache

    return cache.CACHE_FOLDER is not None and not numba.config.DISABLE_JIT and bool(sys.executable)


def _processes() -> int:
    """Return in how many processes to compile: one for each core, if there is memory for them."""
    import numba

    sizes = [size for size in (memory.available(), memory.free()) if size is not None]
    fit = [size // _PROCESS_BYTES for size in sizes]
    return max(1, min(numba.config.NUMBA_NUM_THREADS, _PROCESSES, *fit))


def compiled_drivers() -> dict[str, bool]:
    """Return for each form of training, and for prediction, whether its code is in the cache."""
    return {
        "one image at a time": _in_cache("fast.per_sample.train_per_sample"),
        "batches": _in_cache("fast.batch.train_minibatch"),
        "large batches": _in_cache("fast.batch.accumulate_gradient"),
        "prediction": _in_cache(GROUPS) or _in_cache(PRODUCTS),
    }


def _in_cache(name: str) -> bool:
    """Whether a kernel is in the cache for some types."""
    from jitnet.kernels.compiler import cache

    return cache.CACHE_FOLDER is not None and any(cache.CACHE_FOLDER.rglob(f"{'.'.join(name.split('.')[-2:])}-*.nbi"))


def _is_cached(name: str, arguments: tuple) -> bool:
    """Whether a kernel, module.function, is ready, or in the cache, for the types of these arguments."""
    from jitnet.kernels.compiler import cache

    return cache.is_ready(_kernel(name), arguments)


def _is_primitive_cached(name: str, network: Network) -> bool:
    import numba

    from jitnet.kernels.compiler import symbols

    return symbols.is_cached(name, numba.from_dtype(np.dtype(network.dtype)))


def _compile_named(name: str, network: Network, *example: Any) -> None:
    """Compile one kernel of the fast path, or something that kernels share, for the types it will be called with."""
    import numba

    from jitnet.kernels.compiler import symbols

    _kernel(name)  # imported, so that a primitive is known
    if name in symbols.names():
        symbols.compile_one(name, numba.from_dtype(np.dtype(network.dtype)))
    else:
        _compile_for(name, arguments_of(name, network, *example))


def _compile_for(name: str, arguments: tuple) -> None:
    """Compile a kernel, module.function, for the types of these arguments; nothing is run."""
    import numba

    from jitnet.kernels.compiler import thread_pool

    thread_pool.start_pool()  # a kernel from the cache may name the pool's functions, and LLVM ends the process without
    kernel, signature = _kernel(name), tuple(map(numba.typeof, arguments))
    if not numba.config.DISABLE_JIT and signature not in kernel.signatures:
        kernel.compile(signature)


def _kernel(name: str) -> Any:
    module, _, function = name.rpartition(".")
    return getattr(importlib.import_module(f"jitnet.kernels.{module}"), function)
