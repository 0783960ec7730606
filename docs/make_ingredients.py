"""Write docs/ingredients.md and its curves: what each ingredient of a recipe does, trained here on the built-in digits.

python docs/make_ingredients.py
"""

import dataclasses
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jitnet.cli import build_parser
from jitnet.commands.support.settings import settings_of
from jitnet.config import Settings
from jitnet.data import load
from jitnet.data.dataset import Dataset
from jitnet.data.split import split, with_channels
from jitnet.display.plot import plot
from jitnet.events import EpochDone
from jitnet.model.build import network_of
from jitnet.model.scores import over_shifts
from jitnet.training.loop import Training
from jitnet.training.schedule import learning_rates

HERE = Path(__file__).resolve().parent
SEEDS, TEST = 3, 2000  # runs that a curve is the mean of; images that it is measured on
SMALL = "jitnet train cnn --arch 'conv4 pool conv8 pool dense32' --data synthetic --recipe modern"
Curves = dict[str, list[tuple[float, float]]]


@dataclasses.dataclass(frozen=True)
class Ingredient:
    """One section of the page: the command is run without and with the words that switch the ingredient on."""

    name: str
    what: str
    equation: str
    code: str  # where it is computed
    source: str
    command: str
    words: str
    metric: str  # of EpochDone, "lr" or "tta"
    seen: str  # what to look at


