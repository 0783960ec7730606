"""Measure trials per hour for two uses of the cores: parallel trials, or threads inside each trial.

    python bench/trials.py             some minutes
    python bench/trials.py --quick     under a minute on a quiet machine: shorter trials, two rounds
    python bench/trials.py --json      the record alone

Each round trains the same trials in each way, one way after the other, so that a busy moment of the machine meets all;
what counts is the ratio within a round. Processes have started and kernels are loaded before the clock does. Exit code
1 if two workers reach less than 1.7 times the trials of one.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

from bench import machine, records
from jitnet.config import Settings
from jitnet.trials.driver import Driver, board_of
from jitnet.trials.folder import SweepFolder
from jitnet.trials.plan import plan
from jitnet.trials.worker_pool import LocalWorkers

GOAL = 1.7
FORMS = {  # what is trained: one image a step, and batches
    "CNN, one image a step": {"network": "cnn"},
    "CNN, batches of 16": {"network": "cnn", "batch_size": 16, "lr": 0.05},
    "CNN, batches of 64": {"network": "cnn", "batch_size": 64, "lr": 0.1},
    "MLP 512-512, batches of 16": {"network": "mlp-512-512", "steps_per_epoch": 0},
}
WAYS = {"one": (1, 1), "side by side": (2, 1), "threads": (1, 2)}  # workers, threads of each


def seconds(settings: Settings, trials: int, workers: int, threads: int) -> float:
    """Return how long these trials take, from the first one's start to the last one's end."""
    made = plan(settings, "repeat", seeds=trials)
    with tempfile.TemporaryDirectory() as place, SweepFolder(Path(place) / "runs", made, []) as folder:
        board = board_of(made, folder)
        with LocalWorkers(workers, threads) as executor:
            ready = [executor.submit] * workers  # each process loads its data and kernels
            driver = Driver(made, folder, board, executor, threads=threads, machines=ready)
            for _ in driver.run():
                pass
            taken = time.monotonic() - board.began
        lost = [row.message for row in board.rows if row.status != "done"]
        assert not lost, lost
    return taken


def measure(form: dict, limit: int, epochs: int, trials: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each round, by use of the cores."""
    settings = Settings.preset(**form).replace(limit=limit, epochs=epochs, until=epochs, data="synthetic")
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, (workers, threads) in WAYS.items():
            found[way].append(seconds(settings, trials, workers, threads))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument(
        "--quick", action="store_true", help="shorter trials, two rounds, the first and third form only"
    )
    parser.add_argument("--json", action="store_true", help="print the record alone")
    parser.add_argument("--out", type=Path, help="where the record is written (default: bench/results, not if --quick)")
    args = parser.parse_args(arguments)
    limit, epochs, trials, rounds = (12_000, 2, 4, 2) if args.quick else (30_000, 2, 4, 5)
    record = {"benchmark": "trials", "format": records.FORMAT, "date": records.started()}
    record |= {"machine": machine.statement(), "limit": limit, "epochs": epochs, "trials": trials, "rows": []}
    for name, form in list(FORMS.items())[:: 2 if args.quick else 1]:
        found = measure(form, limit, epochs, trials, rounds)
        ratios = {way: [one / other for one, other in zip(found["one"], found[way])] for way in WAYS if way != "one"}
        rate = 3600 * trials / statistics.median(found["one"])
        row = {"form": name, "seconds": found, "trials_per_hour_of_one": rate, "ratios": ratios}
        record["rows"].append(row)
        if not args.json:
            parts = [f"{way} {statistics.median(r):.2f} ({min(r):.2f} to {max(r):.2f})" for way, r in ratios.items()]
            print(f"{name}: one worker {rate:,.0f} trials an hour; times as many {', '.join(parts)}", flush=True)
    if args.json:
        print(json.dumps(record))
    else:
        print(machine.sentence(record["machine"]))
    if args.out or not args.quick:
        print(f"written: {records.write(record, args.out)}", file=sys.stderr)
    reached = statistics.median(record["rows"][0]["ratios"]["side by side"])
    return int(reached < GOAL)


if __name__ == "__main__":  # the processes it starts read this file too
    sys.exit(main())
