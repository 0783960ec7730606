"""The tables of docs/claims.md, generated from the runs in bench/results/claims.jsonl."""

import json
import statistics
from collections import defaultdict
from pathlib import Path

from bench import generated, machine
from bench.recipes import RECIPES, SHORT, TABLE_000

KEPT = Path(__file__).resolve().parent / "results" / "claims.jsonl"
PAGE = "docs/claims.md"
SIGMAS = 5  # standard deviations from the mean of the short runs to the threshold

Runs = dict[str, dict[int, dict]]  # by recipe and seed


def read() -> dict[str, Runs]:
    """Return the kept runs by kind: "run", "short", "time". Of several runs with one seed, the last counts."""
    kept: dict[str, Runs] = defaultdict(lambda: defaultdict(dict))
    for line in KEPT.read_text().splitlines() if KEPT.exists() else ():
        run = json.loads(line)
        kept[run.pop("kind")][run.pop("name")][run.pop("seed")] = run
    return kept


def write() -> None:
    """Write the tables into the document, and the kept runs in order, each once."""
    kept = read()
    lines = [
        json.dumps({"kind": kind, "name": name, "seed": seed} | kept[kind][name][seed])
        for kind in sorted(kept)
        for name in sorted(kept[kind])
        for seed in sorted(kept[kind][name])
    ]
    KEPT.write_text("".join(f"{line}\n" for line in lines))
    generated.write({PAGE: sections(kept)})


def sections(kept: dict[str, Runs]) -> dict[str, str]:
    """Return the text of each table, by name."""
    return {
        "claims": claims(kept["run"], kept["time"]),
        "table 000": table_000(kept["run"]["mlp-1000-100"]),
        "protocol 003": protocol_003(kept["run"]),
        "thresholds": thresholds(kept["short"]),
    }


def spread(values: list[float]) -> str:
    """Return mean and standard deviation as text.

    >>> spread([1.0, 2.0, 3.0])
    '2.00 ± 1.00'
    """
    return f"{statistics.mean(values):.2f}" + (f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else "")


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def claims(runs: Runs, times: Runs) -> str:
    """Return the table of the documents' claims and our results."""
    rows, busy = [], False
    for name, recipe in RECIPES.items():
        if not (found := list(runs[name].values())):
            continue
        tests = [run["test"] for run in found]
        minutes = "not measured"
        if time := times[name].get(0):
            minutes = f"{time['minutes']:.2f}"
            if machine.is_busy(time["machine"]):
                minutes, busy = minutes + " *", True
        extent = f"{min(tests):.2f} to {max(tests):.2f}"
        figures = [spread(tests), extent, str(len(tests)), minutes]
        rows.append([recipe.document, recipe.claim, *figures, f"`{recipe.words}`"])
    head = ["document", "its claim", "ours: test %, mean ± sd", "lowest to highest", "runs", "minutes"]
    text = table([*head, "`python -m jitnet train ...`"], rows)
    if busy:
        text += "\n\n\\* The machine was busy with other work: the true time is at most this."
    if measured := [time[0]["machine"] for time in times.values() if time]:
        text += f"\n\nMinutes, one run each, on: {machine.sentence(measured[-1])}."
    return text


def table_000(runs: dict[int, dict]) -> str:
    """Return document 000's table with the mean of our runs."""
    rows = []
    for epoch, (lr, loss, accuracy) in enumerate(TABLE_000):
        losses, tests = zip(*(run["epochs"][epoch] for run in runs.values())) if runs else ((0.0,), (0.0,))
        near = sum(abs(a - loss) <= 0.015 and abs(b - accuracy) <= 0.4 for a, b in zip(losses, tests))
        ours = f"{statistics.mean(losses):.6f} ± {statistics.pstdev(losses):.6f}"
        rows.append([f"{epoch}", f"{lr:.6f}", f"{loss:.6f}", ours, f"{accuracy:.2f}", spread([*tests]), f"{near}"])
    return table(["epoch", "lr", "its avg loss", "ours", "its accuracy", "ours", f"near it, of {len(runs)}"], rows)


def protocol_003(runs: Runs) -> str:
    """Return the table of document 003's recipe and variants, measured by its protocol and on the test images."""
    rows = []
    for name, recipe in RECIPES.items():
        if recipe.document == "003" and (found := list(runs[name].values())):
            cells = [[run[key] for run in found] for key in ("train_1000", "train_all", "test")]
            harder = [run["train_all"] - run["test"] for run in found]
            rows.append([f"`{recipe.words}`", *map(spread, cells), spread(harder), str(len(found))])
    head = ["recipe", "1,000 training images %", "all training images %", "test images %", "training less test", "runs"]
    return table(head, rows)


def threshold(tests: list[float]) -> float:
    """Return the accuracy in percent that a short run has to reach."""
    return statistics.mean(tests) - SIGMAS * statistics.stdev(tests)


def thresholds(short: Runs) -> str:
    """Return the short runs' distributions, and the thresholds that follow."""
    rows = []
    for name, words in SHORT.items():
        tests = [run["test"] for run in short[name].values()]
        if len(tests) > 1:
            figures = [f"{statistics.mean(tests):.2f}", f"{statistics.stdev(tests):.2f}", str(len(tests))]
            rows.append([f"`{words}`", *figures, f"{min(tests):.2f}", f"{threshold(tests):.2f}"])
    return table(["`python -m jitnet train ...`", "mean, test %", "sd", "runs", "lowest", "threshold"], rows)
