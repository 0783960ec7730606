"""`jitnet warmup`: compile the kernels ahead of the first training, as when an image of a machine is built."""

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np

from jitnet.commands.parsers.warmup import KINDS
from jitnet.display import open_view
from jitnet.errors import InputError, did_you_mean
from jitnet.events import Event
from jitnet.model.architecture import CNN
from jitnet.model.network import PART, Network
from jitnet.printing import say
from jitnet.training.compilation import compile_inference, compile_kernels
from jitnet.training.compile_tools import compile_augmentation, compile_digits, compile_peak

_EVERY = (1, 2, PART + 1)  # one image at a time, batches, batches that do not fit into one call
_COMPILED: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {  # batch sizes, dtypes
    "images": (_EVERY, {}),
    "tables": (_EVERY, {"images": np.float32, "targets": np.zeros((1, 1), np.float32)}),
    "floats": (_EVERY, {"images": np.float32}),
    "gradcheck": ((PART + 1,), {"dtype": np.float64}),
}


def run(args: argparse.Namespace) -> int:
    """Compile for every form of training and return the exit code."""
    for kind in args.kinds:
        if kind not in KINDS:
            raise InputError(f"KIND is {kind!r}: expected some of {', '.join(KINDS)}{did_you_mean(kind, KINDS)}")
    with open_view("plain" if args.ui in ("auto", "live") else args.ui) as view:
        for place, kind in enumerate(args.kinds or KINDS, 1):
            if args.ui not in ("json", "quiet"):
                say(f"{kind} ({place} of {len(args.kinds or KINDS)}): {KINDS[kind]}")
            for event in _tools() if kind == "tools" else _networks(*_COMPILED[kind]):
                view.handle(event)
    from jitnet.kernels.compiler import cache  # imports numba

    if cache.CACHE_FOLDER is None or cache.UNSAVED:
        raise InputError("the compiled kernels could not be saved: set JITNET_CACHE_DIR to a folder with free space")
    if args.ui not in ("json", "quiet"):
        say(f"the kernels are compiled, in {cache.CACHE_FOLDER}")
    return 0


def _networks(sizes: tuple[int, ...], types: dict[str, Any]) -> Iterator[Event]:
    network = Network(CNN, (28, 28, 1), dtype=types.get("dtype", np.float32))
    images = np.zeros((1, 28, 28, 1), types.get("images", np.uint8))
    for batch_size in sizes:
        yield from compile_kernels(network, batch_size, images, types.get("targets"))
    yield from compile_inference(Network(CNN[-1:], (28, 28, 1), dtype=network.dtype), images)  # without conv blocks


def _tools() -> Iterator[Event]:
    for dtype in (np.uint8, np.float32):
        yield from compile_augmentation("medium", np.zeros((1, 28, 28, 1), dtype))
    yield from compile_digits()
    yield from compile_peak()
