"""Train every network of the documents and compare its results with their claims, in docs/claims.md.

    python bench/claims.py                        3 seeds of each recipe, on MNIST; about ten minutes
    python bench/claims.py --seeds 30             the kept results; continues where it was stopped
    python bench/claims.py --only mlp-512-512     recipes whose name begins so; --again repeats kept runs
    python bench/claims.py --times                one run of each, on all threads, for the minutes of the table
    python bench/claims.py --short --seeds 30     the short runs from which the tests' thresholds are computed
    python bench/claims.py --seeds 0              only write the tables again from the kept runs

Accuracies do not depend on threads, so seeds are trained in parallel, one thread each. Each run is a line of
bench/results/claims.jsonl as soon as it is done.
"""

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

from bench import claims_page, machine, recipes
from jitnet.commands.support.progress_bar import Waiting
from jitnet.machine import threads

KEPT = claims_page.KEPT


def keep(kind: str, name: str, seed: int, run: dict) -> None:
    """Append a run to the kept ones."""
    with KEPT.open("a") as file:
        file.write(json.dumps({"kind": kind, "name": name, "seed": seed} | run) + "\n")
    print(f"{name}, seed {seed}: test {run['test']:.2f} %, {60 * run['minutes']:.0f} s", flush=True)


def train_seeds(kind: str, wanted: list[tuple[str, int]], processes: int) -> None:
    """Train some recipes by name and seed, several in parallel, on one thread each."""
    words, source = (
        (recipes.SHORT, "") if kind == "short" else ({n: r.words for n, r in recipes.RECIPES.items()}, "mnist")
    )
    # A process that is spawned, not forked, has none of this one's threads and locks.
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=threads.configure, initargs=(1,)) as pool:
        runs = {pool.submit(recipes.train, words[name], seed, source): (name, seed) for name, seed in wanted}
        with Waiting() as waiting:
            waiting.report(f"training {len(runs)} runs", 0)
            for count, done in enumerate(as_completed(runs), start=1):
                keep(kind, *runs[done], done.result())
                waiting.report(f"training {len(runs)} runs", count / len(runs))


def train_alone(names: list[str]) -> None:
    """Train seed 0 of each recipe with all threads, and keep its minutes and the load of the machine."""
    threads.configure()
    statement = machine.statement()
    for name in names:
        run = recipes.train(recipes.RECIPES[name].words, 0, "mnist")
        keep("time", name, 0, {"test": run["test"], "minutes": run["minutes"], "machine": statement})


def main() -> int:
    """Train the requested runs that are not kept yet, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of each recipe, seeds 0 to N-1")
    parser.add_argument("--only", default="", metavar="NAME", help="the recipes whose name begins so")
    parser.add_argument("--again", action="store_true", help="repeat runs that are kept already")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--times", action="store_true", help="measure minutes instead: one run of each, alone")
    kinds.add_argument("--short", action="store_true", help="the short runs that the tests' thresholds come from")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N", help="runs side by side")
    args = parser.parse_args()
    kind = "short" if args.short else "run"
    names = [name for name in (recipes.SHORT if args.short else recipes.RECIPES) if name.startswith(args.only)]
    if args.times:
        train_alone(names)
    else:
        kept = {} if args.again else claims_page.read()[kind]
        wanted = [(name, seed) for name in names for seed in range(args.seeds) if seed not in kept.get(name, {})]
        if wanted:
            train_seeds(kind, wanted, args.processes)
    claims_page.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
