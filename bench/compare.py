"""Compare jitnet with other programs that train the same networks on this machine.

    python bench/compare.py                        about a minute with what is installed
    python bench/compare.py --only cnn,torch       some rows, some peers
    python bench/compare.py --python torch=PATH    a peer from another environment
    python bench/compare.py --beside 1             also next to a busy process
    python bench/compare.py --only cpp --add FILE  more peers for a record that is there
    JITNET_TILE=avx2 python bench/compare.py       every program held to AVX2, on a processor with AVX-512

With PyTorch it takes a quarter of an hour the first time, most of it in torch.compile, which --quick omits.
Every peer starts from the same weights, sees the same images in the same order, and runs in a separate process.
"""

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

from rich.console import Console

from bench import machine, race, records, report, rows
from bench.peers import JITNET, PEERS, Entry, limits
from bench.race import Options
from bench.rows import Row
from jitnet.errors import InputError
from jitnet.machine import threads


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    names = [row.name for row in rows.ROWS], [entry.name for entry in PEERS]
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    made.add_argument("--quick", action="store_true", help="three very short runs each: to see it work, not to quote")
    made.add_argument(
        "--only",
        metavar="NAMES",
        default="",
        help=f"rows and peers, with commas: {', '.join(names[0])} (cnn: all that begin so); {', '.join(names[1])}",
    )
    made.add_argument("--json", action="store_true", help="print the record instead of the table")
    made.add_argument("--out", type=Path, metavar="PATH", help="file or folder of the record (default: bench/results)")
    made.add_argument("--rounds", type=int, metavar="N", help="timed runs of each peer (default: 7)")
    made.add_argument(
        "--beside",
        dest="busy",
        type=int,
        metavar="N",
        default=0,
        help="measure every run once more next to N busy processes (default: 0, not)",
    )
    made.add_argument(
        "--add", type=Path, metavar="FILE", help="add the peers to this record, from a run of the same machine and code"
    )
    made.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PEER=PATH",
        help="the Python that has this peer installed; may be repeated",
    )
    return made


def chosen(only: str) -> tuple[list[Row], list[Entry]]:
    """Return the rows and peers that --only names; jitnet is always among the peers. Raises `InputError`."""
    names = {name for name in only.split(",") if name}
    picked = [row for row in rows.ROWS if {row.name, row.name.split("-")[0]} & names]
    peers = [entry for entry in PEERS if entry.name in names]
    known = {name for row in rows.ROWS for name in (row.name, row.name.split("-")[0])} | {peer.name for peer in PEERS}
    if names - known:
        raise InputError(
            f"--only names {', '.join(sorted(names - known))}: expected some of {', '.join(sorted(known))}"
        )
    if peers and peers[0].name != JITNET:
        peers.insert(0, PEERS[0])
    return picked or list(rows.ROWS), peers or list(PEERS)


def pythons(given: list[str]) -> dict[str, str]:
    """Return the interpreter of each peer that has its own. Raises `InputError`."""
    found = {}
    for item in given:
        name, separator, path = item.partition("=")
        if not separator or name not in {entry.name for entry in PEERS}:
            raise InputError(f"--python is {item!r}: expected PEER=PATH, as in torch=other/bin/python")
        found[name] = path
    return found


def options_of(args: argparse.Namespace) -> Options:
    """Return how long and how often to measure. Raises `InputError`."""
    if args.rounds is not None and args.rounds < 1:
        raise InputError(f"--rounds is {args.rounds}: expected 1 or more")
    if args.busy < 0:
        raise InputError(f"--beside is {args.busy}: expected 0 or more")
    limits.check()
    options = Options(threads=tuple(sorted({1, threads.usable_cores()})), busy=args.busy)
    if args.quick:
        options = dataclasses.replace(options, rounds=3, seconds=0.02, images=1024, compiled=False)
    return dataclasses.replace(options, rounds=args.rounds or options.rounds)


