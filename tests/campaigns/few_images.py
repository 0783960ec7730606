"""What augmentation brings with 10 images of each digit: 30 draws from MNIST; writes a section of docs/claims.md.

    JITNET_DATA=DIR python -m tests.campaigns.few_images             about 20 minutes on one core
    JITNET_DATA=DIR python -m tests.campaigns.few_images --draws 3   shorter, without the page

Both trainings of a draw have the same images, initial weights, settings and number of steps; the recipe is that of
`cnn-best`, with 2,000 steps of 20 images instead of 20 epochs.
"""

import argparse
import statistics
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from bench import generated
from jitnet import CNN
from jitnet.data import load

PAGE, SECTION = "docs/claims.md", "few images"
EACH, DRAWS = 10, 30  # images of a class; sets of them
BATCH, STEPS = 20, 2000


def drawn(labels: np.ndarray, draw: int) -> np.ndarray:
    """Return the places of EACH images of every class, the same for the same draw."""
    rng = np.random.default_rng(draw)
    return np.concatenate([rng.choice(np.flatnonzero(labels == k), EACH, replace=False) for k in np.unique(labels)])


def accuracy(data, draw: int, augment: str) -> float:
    """Return the test accuracy in percent after the last epoch of training on one draw."""
    places = drawn(data.y_train, draw)
    epochs = STEPS * BATCH // len(places)
    model = CNN(recipe="best", epochs=epochs, batch_size=BATCH, augment=augment, seed=draw, verbose=0)
    model.fit(data.x_train[places], data.y_train[places])
    return 100 * float(model.score(data.x_test, data.y_test))


def row(name: str, found: list[float]) -> str:
    """Return the row of the table."""
    mean, deviation = statistics.mean(found), statistics.stdev(found)
    return f"| {name} | {mean:.2f} | {deviation:.2f} | {min(found):.2f} | {max(found):.2f} |"


def main() -> None:
    """Train, and print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=DRAWS, metavar="N")
    draws = parser.parse_args().draws
    data = load("mnist", offline=True)
    found: dict[str, list[float]] = {"none": [], "medium": []}
    for draw in range(draws):
        for augment, list_of in found.items():
            list_of.append(accuracy(data, draw, augment))
        print(draw, *(f"{list_of[-1]:.2f}" for list_of in found.values()), flush=True)
    gains = [after - before for before, after in zip(*found.values())]
    lines = ["| augmentation | mean % | sd | lowest | highest |", "|---|--:|--:|--:|--:|"]
    lines += [row(name, list_of) for name, list_of in found.items()] + [row("gain, points", gains)]
    print("\n".join(lines))
    if draws == DRAWS:
        generated.write({PAGE: {SECTION: "\n".join(lines)}})


if __name__ == "__main__":
    main()