INGREDIENTS = (
    Ingredient(
        "Augmentation",
        "Each epoch sees every image changed: shifted, turned, scaled, sheared and bent by random amounts, which "
        "depend on the seed, the epoch and the image alone.",
        r"x'(p) = x\big(A\,(p - c) + c + s + u(p)\big), \qquad A, s, u \text{ drawn for each image and epoch}",
        "[`augment.py`](../kernels/tools/augment.py)",
        "Simard, Steinkraus, Platt (2003)",
        f"{SMALL} --limit 500 --epochs 20",
        "--augment medium",
        "test_accuracy",
        "Few images are learned by heart. Changed images cannot be: the accuracy on test images is higher.",
    ),
    Ingredient(
        "Moving average of the weights",
        "What is evaluated and saved is an average $a$ of the weights $w$ after each update $t$; the training itself "
        "does not see it.",
        r"a \leftarrow d\,a + (1 - d)\,w, \qquad d = \min\!\Big(\text{decay}, \frac{1 + t}{10 + t}\Big)",
        "[`averaging.py`](../jitnet/training/averaging.py)",
        "Polyak, Juditsky (1992); this $d$ is that of TensorFlow",
        f"{SMALL} --limit 1000 --epochs 10 --schedule constant --lr 0.01",
        "--ema 0.99",
        "test_loss",
        "At a constant rate the last batches still move the weights about; their average moves little.",
    ),
    Ingredient(
        "Label smoothing",
        "The label is not 1 for its class and 0 for the others: a share $\\epsilon$ is given to all $K$ classes alike.",
        r"y_k = (1 - \epsilon)\,[k = \text{label}] + \epsilon / K, \qquad L = -\sum_k y_k \log p_k",
        "[`loss.py`](../kernels/layers/loss.py)",
        "Szegedy et al. (2016), section 7",
        "jitnet train mlp --hidden 200 --data synthetic --recipe modern --limit 500 --epochs 30 --lr 0.01",
        "--label-smoothing 0.1",
        "test_loss",
        "Without it the network grows ever surer of all that it answers, also of its errors, and the loss of test "
        "images shows it. That loss is of labels that are not smoothed.",
    ),
    Ingredient(
        "Dropout",
        "In training each output of a hidden dense layer is set to 0 with probability $p$, and the others are divided "
        "by $1 - p$, so that their mean stays; in evaluation nothing is dropped.",
        r"f'_i = f_i\, m_i / (1 - p), \qquad m_i \in \{0, 1\},\; P(m_i = 0) = p",
        "[`dropout.py`](../kernels/layers/dropout.py)",
        "Srivastava et al. (2014)",
        "jitnet train mlp --hidden 200 --data synthetic --recipe modern --limit 500 --epochs 20",
        "--dropout 0.5",
        "test_loss",
        "No unit can rely on another one: the network learns the training images more slowly, and is less sure of "
        "its errors.",
    ),
    Ingredient(
        "Learning rate by the step: one cycle",
        "The rate rises from a 25th of its peak over three tenths of all steps, then falls to a hundredth, half a "
        "cosine each. By the step it has no jumps, which matters when there are few epochs.",
        r"\eta(s) = \eta_0 + (\eta_1 - \eta_0)\,\frac{1 - \cos(\pi s / 0.3)}{2}, \qquad s \lt 0.3 \text{ of all steps}",
        "[`learning_rates`](../jitnet/training/schedule.py)",
        "Smith, Topin (2018)",
        f"{SMALL} --limit 1000 --epochs 5 --lr 0.01 --schedule one-cycle",
        "--schedule one-cycle-per-step",
        "lr",
        "The curve is the learning rate itself.",
    ),
    Ingredient(
        "Learning rate by the step: cosine",
        "Half a cosine over all steps, from the peak to a hundredth of it.",
        r"\eta(s) = \eta_0 + (\eta_1 - \eta_0)\,\frac{1 + \cos(\pi s)}{2}, \qquad \eta_0 = \eta_1 / 100",
        "[`learning_rates`](../jitnet/training/schedule.py)",
        "Loshchilov, Hutter (2017), without restarts",
        f"{SMALL} --limit 1000 --epochs 10 --lr 0.01 --schedule constant",
        "--schedule cosine-per-step",
        "test_loss",
        "A large rate to arrive, a small one to settle: the last epochs lower the loss.",
    ),
    Ingredient(
        "Warm-up by the step",
        "Over the first $W$ steps the rate rises in a line to that of the schedule.",
        r"\eta'(t) = \eta(t)\,\min(1, t / W)",
        "[`learning_rates`](../jitnet/training/schedule.py)",
        "Goyal et al. (2017), section 2.2",
        f"{SMALL} --limit 1000 --epochs 6 --lr 0.05 --schedule cosine-per-step",
        "--warm-up 64",
        "train_loss",
        "The first gradients of random weights say little, and Adam's first steps are as long as any. At this rate "
        "they drive most units below zero for all images, where ReLU has no gradient: of the 32 hidden units 6, 4 "
        "and 0 are above zero for any of 1,000 test images in the three runs, and 18, 16 and 16 after a warm-up.",
    ),
    Ingredient(
        "Test-time augmentation",
        "The answer is the mean of the probabilities of the image and of the image shifted by a pixel in four "
        "directions. It is off by default, and named wherever its result is shown.",
        r"p = \tfrac15 \sum_{s} \operatorname{softmax}\big(z(x_s)\big), s \in \{\text{none, left, right, up, down}\}",
        "[`over_shifts`](../jitnet/model/scores.py)",
        "Krizhevsky, Sutskever, Hinton (2012), section 4.1",
        f"{SMALL} --limit 500 --epochs 12",
        "jitnet eval latest --tta",
        "tta",
        "Five answers err less often than one, and cost five times as much.",
    ),
)  # fmt: skip


def settings(command: str) -> Settings:
    """Return the settings that a command line stands for."""
    words = shlex.split(command)[1:]
    return settings_of(build_parser("train").parse_args(words))


def rows(chosen: Settings, digits: Dataset) -> Iterator[tuple[EpochDone, Training]]:
    """Train and yield each epoch's row, with the training as it is then."""
    network = network_of(chosen, (*digits.x_train.shape[1:], 1), 10)
    network.initialise(chosen.init, chosen.seed)
    training = Training(network, chosen, split(digits, chosen))
    for event in training.run():
        if isinstance(event, EpochDone):
            yield event, training


def measured(chosen: Settings, digits: Dataset, metric: str) -> list[float]:
    """Return a metric after each epoch, the mean of several seeds."""
    runs = [[getattr(row, metric) for row, _ in rows(chosen.replace(seed=seed), digits)] for seed in range(SEEDS)]
    return np.mean(runs, axis=0).tolist()


