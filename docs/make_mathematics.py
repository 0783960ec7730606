"""Measure the numbers of docs/mathematics.md and print its tables: a few minutes of training on MNIST.

JITNET_DATA=... python docs/make_mathematics.py plateau|rates|batches [--images 60000]
JITNET_DATA=... python docs/make_mathematics.py curves    docs/*.png of the same runs; needs matplotlib
"""

import argparse
from pathlib import Path

import numpy as np

from jitnet.config import Settings
from jitnet.data import load
from jitnet.data.split import split
from jitnet.events import Diverged, EpochDone
from jitnet.history.curves import Curve
from jitnet.history.figure import save_figure
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.training.loop import Training
from jitnet.training.shuffle import visiting_order


def built(hidden: str, init: str) -> Network:
    """Return a network of ten classes with its first weights."""
    network = Network((*parse(hidden), *parse("dense10:linear")), (28, 28, 1))
    network.initialise(init, 0)
    return network


def train(hidden: str, data, **changes) -> list[EpochDone | Diverged]:
    """Return the epochs of a run; the last event may be `Diverged`."""
    return trained(hidden, data, **changes)[1]


def trained(hidden: str, data, **changes) -> tuple[Network, list[EpochDone | Diverged]]:
    """Return the network and the epochs of a run."""
    settings = Settings(**changes)
    network = built(hidden, settings.init)
    events = Training(network, settings, split(data, settings)).run()
    return network, [event for event in events if isinstance(event, EpochDone | Diverged)]


def row(*cells: object) -> None:
    """Print a row of a Markdown table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def plateau(data, images: int) -> None:
    """Print the initial scores and gradients of each initialisation, and the losses of its first epochs."""
    shown = np.arange(1000)
    for init in ("documents", "normal", "lecun", "he"):
        network = built("dense1000 dense100", init)
        grad = np.zeros_like(network.params)
        x, labels = data.x_train.reshape(-1, 28, 28, 1), data.y_train
        spread = network.logits(x[:1000]).std()
        network.accumulate(x, labels, shown, 1 / len(shown), grad)
        own = network.params
        network.params = grad
        norms = [f"{np.linalg.norm(part):.1e}" for name, part in network.tensors().items()]
        network.params = own
        rows = train("dense1000 dense100", data, init=init, limit=images)
        row(init, f"{spread:.1e}", *norms, *(f"{e.train_loss:.4f}" for e in rows if isinstance(e, EpochDone)))


def rates(data, images: int) -> None:
    """Print one epoch at each learning rate: its losses, the active units, and the most frequent answer."""
    x = data.x_test.reshape(len(data.x_test), -1) / np.float32(255)
    for lr in (1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0):
        recipe = {"lr": lr, "init": "lecun", "schedule": "constant", "limit": images}
        network, (done,) = trained("dense100", data, epochs=1, **recipe)
        if isinstance(done, Diverged):
            row(lr, "not finite", "")
            continue
        tensors = network.tensors()
        sums = x @ tensors["dense1.weight"] + tensors["dense1.bias"]
        answers = network.logits(data.x_test.reshape(-1, 28, 28, 1)).argmax(axis=1)
        alive, most = int((sums > 0).any(axis=0).sum()), int(np.bincount(answers).max())
        loss = f"{done.train_loss:.4f}", f"{done.test_loss:.4f}", f"{done.test_accuracy:.2f}"
        row(lr, *loss, f"{alive} of {sums.shape[1]} alive, one answer {most:,} times")


def batches(data, images: int) -> None:
    """Print one epoch at each batch size, with the best of five learning rates."""
    for batch in (1, 16, 128, 1024, 0):
        best, best_lr = None, 0.0
        for lr in (0.01, 0.03, 0.1, 0.3, 1.0):
            recipe = {"lr": lr, "init": "lecun", "schedule": "constant", "shuffle": True, "limit": images}
            (done,) = train("dense100", data, epochs=1, batch_size=batch, **recipe)
            if isinstance(done, EpochDone) and (best is None or done.test_loss < best.test_loss):
                best, best_lr = done, lr
        row(
            batch, best.step, best_lr, f"{best.test_loss:.4f}", f"{best.test_accuracy:.2f}", f"{best.images_per_s:,.0f}"
        )


DOCS = Path(__file__).resolve().parent
POINTS = 60  # of a curve
DOCUMENT = (2.302501, 2.301507, 2.196799, 0.698190, 0.348741, 0.233470, 0.181167, 0.155026, 0.144924)  # 000's own


def losses(data, batch: int, lr: float, shuffle: bool) -> tuple[tuple[float, float], ...]:
    """Return the training loss over one epoch of the small network, as means of equal parts of it."""
    network = built("dense100", "lecun")
    order = visiting_order(len(data.x_train), Settings(shuffle=shuffle), 0)
    steps = -(-len(order) // batch)
    images = data.x_train.reshape(-1, 28, 28, 1)
    _, found = network.train_steps(images, data.y_train, order, batch, np.full(steps, lr), np.zeros(1))
    parts = np.array_split(found, min(POINTS, steps))
    ends = np.cumsum([len(part) for part in parts]) / steps
    return tuple(zip(ends.tolist(), [float(part.mean()) for part in parts]))


def draw(name: str, drawn: list[Curve]) -> None:
    """Write a figure of a few colours: a palette makes the file a quarter as large."""
    from PIL import Image

    path = DOCS / name
    save_figure(path, drawn, "train_loss", "epoch")
    Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)


def curves(data, images: int) -> None:
    """Draw the tables' runs: rates, batches, and the plateau with the losses of document 000."""
    drawn = [Curve(f"learning rate {lr:g}", losses(data, 1, lr, False)) for lr in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)]
    draw("rates.png", drawn)
    pairs = ((1, 0.01), (16, 0.1), (128, 1.0), (1024, 1.0))
    drawn = [Curve(f"batches of {size}, rate {lr:g}", losses(data, size, lr, True)) for size, lr in pairs]
    draw("batches.png", drawn)
    drawn = [Curve("document 000", tuple((epoch + 1.0, loss) for epoch, loss in enumerate(DOCUMENT)))]
    for init in ("documents", "normal", "lecun", "he"):
        rows = train("dense1000 dense100", data, init=init, limit=images)
        points = tuple((row.epoch + 1.0, row.train_loss) for row in rows if isinstance(row, EpochDone))
        drawn.append(Curve(f"--init {init}", points))
    draw("plateau.png", drawn)


def main() -> None:
    """Print the chosen table."""
    tables = {"plateau": plateau, "rates": rates, "batches": batches, "curves": curves}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=tables)
    parser.add_argument("--images", type=int, default=60_000)
    arguments = parser.parse_args()
    tables[arguments.table](load("mnist", offline=True), arguments.images)


if __name__ == "__main__":
    main()
