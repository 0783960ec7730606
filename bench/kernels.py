"""Measure each kernel at the shapes of the documents' CNN: microseconds, GFLOP/s, share of the processor's peak.

    python bench/kernels.py                      half a minute, and once as much to compile
    python bench/kernels.py --only conv2,conv3   some of them

The peak is that of a kernel too: multiply-adds on registers alone, timed just before each run it is compared with.
"""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

import numba
from rich.console import Console
from rich.table import Table

from bench import kernel_cases, machine, measure, records, report
from bench.kernel_cases import Case
from bench.measure import Timing
from jitnet.kernels.compiler import simd_chains
from jitnet.machine import peak, threads

GOAL = 0.75  # of the peak of one thread, for the convolutions
GOAL_STEP = 0.60  # of the peak of all threads, for the whole step in batches
GOAL_THREADS = 1.6  # times the work of one thread that two do, for the convolutions
_PEAK_SHARE_OF_RUN = 0.5  # the peak's run is shorter: its speed changes less


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    made.add_argument("--quick", action="store_true", help="very short runs: to see it work, not to quote")
    made.add_argument("--only", metavar="TEXTS", default="", help="kernels whose names hold one of these, with commas")
    made.add_argument("--json", action="store_true", help="print the record instead of the table")
    made.add_argument("--out", type=Path, metavar="PATH", help="file or folder of the record (default: bench/results)")
    made.add_argument("--rounds", type=int, default=25, metavar="N", help="timed runs of each kernel (default: 25)")
    return made


