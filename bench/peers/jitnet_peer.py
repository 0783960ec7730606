"""jitnet as a peer: what `jitnet train` and `jitnet eval` call, without their views and files.

With two threads it chooses their number as `jitnet train` does: next to a busy process one may be faster.
"""

import llvmlite
import numba
import numpy as np

import jitnet
from jitnet.machine import threads
from jitnet.model import architecture
from jitnet.model.network import Network
from jitnet.training.compilation import compile_kernels
from jitnet.training.pace import Pace


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
        self.pace = Pace(tuple(sorted({1, threads.useful(batch)})), architecture.step_macs(self.network.shapes))

    def reset(self):
        """Go back to the initial weights."""
        self.network.load_tensors(self.initial, "the benchmark")

    def train(self, steps, batch, lr):
        """Take SGD steps; return the loss before each."""
        losses, done = np.empty(steps), 0
        while done < steps:
            count = self.pace.steps(batch, steps - done)
            order = np.arange(done * batch, (done + count) * batch)
            with self.pace.call(order.size):
                finished, losses[done : done + count] = self.network.train_steps(
                    self.images, self.targets, order, batch, np.full(count, lr), np.zeros(1)
                )
            if finished != count:
                raise FloatingPointError("the loss is not finite")
            done += count
        return losses

    def predict(self, images, batch):
        """Return logits; jitnet chooses its batches."""
        return self.network.logits(self.images[:images])
