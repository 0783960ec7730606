"""Compiling the kernels that are not part of a network: each draws, changes or measures something."""

from collections.abc import Iterator

import numpy as np

from jitnet.data import synthetic
from jitnet.events import Event
from jitnet.machine import peak
from jitnet.training import augmentation
from jitnet.training.compilation import compile_calls


def compile_augmentation(text: str, images: np.ndarray) -> Iterator[Event]:
    """Compile, or load from the cache, what changes training images, if an augmentation is given."""
    if text:
        rows = np.zeros(1, np.int64)
        arguments = augmentation.arguments(images, rows, "", 0, 0, images)
        yield from compile_calls({"tools.augment.augment_images": arguments})


def compile_digits() -> Iterator[Event]:
    """Compile, or load from the cache, what draws the built-in digits."""
    yield from compile_calls({"tools.synthetic.draw_digits": synthetic.arguments(0, 0, 1)})


def compile_peak() -> Iterator[Event]:
    """Compile, or load from the cache, what the speed of this machine is measured with."""
    yield from compile_calls({"tools.fma_peak.fma_peak": peak.arguments(1, 1)})
