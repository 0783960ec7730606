"""The tables of the recipes `best` and `fast`, in docs/claims.md and, next to published results, in README.md.

    python bench/recipes_page.py

From bench/results/recipes/NAME.csv, which are the table.csv of `jitnet repeat NAME --seeds 30`, from ensembles.csv
there, and from the newest recipe_times-*.json.
"""

import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

from bench import generated, machine, readme, recipes, records
from bench.claims_page import spread, table
from bench.recipe_times import EPOCH

PAGE, README, SECTION = "docs/claims.md", "README.md", "recipes"
KEPT = records.FOLDER / "recipes"
RECIPES = ("cnn-best", "cnn-best --epochs 8", "cnn-fast")
# Others' results on the test images, with what is stated there: name and source, parameters, accuracy, n, time.
PUBLISHED = (
    ["[train_mnist_fast](https://github.com/tuomaso/train_mnist_fast), one epoch", "", "99.04", "30",
     "**0.76 s**, GPU (GTX 1660 Ti)"],
    ["[M3, An et al. 2020](https://arxiv.org/abs/2008.10400), last of 150 epochs by its logs", "1,120,000", "**99.70**",
     "30", "GPU"],
    ["[15 networks together, Deotte 2018](https://www.kaggle.com/code/cdeotte/25-million-images-0-99757-mnist)", "",
     "**99.745 ± 0.020**", "100", "GPU"],
)  # fmt: skip


def accuracies(name: str) -> list[float]:
    """Return the test accuracy of each seed of a kept repeat after its last epoch, in percent."""
    with (KEPT / f"{name.replace(' --', '-').replace(' ', '-')}.csv").open(encoding="utf-8", newline="") as file:
        return [float(row["test_accuracy"]) for row in csv.DictReader(file) if row["status"] == "done"]


def together() -> list[float]:
    """Return the test accuracy of each kept ensemble of five runs of `cnn-best`, in percent."""
    with (KEPT / "ensembles.csv").open(encoding="utf-8", newline="") as file:
        return [float(row["test_accuracy"]) for row in csv.DictReader(file)]


def parameters(words: str) -> int:
    """Return how many parameters a recipe's network has, on MNIST."""
    from jitnet.model.architecture import Dense, parse
    from jitnet.model.network import Network

    return Network((*parse(recipes.settings(words).architecture), Dense(10)), (28, 28, 1)).params.size


def seconds(words: str, record: dict) -> float:
    """Return how long all epochs of a recipe take."""
    epoch = record["recipes"][words.partition(" ")[0]]["epoch_s"]["median"]
    return recipes.settings(words).epochs * epoch


def in_epochs(words: str, record: dict) -> float:
    """Return the time of a recipe in epochs of `train cnn --batch-size 128`."""
    return seconds(words, record) / record["recipes"][EPOCH]["epoch_s"]["median"]


def page(record: dict, name: str) -> str:
    """Return the table of docs/claims.md."""
    rows = []
    for words in RECIPES:
        found = accuracies(words)
        rows.append([
            f"`{words}`", f"{parameters(words):,}", spread(found), f"{min(found):.2f} to {max(found):.2f}",
            str(len(found)), f"{in_epochs(words, record):.1f}", f"{seconds(words, record):.0f}",
        ])  # fmt: skip
    head = ["`jitnet train ...`", "parameters", "test %, mean ± sd", "lowest to highest", "seeds",
            "time in epochs", "seconds"]  # fmt: skip
    found = together()
    unit, rounds = record["recipes"][EPOCH]["epoch_s"], record["recipes"][EPOCH]["epoch_s"]["n"]
    return (
        f"{table(head, rows)}\n\nAfter the last epoch. Time: training and evaluation after each epoch, without "
        f"compilation, the median epoch of {rounds} in turn times their number; in epochs of `jitnet train {EPOCH}`, "
        f"{unit['median']:.2f} s each ({unit['low']:.2f} to {unit['high']:.2f}). "
        f"{machine.sentence(record['machine'])}. "
        f"{record['date'][:10]}, `bench/results/{name}`.\n\n{len(found)} ensembles of five runs of `cnn-best` "
        f"(`jitnet ensemble`) reach {spread(found)} %, {min(found):.2f} to {max(found):.2f}."
    )


def claim(record: dict) -> str:
    """Return the table of README.md."""
    cores = f"{record['machine']['cores']} cores ({record['machine']['cpu_kind']})"
    rows = [
        [f"`jitnet train {words}`", f"{parameters(words):,}", spread(accuracies(words)), str(len(accuracies(words))),
         f"{seconds(words, record):.0f} s, {cores}"]
        for words in ("cnn-best", "cnn-fast")
    ]  # fmt: skip
    five = together()
    rows.append([
        "five of `cnn-best` together", f"{5 * parameters('cnn-best'):,}", spread(five), str(len(five)),
        f"{5 * seconds('cnn-best', record):.0f} s, {cores}",
    ])  # fmt: skip
    return table(["network", "parameters", "test %, last epoch", "runs", "training"], [*rows, *PUBLISHED])


def sections() -> dict[str, dict[str, str]]:
    """Return the generated sections by document. Raises `InputError`."""
    path = readme.newest("recipe_times")
    record = records.read(path, "recipe_times")
    return {PAGE: {SECTION: page(record, path.name)}, README: {SECTION: claim(record)}}


if __name__ == "__main__":
    generated.write(sections())
