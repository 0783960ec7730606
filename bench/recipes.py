"""The documents' recipes as words of a command, the claim of each document, and one run of any recipe."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jitnet.cli import build_parser
from jitnet.commands.support.settings import settings_of
from jitnet.config import Settings

if TYPE_CHECKING:
    from jitnet.training.loop import Training

DRAWN = 1000  # training images that document 003 measures its accuracy on


@dataclass(frozen=True)
class Recipe:
    """A recipe, `python -m jitnet train WORDS`, and the claim of its document."""

    words: str
    document: str
    claim: str


RECIPES = {
    "mlp-1000-100": Recipe("mlp-1000-100", "000", "95.49 %, 66.81 minutes"),
    "mlp-250-250": Recipe("mlp-250-250", "001", "trains; no figure"),
    "cnn": Recipe("cnn", "002", "3,782.25 minutes; no accuracy"),
    "mlp-512-512": Recipe("mlp-512-512", "003", "close to 96.67 %, on training images"),
    "mlp-512-512, batches of 32": Recipe(
        "mlp-512-512 --batch-size 32 --steps-per-epoch 0", "003", "its text says 32, its code 16"
    ),
    "mlp-512-512, all images": Recipe("mlp-512-512 --steps-per-epoch 0", "003", "what one whole epoch gives"),
    "mlp-512-512, two epochs": Recipe("mlp-512-512 --steps-per-epoch 0 --epochs 2", "003", "what two give"),
}
# A run of a second or two of each network of the documents, on the built-in digits, which are there everywhere. Fewer
# images, so that the suite can afford it; larger rates, so that those leave the documents' plateau.
SHORT = {
    "mlp-1000-100": "mlp-1000-100 --epochs 4 --limit 8000 --lr 0.03 --data synthetic",
    "mlp-250-250": "mlp-250-250 --epochs 1 --data synthetic",
    "cnn": "cnn --epochs 2 --limit 4000 --lr 0.01 --data synthetic",
    "mlp-512-512": "mlp-512-512 --steps-per-epoch 1000 --data synthetic",
}
# Document 000's table: learning rate, average loss, accuracy of each epoch.
TABLE_000 = (
    (0.000010, 2.302501, 11.35), (0.000340, 2.301507, 11.35), (0.000670, 2.196799, 32.89), (0.001000, 0.698190, 86.14),
    (0.000952, 0.348741, 91.13), (0.000811, 0.233470, 93.36), (0.000592, 0.181167, 94.56), (0.000316, 0.155026, 95.35),
    (0.000010, 0.144924, 95.49),
)  # fmt: skip


def settings(words: str) -> Settings:
    """Return the settings of `jitnet train WORDS`."""
    return settings_of(build_parser().parse_args(["train", *words.split()]))


def training(words: str, seed: int, data) -> "Training":
    """Return the training of `jitnet train WORDS` on some data, which nothing has started."""
    from jitnet.data.split import split
    from jitnet.run.start import network_for
    from jitnet.training.loop import Training

    chosen = settings(words).replace(seed=seed)
    network = network_for(chosen, data)
    network.initialise(chosen.init, seed)
    return Training(network, chosen, split(data, chosen))


def train(words: str, seed: int, source: str = "") -> dict:
    """Train once on `source`, or on the data that the words name; return the figures to keep.

    Losses and accuracies in percent; `minutes` include training and testing, not compilation.
    """
    from jitnet.data import load
    from jitnet.events import EpochDone

    made = training(words, seed, load(source or settings(words).data))
    rows = [event for event in made.run() if isinstance(event, EpochDone)]
    x, y = made.data.train
    right = made.network.logits(x).argmax(axis=1) == y
    drawn = np.random.default_rng(seed).permutation(len(x))[:DRAWN]  # seen or not, as the document draws them
    return {
        "test": rows[-1].test_accuracy,
        "train_1000": round(100 * float(right[drawn].mean()), 4),
        "train_all": round(100 * float(right.mean()), 4),
        "epochs": [[round(row.train_loss, 6), row.test_accuracy] for row in rows],
        "minutes": round(sum(row.train_s + row.eval_s for row in rows) / 60, 4),
    }