def timed(run) -> float:
    """Return the seconds of one call."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def measure_case(case: Case, count: int, rounds: int, seconds: float) -> dict:
    """Time a case and the peak in turn on `count` threads; return the row of the record."""
    # How often is found out on one thread: two that wait for a busy core make one repeat look like a thousand.
    numba.set_num_threads(1)
    alone = case.make(1)
    repeats = measure.repeats_for(lambda n: timed(lambda: alone(n)), seconds)
    peak_rounds = measure.repeats_for(lambda n: timed(lambda: peak.run(1, n)), seconds * _PEAK_SHARE_OF_RUN)
    run = case.make(count)
    numba.set_num_threads(count)
    run(1)
    timings = measure.in_turn(
        {
            "peak": lambda: timed(lambda: peak.run(count, peak_rounds)) / peak_rounds,
            "kernel": lambda: timed(lambda: run(repeats)) / repeats,
        },
        rounds,
    )
    pieces = count if case.pieces else 1
    fastest = Timing(tuple(count * simd_chains.FLOP_PER_ROUND / value for value in timings["peak"].values))
    row = {
        "name": case.name,
        "shape": case.shape,
        "note": case.note,
        "threads": count,
        "repeats": repeats,
        "flop": case.flop,
        "pieces": pieces,
        "seconds": timings["kernel"].record(),
        "peak_gflops": fastest.median / 1e9,
    }
    if case.flop:
        rate = Timing(tuple(pieces * case.flop / value for value in timings["kernel"].values))
        row["gflops"] = rate.median / 1e9
        row["share"] = measure.ratio(rate, fastest).record()
        row["share_of_best"] = (
            rate.high / fastest.high
        )  # the fastest run of each: what is left of a busy machine's noise
    return row


def kernel(row: dict) -> tuple[str, str, str]:
    """Return what tells a kernel from the others."""
    return row["name"], row["shape"], row["note"]


def compare_threads(found: list[dict]) -> None:
    """Note for each kernel on several threads how many times the work of one thread it does in the same time."""
    alone = {kernel(row): row for row in found if row["threads"] == 1}
    for row in found:
        one = alone.get(kernel(row))
        if row["threads"] > 1 and one:  # the fastest runs: these two were not made in turn
            row["over_one_thread"] = row["pieces"] * one["seconds"]["low"] / row["seconds"]["low"]


def is_short(row: dict) -> bool:
    """Return whether a kernel misses its goal."""
    share, speedup = row.get("share"), row.get("over_one_thread")
    if row["name"].startswith("conv") and share:
        return share["median"] < GOAL if row["threads"] == 1 else row["threads"] == 2 and speedup < GOAL_THREADS
    return row["name"] == "whole step, 128 images" and row["threads"] > 1 and share["median"] < GOAL_STEP


def draw(found: list[dict]) -> Table:
    """Draw the table."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("kernel", no_wrap=True)
    table.add_column("shape")
    for name in ("threads", "µs", "±", "GFLOP/s", "of peak", "best", "× 1"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for row in found:
        seconds, share = row["seconds"], row.get("share")
        table.add_row(
            row["name"],
            row["shape"],
            str(row["threads"]),
            f"{1e6 * seconds['median']:,.2f}",
            f"{100 * seconds['spread']:.0f} %",
            f"{row['gflops']:,.0f}" if share else "",
            f"{100 * share['median']:.0f} %" if share else "",
            f"{100 * row['share_of_best']:.0f} %" if share else "",
            f"{row['over_one_thread']:.2f}" if "over_one_thread" in row else "",
            row["note"],
            style="yellow" if is_short(row) else "",
        )
    return table


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return the exit code."""
    args = parser().parse_args(arguments)
    console = report.console(args.json)
    words = [word for word in args.only.split(",") if word]
    picked = [case for case in kernel_cases.cases() if not words or any(word in case.name for word in words)]
    if not picked or args.rounds < 1:
        known = ", ".join(case.name for case in kernel_cases.cases())
        Console(stderr=True).print(f"--only matches no kernel of: {known}; and --rounds must be 1 or more", style="red")
        return 2
    # Short runs and many: one that the system interrupts for a time slice is then one of a few, not one of most.
    seconds = 0.001 if args.quick else 0.004
    record = {
        "benchmark": "kernels",
        "format": records.FORMAT,
        "date": records.started(),
        "machine": machine.statement(),
        "dtype": "float32",
        "layer": threads.in_use()[1],
        "chains": simd_chains.CHAINS,
        "rows": [],
    }
    counts = sorted({1, min(threads.usable_cores(), numba.config.NUMBA_NUM_THREADS)})
    jobs = [(case, count) for case in picked for count in counts]
    with report.progress(console) as progress:
        task = progress.add_task("", total=len(jobs))
        for case, count in jobs:
            progress.update(task, description=f"{case.name}, {case.shape}, {count} threads")
            progress.refresh()
            record["rows"].append(measure_case(case, count, args.rounds, seconds))
            progress.advance(task)
    compare_threads(record["rows"])
    if args.json:
        print(json.dumps(record))
    console.print(draw(record["rows"]))
    for line in notes(record):
        console.print(line, highlight=False, style="dim")
    if not args.quick or args.out:  # very short runs are kept only on request
        console.print(f"written: {records.write(record, args.out).name}", highlight=False)
    return 0


def notes(record: dict) -> list[str]:
    """Return the sentences below the table."""
    peaks: dict[int, list[float]] = {}
    for row in record["rows"]:
        peaks.setdefault(row["threads"], []).append(row["peak_gflops"])
    text = ", ".join(f"{Timing(tuple(found)).median:,.0f} on {count}" for count, found in peaks.items())
    return [
        f"FMA peak of this run, GFLOP/s by threads: {text} ({record['chains']} chains of {simd_chains.LANES} float32).",
        f"median of n = {record['rows'][0]['seconds']['n']} runs, each next to a run of the peak; ±: half of slowest "
        "minus fastest; best: the fastest run over the peak's fastest; × 1: times the work of one thread, of the "
        "fastest runs.",
        f"Yellow: a convolution below {100 * GOAL:.0f} % of the peak on one thread or {GOAL_THREADS} times its work on "
        f"two, the whole step in batches below {100 * GOAL_STEP:.0f} % on all threads.",
        "Flop are those of the dense arithmetic: skipped zeros count as done.",
        "With more than one thread a kernel of one image runs on each with its own arrays; the time is that of all. "
        f"Operands are hot in the cache. Threading layer: {record['layer']}.",
        machine.sentence(record["machine"]),
    ]


if __name__ == "__main__":
    sys.exit(main())
