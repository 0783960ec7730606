"""The rows of the comparison, and the weights and images that every peer gets."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

CNN = "conv16 pool conv32 pool conv64 dense100 dense10"
MLP = "dense1000 dense100 dense10"
MLP_512 = "dense512 dense512 dense10"


@dataclass(frozen=True)
class Row:
    """The work of one row, the same for all peers."""

    name: str
    title: str
    network: str
    batch: int  # images of one step; of inference 0: each peer's best
    lr: float
    images: int  # of one run at the most
    check: int  # first steps (of inference: images) whose losses must agree
    tolerance: float  # largest difference allowed between two losses there

    @property
    def infers(self) -> bool:
        """Whether this is inference."""
        return self.batch == 0


# Losses start near 2.3 and differ by some tenths from image to image; float32 sums in another order move them by less
# than 1e-6. A wrong gradient shows from the second step on.
ROWS = (
    Row("cnn-1", "CNN, one image a step", CNN, 1, 0.01, 8192, 32, 1e-4),
    Row("cnn-16", "CNN, batches of 16", CNN, 16, 0.03, 8192, 8, 1e-4),
    Row("cnn-64", "CNN, batches of 64", CNN, 64, 0.03, 8192, 5, 1e-4),
    Row("cnn-128", "CNN, batches of 128", CNN, 128, 0.03, 8192, 5, 1e-4),
    Row("cnn-512", "CNN, batches of 512", CNN, 512, 0.03, 8192, 3, 1e-4),
    Row("mlp-1", "MLP 1000-100, one image a step", MLP, 1, 0.01, 8192, 32, 1e-4),
    Row("mlp-16", "MLP 512-512, batches of 16", MLP_512, 16, 0.1, 49152, 8, 1e-4),
    Row("mlp-128", "MLP 1000-100, batches of 128", MLP, 128, 0.1, 49152, 5, 1e-4),
    Row("cnn-infer", "CNN, inference of 10,000 images", CNN, 0, 0.0, 10000, 64, 1e-4),
)
INFERENCE_BATCHES = (64, 256, 1000)

# The documents' own figure. Another machine, years ago, one run: context, not a measurement of ours.
CONTEXT = {
    "text": "For context: the documents report 3,782 minutes in all for training this CNN on MNIST with their Python "
    "code (another machine, years ago; the number of epochs is not stated, so no ratio is given).",
    "minutes": 3782.25273723173909,
}


def data(images: int) -> tuple[str, np.ndarray, np.ndarray]:
    """Return a name and the first `images` training images of MNIST, or of the built-in digits if it is not found."""
    from jitnet.data import load
    from jitnet.data.split import with_channels

    found = load("auto", offline=True, warn=lambda message: None)
    return found.name, with_channels(found.x_train[:images]), found.y_train[:images]


def write_inputs(folder: Path, images: np.ndarray, targets: np.ndarray, networks: set[str], seed: int = 0) -> None:
    """Write images.npz and the initial weights of each network where the peers' processes read them."""
    from jitnet.model.architecture import parse
    from jitnet.model.network import Network

    np.savez(folder / "images.npz", images=images, targets=targets)
    for network in networks:
        net = Network(parse(network), images.shape[1:])
        net.initialise("lecun", seed)  # the losses move at once, so that a wrong gradient can't hide
        rng = np.random.default_rng(seed)
        for name, array in net.tensors().items():
            if name.endswith(".bias"):
                # Not 0: equal pixels would tie in a pool, and a peer whose product rounds the rows of a matrix
                # differently would then pass the gradient to another of them, which is also correct.
                array[...] = 0.05 * rng.standard_normal(array.shape)
        np.savez(weights_file(folder, network), **net.tensors())


def weights_file(folder: Path, network: str) -> Path:
    """Return where a network's initial weights are."""
    return folder / f"{network.replace(' ', '-')}.npz"
