"""scikit-learn's MLPClassifier: plain SGD, no momentum, no penalty, the same batch and order.

It draws its own weights, so the given ones are put in their place. It keeps only the mean loss of a pass, so a run of
few steps, such as the one whose losses are compared, is made one batch a call; a longer one is a single pass.
"""

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

_FEW = 32  # steps that are made one by one, so that each tells its loss


class Peer:
    """See bench.peers."""

    @staticmethod
    def versions() -> dict:
        """Return what the figures depend on."""
        return {"scikit-learn": sklearn.__version__, "numpy": np.__version__}

    def __init__(self, network, tensors, threads):
        self.hidden = tuple(int(word.removeprefix("dense")) for word in network[:-1])
        self.initial = tensors
        self.detail = ""

    def load(self, images, targets, batch):
        """Divide by 255 ahead of time."""
        self.x = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
        self.targets, self.batch = targets, batch

    def reset(self):
        """Make a model with the initial weights."""
        self.model = MLPClassifier(
            self.hidden, solver="sgd", alpha=0.0, batch_size=self.batch, learning_rate_init=1e-30, shuffle=False,
            momentum=0.0, nesterovs_momentum=False,
        )  # fmt: skip
        # A first call makes its arrays; at that rate it learns nothing.
        self.model.partial_fit(self.x[: self.batch], self.targets[: self.batch], classes=np.arange(10))
        for index in range(len(self.model.coefs_)):
            self.model.coefs_[index][...] = self.initial[f"dense{index + 1}.weight"]
            self.model.intercepts_[index][...] = self.initial[f"dense{index + 1}.bias"]

    def train(self, steps, batch, lr):
        """Take SGD steps; return the loss before each if there are few, else their mean."""
        self.model._optimizer.learning_rate = lr
        size = batch if steps <= _FEW else steps * batch
        losses = []
        for start in range(0, steps * batch, size):
            self.model.partial_fit(self.x[start : start + size], self.targets[start : start + size])
            losses.append(self.model.loss_)
        return losses