def compare(
    picked: list[Row], peers: list[Entry], options: Options, interpreters: dict[str, str], screen: report.Screen
) -> dict:
    """Measure all rows and return the record."""
    record = {
        "benchmark": "compare",
        "format": records.FORMAT,
        "date": records.started(),
        "machine": machine.statement(),
        "options": dataclasses.asdict(options),
        "dtype": "float32",
        "context": rows.CONTEXT,
        "rows": [],
    }
    record["machine_text"] = machine.sentence(record["machine"])
    with tempfile.TemporaryDirectory() as name, race.Pool(interpreters) as pool:
        folder = Path(name)
        screen.progress("reading the images", 0.0)
        data, images, targets = rows.data(min(options.images, max(row.images for row in picked)))
        record["data"] = {"name": data, "images": len(images), "zeros": float((images == 0).mean())}
        rows.write_inputs(folder, images, targets, {row.network for row in picked})
        screen.progress("starting the peers", 0.0)
        record["peers"] = pool.presence(peers)
        present = [entry for entry in peers if "absent" not in record["peers"][entry.name]]
        for place, row in enumerate(picked):
            results = race.run_row(
                row, [entry for entry in present if race.takes_part(entry, row)], pool, folder, options,
                lambda text, done, place=place, row=row: screen.progress(
                    f"{row.title}: {text}", (place + done) / len(picked)
                ),
            )  # fmt: skip
            screen.row(row, results)
            record["rows"].append(dataclasses.asdict(row) | {"results": [_plain(result) for result in results]})
    return record


def _plain(result: race.Result) -> dict:
    """Return a result for JSON."""
    plain = dataclasses.asdict(result)
    for name in ("seconds", "ratio", "busy_seconds"):
        timing = getattr(result, name)
        plain[name] = timing.record() if timing else None
    return plain


def added(earlier: dict, later: dict) -> dict:
    """Return an earlier record with the peers of a later one, each with its ratio to jitnet in its own run.

    Raises `InputError` for another machine, or a row that the earlier record lacks.
    """
    for name in ("cpu_kind", "tile", "cores", "python", "numpy", "numba"):
        there, here = earlier["machine"].get(name), later["machine"].get(name)
        if there != here:
            raise InputError(f"the record to add to has the {name} {there}, this run {here}: expected the same")
    own = {row["name"]: row for row in earlier["rows"]}
    if missing := {row["name"] for row in later["rows"]} - set(own):
        raise InputError(f"the record to add to has no rows {', '.join(sorted(missing))}: choose others with --only")
    peers = {name: peer for name, peer in later["peers"].items() if name not in earlier["peers"]}
    for row in later["rows"]:
        own[row["name"]]["results"] += [result for result in row["results"] if result["peer"] in peers]
    labels = [peer["label"] for peer in peers.values() if "versions" in peer]
    return earlier | {"peers": earlier["peers"] | peers, "added": [*earlier.get("added", []), *labels]}


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return the exit code."""
    args = parser().parse_args(arguments)
    console = report.console(args.json)  # with --json standard output holds the record and nothing else
    try:
        picked, peers = chosen(args.only)
        options, interpreters = options_of(args), pythons(args.python)
        earlier = records.read(args.add, "compare") if args.add else None
        with report.Screen(console) as screen:
            record = compare(picked, peers, options, interpreters, screen)
    except InputError as error:
        Console(stderr=True).print(f"[red]{error}[/red]", highlight=False)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    console.print(report.table(screen.measured))
    for line in report.notes(record):
        console.print(line, highlight=False, style="dim")
    if earlier:
        args.add.write_text(json.dumps(added(earlier, record), indent=1) + "\n", encoding="utf-8")
        console.print(f"added to: {args.add.name}", highlight=False)
    elif not args.quick or args.out:  # very short runs are kept only on request
        place = records.write(record, args.out)
        console.print(f"written: {place.name}", highlight=False)
    if args.json:
        print(json.dumps(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
