"""Measure how long the recipes `best` and `fast` take, in epochs of `jitnet train cnn --batch-size 128`.

    JITNET_DATA=DIR python bench/recipe_times.py             about three minutes; then python bench/recipes_page.py

The first epoch of each recipe in turn, of its training and of its evaluation, without compilation. MNIST is in memory.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

from bench import machine, recipes, records
from bench.measure import in_turn

EPOCH = "cnn --batch-size 128"  # the unit
CASES = (EPOCH, "cnn-best", "cnn-fast")


def first_epoch(words: str, data) -> float:
    """Train and evaluate one epoch of a recipe, and return its seconds."""
    from jitnet.events import EpochDone

    events = recipes.training(words, 0, data).run()
    row = next(event for event in events if isinstance(event, EpochDone))
    events.close()
    return row.train_s + row.eval_s


def main() -> int:
    """Measure, and write a record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="epochs of each (default: 7)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the record (default: in bench/results)")
    args = parser.parse_args()
    from jitnet.data import load
    from jitnet.machine import threads

    threads.configure()
    statement, date, data = machine.statement(), records.started(), load("mnist")
    for words in CASES:
        first_epoch(words, data)  # what is compiled, or cold
    timings = in_turn(
        {words: lambda words=words: first_epoch(words, data) for words in CASES},
        args.rounds,
        lambda name, seconds: print(f"{name}: {seconds:.2f} s", flush=True),
    )
    found = {
        words: {"epochs": recipes.settings(words).epochs, "epoch_s": timing.record()}
        for words, timing in timings.items()
    }
    record = {
        "benchmark": "recipe_times",
        "format": records.FORMAT,
        "date": date,
        "machine": statement,
        "recipes": found,
    }
    print(records.write(record, args.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
