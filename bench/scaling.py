"""Measure how the cost of training grows with images, batch, threads and width, and look for cliffs.

    python bench/scaling.py                      about two minutes, and the kernels' compilation once
    python bench/scaling.py --only batch,width   some of the curves

What runs is the loop of `jitnet train` itself, an epoch of real images at a time, without evaluation.
"""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

import numba
import numpy as np
from rich.console import Console
from rich.table import Table

from bench import machine, measure, records, report, rows
from bench.measure import Timing
from jitnet.config import Settings
from jitnet.data.split import Split
from jitnet.errors import InputError
from jitnet.events import Compiling, Diverged, EpochDone
from jitnet.machine import threads
from jitnet.model.architecture import parse, step_macs
from jitnet.model.network import Network
from jitnet.training.loop import Training

CLIFF = 1.5  # a step of a curve at which the cost jumps by more than this factor
_DISTURBED = 0.5  # half of slowest minus fastest, over the median
_BAR = 30  # characters of the longest bar


@dataclass(frozen=True)
class Point:
    """One measurement: an epoch of `images` images."""

    value: int  # on the curve's axis
    network: str
    images: int
    batch: int
    threads: int


@dataclass(frozen=True)
class Curve:
    """Points along one axis, from small to large; everything else is equal."""

    name: str
    title: str
    points: tuple[Point, ...]
    per_work: bool = False  # the cost is that of a multiply-accumulate, since the points differ in work per image


