"""The C++ twin: what `jitnet export cpp` writes for the network, compiled by this machine's compiler into a library.

One thread, one image after the other; a batch sums the gradients of its images.
"""

import ctypes
import functools
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from bench.peers import limits
from jitnet import __version__
from jitnet.config import Settings
from jitnet.export import twin
from jitnet.model import architecture
from jitnet.model.network import Network

COMPILER = twin.find_compiler()
if COMPILER is None:
    raise ModuleNotFoundError("a C++ compiler was not found", name="c++")
FLAGS = ("-std=c++17", "-O3", f"-march={limits.architecture()}", "-ffp-contract=fast")  # as the export's README says
LIBRARY = ("-shared", "-fPIC", "-fvisibility=hidden")  # hidden, or two libraries of one process would share a network


@functools.cache
def compile_twin(words: str, image: tuple[int, ...]) -> tuple[ctypes.CDLL, int]:
    """Compile a network's twin and load it; return how many classes it has too."""
    layers = architecture.parse(words)
    network = Network(layers, image)
    settings = Settings(architecture=architecture.to_text(layers[:-1]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for header in ("jitnet.hpp", "checkpoint.hpp"):
            (folder / header).write_text(twin.source(header), encoding="utf-8")
        (folder / "model.hpp").write_text(twin.model_header(network, settings, "benchmark"), encoding="utf-8")
        source, made = Path(__file__).with_suffix(".cpp"), folder / "twin.so"
        command = [COMPILER, *FLAGS, *LIBRARY, f"-I{folder}", str(source), "-o", str(made)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"it does not compile: {done.stderr.strip()[:200]}")
        return ctypes.CDLL(str(made)), network.classes


class Peer:
    """See bench.peers."""

    @staticmethod
    def versions() -> dict:
        """Return what the figures depend on."""
        first = subprocess.run([COMPILER, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
        return {"jitnet.hpp": __version__, "compiler": first}

    def __init__(self, network, tensors, threads):
        self.words = " ".join(network)
        self.initial = {name: np.ascontiguousarray(array, np.float32) for name, array in tensors.items()}
        self.detail = "compiled ahead of time"

    def load(self, images, targets, batch):
        """Compile the network for such images; training itself divides the bytes by 255."""
        self.images, self.targets = np.ascontiguousarray(images), np.ascontiguousarray(targets)
        self.twin, self.classes = compile_twin(self.words, images.shape[1:])

    def reset(self):
        """Go back to the initial weights."""
        for name, array in self.initial.items():
            self.twin.set_tensor(name.encode(), _pointer(array))

    def train(self, steps, batch, lr):
        """Take SGD steps; return the loss before each."""
        losses = np.zeros(steps)
        images, targets = _pointer(self.images), _pointer(self.targets)
        if self.twin.train(images, targets, steps, batch, ctypes.c_double(lr), _pointer(losses)):
            raise FloatingPointError("the loss is not finite")
        return losses

    def predict(self, images, batch):
        """Return logits, one image at a time."""
        logits = np.zeros((images, self.classes), np.float32)
        self.twin.predict(_pointer(self.images), images, _pointer(logits))
        return logits


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