def with_shifts(chosen: Settings, digits: Dataset) -> dict[str, list[float]]:
    """Return the accuracy in percent after each epoch, of one shift and of five, the mean of several seeds."""
    found = []
    for seed in range(SEEDS):
        for row, training in rows(chosen.replace(seed=seed), digits):
            scores = over_shifts(training.network.logits, with_channels(digits.x_test))
            right = 100 * float((scores.argmax(axis=1) == digits.y_test).mean())
            found.append((row.test_accuracy, right))
    table = np.array(found).reshape(SEEDS, -1, 2).mean(axis=0)
    return {"without": table[:, 0].tolist(), "with": table[:, 1].tolist()}


def rates(chosen: Settings, digits: Dataset) -> list[tuple[float, float]]:
    """Return the learning rate of each step, by its place in epochs."""
    steps = -(-chosen.limit // chosen.batch_size)
    every = [learning_rates(chosen, epoch, 0, steps, steps) for epoch in range(chosen.epochs)]
    return [(step / steps, float(rate)) for step, rate in enumerate(np.concatenate(every))]


def curves(each: Ingredient, digits: Dataset) -> Curves:
    """Return the curves of an ingredient, without it and with it."""
    chosen = settings(each.command)
    if each.metric == "tta":
        found = with_shifts(chosen, digits)
    else:
        both = {"without": chosen, "with": settings(f"{each.command} {each.words}")}
        if each.metric == "lr":
            return {name: rates(one, digits) for name, one in both.items()}
        found = {name: measured(one, digits, each.metric) for name, one in both.items()}
    return {name: list(enumerate(values, 1)) for name, values in found.items()}


def section(each: Ingredient, place: str) -> list[str]:
    """Return the lines of the page about an ingredient; `place` is that of its curve."""
    added = each.words if each.metric == "tta" else f"{each.command} {each.words}"
    first = f"{each.command}\n{added}" if each.metric == "tta" else added
    return [
        f"## {each.name}", "", each.what, "", "```math", each.equation, "```", "",
        f"Computed by {each.code}. Source: {each.source}.", "", "```", first, "```", "",
        f"![{each.name}, without and with]({place})", "", each.seen, "",
    ]  # fmt: skip


INTRODUCTION = f"""Each is off unless an option or a recipe switches it on, is written into the run, and gives the same
bits for any number of threads and after a resume. A curve is the mean of {SEEDS} seeds on the built-in digits, measured
on {TEST:,} of their test images; blue is without the ingredient, orange with it. The runs are small, to show what an
ingredient does: how much the recipe `best` gains on MNIST is in [claims.md](claims.md).
`python docs/make_ingredients.py` makes this page."""
TITLES = {
    "test_accuracy": "accuracy on test images, %",
    "tta": "accuracy on test images, %",
    "test_loss": "loss of test images",
    "train_loss": "loss of training images",
    "lr": "learning rate",
}


def main() -> None:
    """Write the page and its curves."""
    (HERE / "ingredients").mkdir(exist_ok=True)
    digits = load("synthetic")
    digits = dataclasses.replace(digits, x_test=digits.x_test[:TEST], y_test=digits.y_test[:TEST])
    page = ["# The ingredients of a recipe", "", INTRODUCTION, ""]
    for each in INGREDIENTS:
        name = each.name.lower().replace(":", "").replace(" ", "-")
        drawn = plot(TITLES[each.metric], curves(each, digits), 620, 240)
        opened = '<svg xmlns="http://www.w3.org/2000/svg" color="#24292f" '
        svg = drawn.replace("<svg ", opened, 1).replace(">", '><rect width="100%" height="100%" fill="#fff"/>', 1)
        (HERE / "ingredients" / f"{name}.svg").write_text(f"{svg}\n", encoding="utf-8")
        page += section(each, f"ingredients/{name}.svg")
        print(each.name, flush=True)
    (HERE / "ingredients.md").write_text("\n".join(page).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
