"""Train every network of the documents and set its claims beside ours, in docs/documents.md.

    python bench/claims.py                             3 seeds of each recipe, on the real MNIST; some fifteen minutes
    python bench/claims.py --only mlp-512-512 --seeds 30
    python bench/claims.py --seeds 0                   only write the tables anew from the results that are kept

A run is kept in bench/results/claims.json under its recipe and seed, and replaces the one before.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

import numpy as np

from bench import machine
from jitnet import threads
from jitnet.config import Settings

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "bench" / "results" / "claims.json"
PAGE = ROOT / "docs" / "documents.md"
BEGIN, END = "<!-- claims: written by bench/claims.py -->", "<!-- end of claims -->"
DRAWN = 1000  # training images that document 003 measures its accuracy on

# recipe: (document, its claim, settings, the same as words of a command)
RECIPES: dict[str, tuple[str, str, Settings, str]] = {
    "mlp-1000-100": ("000", "95.49 %, 66.81 minutes", Settings.preset("mlp-1000-100"), ""),
    "mlp-250-250": ("001", "trains; no figure", Settings.preset("mlp-250-250"), ""),
    "cnn": ("002", "3,782.25 minutes; no accuracy", Settings.preset("cnn"), ""),
    "mlp-512-512": ("003", "close to 96.67 %, on training images", Settings.preset("mlp-512-512"), ""),
    "mlp-512-512, batches of 32": (
        "003", "its text says 32, its code 16", Settings.preset("mlp-512-512", batch_size=32, steps_per_epoch=0),
        "--batch-size 32 --steps-per-epoch 0",
    ),
    "mlp-512-512, all images": (
        "003", "what one whole epoch gives", Settings.preset("mlp-512-512", steps_per_epoch=0), "--steps-per-epoch 0",
    ),
    "mlp-512-512, two epochs": (
        "003", "what two give", Settings.preset("mlp-512-512", steps_per_epoch=0, epochs=2),
        "--steps-per-epoch 0 --epochs 2",
    ),
}  # fmt: skip
# Document 000's table: epoch, learning rate, average loss, accuracy.
TABLE_000 = (
    (0.000010, 2.302501, 11.35), (0.000340, 2.301507, 11.35), (0.000670, 2.196799, 32.89), (0.001000, 0.698190, 86.14),
    (0.000952, 0.348741, 91.13), (0.000811, 0.233470, 93.36), (0.000592, 0.181167, 94.56), (0.000316, 0.155026, 95.35),
    (0.000010, 0.144924, 95.49),
)  # fmt: skip


def train(settings: Settings, data) -> dict:
    """Train once; return losses, accuracies in percent and minutes, compiling left out."""
    from jitnet.architecture import Dense, parse
    from jitnet.events import EpochDone
    from jitnet.network import Network
    from jitnet.splitting import split
    from jitnet.training import Training

    parts = split(data, settings)
    network = Network((*parse(settings.architecture), Dense(data.classes)), parts.train[0].shape[1:])
    network.initialise(settings.init, settings.seed)
    rows = [event for event in Training(network, settings, parts).run() if isinstance(event, EpochDone)]
    x, y = parts.train
    right = network.logits(x).argmax(axis=1) == y
    drawn = np.random.default_rng(settings.seed).permutation(len(x))[:DRAWN]  # seen or not, as the document draws them
    return {
        "epochs": [[row.lr, row.train_loss, row.test_accuracy] for row in rows],
        "test": rows[-1].test_accuracy,
        "train_1000": 100 * float(right[drawn].mean()),
        "train_all": 100 * float(right.mean()),
        "minutes": sum(row.train_s + row.eval_s for row in rows) / 60,
    }


def spread(values: list[float], digits: int) -> str:
    """Return mean and standard deviation as text.

    >>> spread([1.0, 2.0, 3.0], 1)
    '2.0 +- 1.0'
    """
    text = f"{statistics.mean(values):.{digits}f}"
    return text if len(values) < 2 else f"{text} +- {statistics.stdev(values):.{digits}f}"


def tables(kept: dict) -> str:
    """Return the tables of the page."""
    lines = [
        "| document | its claim | ours: test % | 1,000 training images % | all training images % | minutes | runs "
        "| `python -m jitnet train ...` |",
        "|---|---|---|---|---|---|--:|---|",
    ]
    for name, (document, claim, _, words) in RECIPES.items():
        runs = list(kept["runs"].get(name, {}).values())
        if runs:
            cells = [spread([run[key] for run in runs], 2) for key in ("test", "train_1000", "train_all", "minutes")]
            command = f"`{name.split(',')[0]} {words}`".replace(" `", "`")
            lines.append(f"| {document} | {claim} | {' | '.join(cells)} | {len(runs)} | {command} |")
    lines += ["", f"Measured on: {machine.sentence(kept['machine'])}." if kept["machine"] else ""]
    runs = kept["runs"].get("mlp-1000-100", {})
    if "0" in runs:
        lines += [
            "",
            "The table of document 000 beside seed 0 of ours:",
            "",
            "| epoch | lr | its avg loss | ours | its accuracy | ours |",
            "|--:|--:|--:|--:|--:|--:|",
        ]
        for epoch, (theirs, ours) in enumerate(zip(TABLE_000, runs["0"]["epochs"])):
            lr, loss, accuracy = theirs
            lines.append(f"| {epoch} | {lr:.6f} | {loss:.6f} | {ours[1]:.6f} | {accuracy:.2f} | {ours[2]:.2f} |")
    return "\n".join(lines)


def main() -> int:
    """Train what is asked for, keep it, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of each recipe, seeds 0 to N-1")
    parser.add_argument("--only", metavar="NAME", help="the recipes whose name begins so")
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the kernels")
    args = parser.parse_args()
    threads.configure(args.threads)
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {"machine": None, "runs": {}}
    chosen = [name for name in RECIPES if name.startswith(args.only or "")] if args.seeds else []
    if chosen:
        from jitnet.data import load

        data = load("mnist")
        kept["machine"] = machine.statement()
    for name in chosen:
        for seed in range(args.seeds):
            started = time.perf_counter()
            run = train(RECIPES[name][2].replace(seed=seed), data)
            kept["runs"].setdefault(name, {})[str(seed)] = run
            KEPT.write_text(json.dumps(kept, indent=1) + "\n")
            seconds = time.perf_counter() - started
            print(f"{name}, seed {seed}: test {run['test']:.2f} %, {seconds:.0f} s", flush=True)
    page = PAGE.read_text()
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables(kept)}\n\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
