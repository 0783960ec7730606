"""Measure what a start costs: `--help`, a short training with a warm cache, the first compilation ever; and memory.

    python bench/start.py --python torch=PATH   two minutes; also measures `import torch`
    python bench/start.py --only full           the documents' whole run of nine epochs, a minute or two

Each figure is the time of a whole command in a separate process, as a user waits for it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

from rich.console import Console
from rich.table import Table

from bench import machine, records, report
from bench.measure import Timing
from jitnet.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
SHORT = ("train", "cnn", "--epochs", "1", "--limit", "500")
_MEGABYTE = 1e6


@dataclass(frozen=True)
class Case:
    """One command."""

    name: str
    title: str
    arguments: tuple[str, ...]  # of `python -m jitnet`; empty: `import torch` in its own Python
    most_s: float = 0.0  # the goal in seconds; 0: none
    compiles: bool = False  # in an empty cache, once; the seconds are those of the compilation
    once: bool = False
    asked: bool = False  # only when --only names it


CASES = (
    Case("help", "python -m jitnet --help", ("--help",), 0.2),
    Case("train", "train cnn --limit 500, warm cache", SHORT),
    Case("torch", 'python -c "import torch"', ()),
    Case("first", "first compilation ever, per-sample", SHORT, 20.0, compiles=True),
    Case("first-batch", "first compilation ever, mini-batch", (*SHORT, "--batch-size", "64"), 20.0, compiles=True),
    Case("full", "train cnn --epochs 9", ("train", "cnn", "--epochs", "9"), 60.0, once=True, asked=True),
)
GOAL_MEMORY = 450e6  # bytes, of the documents' run
GOAL_IMPORTS = 2.0  # imports of torch that the short training may take


@dataclass(frozen=True)
class Run:
    """The cost of one command."""

    seconds: float
    processor_s: float  # of all its threads: what the wait would be on an idle machine, if one thread works
    memory: int  # bytes, largest resident size; 0 where the system does not tell
    compiled: dict  # seconds, kernels, cached: of all phases of compilation together
    data: str


def run(case: Case, python: str, folder: Path, cache: Path | None) -> Run:
    """Run a command once; raises `InputError` if it fails."""
    command, environment = [python, "-c", "import torch"], dict(os.environ)
    if case.arguments:
        command = [python, "-m", "jitnet", *case.arguments]
    if case.arguments[:1] == ("train",):
        command += ["--offline", "--ui", "json", "--runs-dir", str(folder)]
    if cache is not None:
        environment.pop("NUMBA_CACHE_DIR", None)  # it would come before ours
        environment["JITNET_CACHE_DIR"] = str(cache)
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complaint:
        started = time.perf_counter()
        try:
            process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=said, stderr=complaint)
        except OSError as error:
            raise InputError(f"{python} can't be started: {error.strerror}; give another Python") from None
        processor_s, memory = _wait(process)
        seconds = time.perf_counter() - started
        said.seek(0)
        complaint.seek(0)
        if process.returncode:
            reason = (complaint.read().strip().splitlines() or ["no reason given"])[-1]
            raise InputError(f"`{case.title}` ended with code {process.returncode}: {reason}")
        lines = said.read().splitlines() if "json" in command else []
    events = [json.loads(line) for line in lines]
    data = [event["data"] for event in events if event["event"] == "RunStarted"]
    return Run(seconds, processor_s, memory, compilation(events), data[0] if data else "")


def compilation(events: list[dict]) -> dict:
    """Add up the phases of compilation: that of the network, then what measures the machine."""
    last = [event for event in events if event["event"] == "Compiling" and event["index"] == event["total"]]
    return {
        "seconds": sum(event["seconds"] for event in last),
        "kernels": sum(event["total"] for event in last),
        "cached": all(event["cached"] for event in last),
    }


def _wait(process: subprocess.Popen) -> tuple[float, int]:
    """Wait for a process; return its processor seconds and its largest resident size in bytes.

    Linux includes the memory of this process at the start of the other, so bench/start.py imports nothing large before.
    """
    if not hasattr(os, "wait4"):
        process.wait()
        return 0.0, 0
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(picked: list[Case], rounds: int, warm: bool, torch: str | None, note) -> list[dict]:
    """Run all commands, the repeated ones in turn, with or without a warm-up; return the rows of the record."""
    found: dict[str, list[Run]] = {case.name: [] for case in picked}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def once(case: Case, round_number: int) -> None:
            note(f"{case.title}{f', run {round_number} of {rounds}' if not (case.compiles or case.once) else ''}")
            cache = Path(tempfile.mkdtemp(dir=folder)) if case.compiles else None
            python = sys.executable if case.arguments else torch
            found[case.name].append(run(case, python, folder / "runs", cache))

        repeated = [case for case in picked if not (case.compiles or case.once)]
        for case in repeated if warm else ():  # once for nothing: kernels are compiled, files come from memory
            note(f"{case.title}, to warm up")
            run(case, sys.executable if case.arguments else torch, folder / "runs", None)
        for number in range(1, rounds + 1):
            for case in repeated:
                once(case, number)
        for case in picked:
            if case not in repeated:
                once(case, 1)
    rows = [_row(case, found[case.name]) for case in picked]
    _compare(rows)
    return rows


def _row(case: Case, runs: list[Run]) -> dict:
    compiled = runs[-1].compiled
    timing = Timing(tuple(one.compiled["seconds"] if case.compiles else one.seconds for one in runs))
    row = {
        "name": case.name,
        "title": case.title,
        "seconds": timing.record(),
        "command_s": Timing(tuple(one.seconds for one in runs)).median,
        "processor_s": Timing(tuple(one.processor_s for one in runs)).median,
        "memory": max(one.memory for one in runs),
        "data": runs[-1].data,
    }
    if case.compiles:
        row["kernels"] = compiled["kernels"]
        row["was_cached"] = compiled["cached"]
    if case.most_s:
        row |= {"goal_s": case.most_s, "met": timing.median <= case.most_s}
    if case.name == "full":
        row |= {"goal_memory": GOAL_MEMORY, "met": row["met"] and row["memory"] <= GOAL_MEMORY}
    return row


def _compare(rows: list[dict]) -> None:
    """Compare the short training with the import of torch."""
    by_name = {row["name"]: row for row in rows}
    if "train" in by_name and "torch" in by_name:
        ratio = by_name["train"]["seconds"]["median"] / by_name["torch"]["seconds"]["median"]
        by_name["train"] |= {"torch_imports": ratio, "goal_imports": GOAL_IMPORTS, "met": ratio <= GOAL_IMPORTS}


def draw(rows: list[dict]) -> Table:
    """Draw the table."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True)
    for name in ("takes", "±", "command", "processor", "memory"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for row in rows:
        seconds, words = row["seconds"], []
        if "kernels" in row:
            words.append(f"{row['kernels']} parts counted")
        if "torch_imports" in row:
            words.append(f"{row['torch_imports']:.2f} imports of torch, goal {row['goal_imports']:g} or less")
        if "goal_s" in row:
            words.append(f"goal {report.duration(row['goal_s'])} or less")
        if "goal_memory" in row:
            words.append(f"and {row['goal_memory'] / _MEGABYTE:.0f} MB")
        table.add_row(
            row["title"],
            report.duration(seconds["median"]),
            f"{100 * seconds['spread']:.0f} %" if seconds["n"] > 1 else "",
            report.duration(row["command_s"]),
            report.duration(row["processor_s"]) if row["processor_s"] else "",
            f"{row['memory'] / _MEGABYTE:,.0f} MB" if row["memory"] else "",
            ", ".join(words) + ("" if row.get("met", True) else ": missed"),
            style="" if row.get("met", True) else "yellow",
        )
    return table


def notes(record: dict) -> list[str]:
    """Return the sentences below the table."""
    data = {row["data"] for row in record["rows"]} - {""}
    lines = [
        f"takes: the median of {record['rounds']} whole commands in turn, warmed up; of a first compilation the "
        "compiling alone, once, in an empty cache. processor: seconds of all its threads. memory: the largest resident "
        f"size. Data: {', '.join(data) or 'none'}.",
        machine.sentence(record["machine"]),
    ]
    if "torch" in record["left_out"]:
        lines.insert(0, "No Python with torch was named, so its import is not compared: --python torch=PATH.")
    return lines


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    made.add_argument(
        "--quick", action="store_true", help="one run each, not warmed up, nothing compiled: to see it work"
    )
    made.add_argument("--only", metavar="NAMES", default="", help=", ".join(case.name for case in CASES))
    made.add_argument("--python", metavar="torch=PATH", default="", help="the Python that has torch installed")
    made.add_argument("--json", action="store_true", help="print the record instead of the table")
    made.add_argument("--out", type=Path, metavar="PATH", help="file or folder of the record (default: bench/results)")
    made.add_argument("--rounds", type=int, default=5, metavar="N", help="runs of each command (default: 5)")
    return made


def chosen(args: argparse.Namespace) -> tuple[list[Case], str | None]:
    """Return the cases to run, and the Python that has torch. Raises `InputError`."""
    names, known = {name for name in args.only.split(",") if name}, {case.name for case in CASES}
    if names - known:
        raise InputError(
            f"--only names {', '.join(sorted(names - known))}: expected some of {', '.join(sorted(known))}"
        )
    peer, _, torch = args.python.partition("=")
    if args.python and (peer != "torch" or not torch):
        raise InputError(f"--python is {args.python!r}: expected torch=PATH, as in torch=other/bin/python")
    if args.rounds < 1:
        raise InputError(f"--rounds is {args.rounds}: expected 1 or more")
    if "torch" in names and not torch:
        raise InputError("--only names torch: expected --python torch=PATH too, the Python that has it installed")
    usual = {case.name for case in CASES if not (case.asked or (case.compiles and args.quick))}
    picked = [case for case in CASES if case.name in (names or usual)]
    return [case for case in picked if case.arguments or torch], torch or None


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return the exit code."""
    args = parser().parse_args(arguments)
    console = report.console(args.json)
    try:
        picked, torch = chosen(args)
        rounds = 1 if args.quick else args.rounds
        record = {"benchmark": "start", "format": records.FORMAT, "date": records.started(), "rounds": rounds}
        record["load_before"] = machine.load()

        def note(text: str) -> None:
            console.print(text, style="dim", highlight=False)

        record["rows"] = measure(picked, rounds, not args.quick, torch, note)
    except InputError as error:
        Console(stderr=True).print(f"[red]{error}[/red]", highlight=False)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    record["machine"] = machine.statement() | {"load_before": record.pop("load_before")}  # late: it imports numba
    record["left_out"] = [case.name for case in CASES if case not in picked]
    console.print(draw(record["rows"]))
    for line in notes(record):
        console.print(line, highlight=False, style="dim")
    if not args.quick or args.out:  # very short runs are kept only on request
        console.print(f"written: {records.write(record, args.out).name}", highlight=False)
    if args.json:
        print(json.dumps(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