def curves(cores: int, quick: bool) -> tuple[Curve, ...]:
    """Return all curves."""
    some = 512 if quick else 8192
    images = (250, 500, 1000) if quick else (1000, 2000, 5000, 10000, 20000, 40000, 60000)
    batches = tuple(2**power for power in range(11))
    counts = sorted({1, cores} | {2**power for power in range(1, 10) if 2**power < cores})
    # 17 and 33 fill one vector and one lane of the next.
    widths = (4, 8, 16, 17, 24, 32) if quick else (4, 8, 12, 16, 17, 24, 32, 33, 48, 64)
    hidden = (16, 64, 256) if quick else (16, 32, 64, 100, 128, 256, 512, 1000, 2048)
    return (
        Curve("images-1", "images, CNN, one a step", tuple(Point(n, rows.CNN, n, 1, cores) for n in images)),
        Curve("images", "images, CNN, batches of 128", tuple(Point(n, rows.CNN, n, 128, cores) for n in images)),
        Curve("batch", "batch, CNN", tuple(Point(n, rows.CNN, max(n, some), n, cores) for n in batches)),
        Curve("threads", "threads, CNN, batches of 128", tuple(Point(n, rows.CNN, some, 128, n) for n in counts)),
        Curve(
            "width",
            "width, CNN with w, 2w and 4w channels and 6w dense, batches of 128",
            tuple(Point(n, _wide(n), some // 4, 128, cores) for n in widths),
            per_work=True,
        ),
        Curve(
            "mlp-width",
            "width, MLP with two hidden layers of w, batches of 128",
            tuple(Point(n, f"dense{n} dense{n} dense10", some, 128, cores) for n in hidden),
            per_work=True,
        ),
    )


def _wide(width: int) -> str:
    return f"conv{width} pool conv{2 * width} pool conv{4 * width} dense{6 * width} dense10"


def epoch(point: Point, images: np.ndarray, targets: np.ndarray) -> tuple[Callable[[], float], int]:
    """Return a function that trains an epoch from the same weights and returns its seconds; and the MACs an image."""
    network = Network(parse(point.network), images.shape[1:])
    settings = Settings(
        architecture=point.network, epochs=1, batch_size=point.batch, lr=1e-3, schedule="constant", init="lecun"
    )
    chosen = np.arange(point.images) % len(images)
    nothing = (images[:0], targets[:0])
    data = Split("bench", (images[chosen], targets[chosen]), nothing, nothing)

    def run() -> float:
        threads.configure(point.threads)  # requested: training does not choose another number
        network.initialise(settings.init, settings.seed)
        started = 0.0
        for event in Training(network, settings, data).run():
            if isinstance(event, Compiling):
                started = time.perf_counter()
            elif isinstance(event, EpochDone):
                return time.perf_counter() - started
            elif isinstance(event, Diverged):
                raise InputError(event.message)
        raise AssertionError("the epoch has no end")

    return run, step_macs(network.shapes)


def measure_curve(
    curve: Curve, images: np.ndarray, targets: np.ndarray, rounds: int, after: Callable[[], None]
) -> dict:
    """Time all points of a curve in turn; return its part of the record."""
    runs, work = {}, {}
    for point in curve.points:
        run, macs = epoch(point, images, targets)
        run()  # compiles, and warms the caches up
        runs[str(point.value)], work[str(point.value)] = run, macs
        after()
    timings = measure.in_turn(runs, rounds, lambda name, seconds: after())
    found = []
    for point in curve.points:
        macs = work[str(point.value)]
        per_image = Timing(tuple(seconds / point.images for seconds in timings[str(point.value)].values))
        # The fastest run: on a busy machine the median of a few moves more than what is looked for.
        cost = per_image.low / macs if curve.per_work else per_image.low
        found.append({**vars(point), "macs": macs, "seconds": per_image.record(), "cost": cost})
    return {"name": curve.name, "title": curve.title, "per_work": curve.per_work, "points": found} | steepest(found)


def steepest(points: list[dict]) -> dict:
    """Return the point where the cost increases most, and whether this is a cliff."""
    jumps = [(after["cost"] / before["cost"], after["value"]) for before, after in itertools.pairwise(points)]
    factor, value = max(jumps, default=(1.0, points[0]["value"]))
    return {"factor": factor, "at": value, "cliff": factor > CLIFF}


def draw(curve: dict) -> Table:
    """Draw one curve as a table with bars."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", title_justify="left")
    table.title = curve["title"]
    table.add_column(curve["title"].split(",")[0], justify="right", no_wrap=True)
    for name in ("per image", "±", "60,000 images", "ps per MAC" if curve["per_work"] else ""):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    most = max(point["cost"] for point in curve["points"])
    for point in curve["points"]:
        seconds = point["seconds"]
        table.add_row(
            f"{point['value']:,}",
            report.duration(seconds["low"]),
            f"{100 * seconds['spread']:.0f} %",
            report.duration(60000 * seconds["low"]),
            report.digits(1e12 * point["cost"]) if curve["per_work"] else "",
            "█" * max(1, round(_BAR * point["cost"] / most)),
        )
    return table


def verdict(curve: dict) -> str:
    """Return a sentence about the largest increase."""
    what = "time per multiply-accumulate" if curve["per_work"] else "time per image"
    said = f"cliff at {curve['at']:,}" if curve["cliff"] else "no cliff"
    rises = f"rises most at {curve['at']:,}, to" if curve["factor"] > 1 else "never rises; at its flattest it is"
    return f"{curve['name']}: {said}: the {what} {rises} {curve['factor']:.2f} times that of the point before."


def notes(record: dict) -> list[str]:
    """Return the sentences below the tables."""
    spread = max(point["seconds"]["spread"] for curve in record["curves"] for point in curve["points"])
    disturbed = ["Epochs differ by more than half: others used the machine, so judge in a quieter moment."]
    return [
        *(disturbed if spread > _DISTURBED else []),
        f"A cliff is a step where the cost (bars) jumps by more than {record['cliff_factor']} times.",
        f"The fastest of {record['rounds']} epochs, taken in turn; ±: half of slowest minus fastest; data "
        f"{record['data']}, threading layer {record['layer']}.",
        machine.sentence(record["machine"]),
    ]


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    made.add_argument("--quick", action="store_true", help="fewer images: to see it work, not to quote")
    made.add_argument("--only", metavar="NAMES", default="", help="curves, with commas")
    made.add_argument("--json", action="store_true", help="print the record instead of the tables")
    made.add_argument("--out", type=Path, metavar="PATH", help="file or folder of the record (default: bench/results)")
    made.add_argument("--rounds", type=int, default=3, metavar="N", help="timed epochs of each point (default: 3)")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return the exit code."""
    args = parser().parse_args(arguments)
    console = report.console(args.json)
    threads.configure()
    known = curves(min(threads.usable_cores(), numba.config.NUMBA_NUM_THREADS), args.quick)
    names = {name for name in args.only.split(",") if name}
    picked = [curve for curve in known if not names or curve.name in names]
    if names - {curve.name for curve in known} or args.rounds < 1:
        expected = f"expected some of {', '.join(curve.name for curve in known)}, and --rounds of 1 or more"
        Console(stderr=True).print(f"--only is {args.only!r}, --rounds {args.rounds}: {expected}", style="red")
        return 2
    record = {
        "benchmark": "scaling",
        "format": records.FORMAT,
        "date": records.started(),
        "machine": machine.statement(),
        "cliff_factor": CLIFF,
        "rounds": args.rounds,
        "curves": [],
    }
    record["data"], images, targets = rows.data(max(point.images for curve in picked for point in curve.points))
    with report.progress(console) as progress:
        task = progress.add_task("", total=sum(len(curve.points) for curve in picked) * (args.rounds + 1))

        def after() -> None:
            progress.advance(task)
            progress.refresh()

        for curve in picked:
            progress.update(task, description=curve.title)
            progress.refresh()
            record["curves"].append(measure_curve(curve, images, targets, args.rounds, after))
    record["layer"] = threads.in_use()[1]
    for curve in record["curves"]:
        console.print(draw(curve))
        console.print(verdict(curve), highlight=False, style="yellow" if curve["cliff"] else "green")
        console.print()
    for line in notes(record):
        console.print(line, highlight=False, style="dim")
    if not args.quick or args.out:  # very short runs are kept only on request
        console.print(f"written: {records.write(record, args.out).name}", highlight=False)
    if args.json:
        print(json.dumps(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
