"""jitnet as a peer: what `jitnet train` and `jitnet eval` call, without their views and files."""

import llvmlite
import numba
import numpy as np

import jitnet
from jitnet.machine import threads
from jitnet.model import architecture
from jitnet.model.network import Network
from jitnet.training.compilation import compile_kernels


class Peer:
    """See bench.peers."""

    kernels = "fast"

    @staticmethod
    def versions() -> dict:
        """Return what the figures depend on."""
        return {"jitnet": jitnet.__version__, "numba": numba.__version__, "llvmlite": llvmlite.__version__}

    def __init__(self, network, tensors, thread_count):
        self.layers = architecture.parse(" ".join(network))
        self.initial = tensors
        threads.configure(thread_count)

    def load(self, images, targets, batch):
        """Compile for such images; training itself divides the bytes by 255."""
        self.images, self.targets = images, targets
        self.network = Network(self.layers, images.shape[1:], kernels=self.kernels)
        for _ in compile_kernels(self.network, batch, images):
            pass
        self.detail = threads.in_use()[1]

    def reset(self):
        """Go back to the initial weights."""
        self.network.load_tensors(self.initial, "the benchmark")

    def train(self, steps, batch, lr):
        """Take SGD steps; return the loss before each."""
        done, losses = self.network.train_steps(
            self.images, self.targets, np.arange(steps * batch), batch, np.full(steps, lr), np.zeros(1)
        )
        if done != steps:
            raise FloatingPointError("the loss is not finite")
        return losses

    def predict(self, images, batch):
        """Return logits; jitnet chooses its batches."""
        return self.network.logits(self.images[:images])
