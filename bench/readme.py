"""Write the figures of the kept results into docs/speed.md, and a short form of them into README.md.

    python bench/readme.py            from the newest compare-*.json of each kind of processor, the newest
                                      kernels-*.json of each tile and the newest start-*.json, in bench/results
    python bench/readme.py RECORD     with the comparison of this record alone

A test compares both documents with the newest kept records, so run this after keeping a new one.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

from bench import claims_page, generated, kernel_shares, machine, processors, records, report, rows, work_cut
from jitnet.errors import InputError

SPEED, README = "docs/speed.md", "README.md"
RELIABILITY = generated.ROOT / "docs" / "reliability.json"
SHORT_ROWS = ("cnn-1", "cnn-64", "mlp-1", "cnn-infer")  # of the README
VECTORS = {"avx512": "AVX-512", "avx2": "AVX2", "neon": "NEON", "generic": "16-byte vectors"}  # by tile


def newest(benchmark: str) -> Path:
    """Return the record of a benchmark that was kept last. Raises `InputError` if there is none."""
    return _kept(benchmark)[-1]


def newest_of_each_processor(benchmark: str) -> dict[str, dict]:
    """Return the last record of each kind of processor by its file's name. Raises `InputError` as `newest`.

    They are in the order of the tiles; of one tile, that with the most results is first, and of these the newest:
    README shows no other.
    """
    read = {path.name: records.read(path, benchmark) for path in reversed(_kept(benchmark))}
    last: dict[tuple[str, str], str] = {}
    for name, record in read.items():
        last.setdefault(processor(record), name)
    tiles = list(VECTORS)
    order = sorted(last, key=lambda kind: (tiles.index(kind[0]), -_results(read[last[kind]])))
    return {last[kind]: read[last[kind]] for kind in order}


def processor(record: dict) -> tuple[str, str]:
    """Return tile and LLVM's name of the processor of a record."""
    return record["machine"]["tile"], record["machine"]["cpu_kind"]


def title(record: dict) -> str:
    """Return the vectors and the processor of a record: "AVX2, znver3"."""
    tile, kind = processor(record)
    return f"{VECTORS[tile]}, {kind}"


def newest_of_each_tile(benchmark: str) -> dict[str, dict]:
    """Return the last record of each tile by its file's name, in the order of the tiles. Raises `InputError`."""
    read = {path.name: records.read(path, benchmark) for path in _kept(benchmark)}
    last = {record["machine"]["tile"]: name for name, record in read.items()}
    return {last[tile]: read[last[tile]] for tile in VECTORS if tile in last}


def _results(record: dict) -> int:
    return sum(len(row["results"]) for row in record["rows"])


def _kept(benchmark: str) -> list[Path]:
    kept = sorted(records.FOLDER.glob(f"{benchmark}-*.json"), key=lambda path: json.loads(path.read_text())["date"])
    if not kept:
        raise InputError(f"there is no {benchmark}-*.json in {records.FOLDER}: run python bench/{benchmark}.py first")
    return kept


def peers_of(record: dict) -> dict[str, str]:
    """Return the labels of the measured peers by name, without jitnet."""
    return {name: peer["label"] for name, peer in record["peers"].items() if "versions" in peer and name != "jitnet"}


def losses(record: dict) -> str:
    """Return the rows in which a peer is faster than jitnet, as text."""
    peers = peers_of(record)
    found = [
        f"{peers[result['peer']]} in “{row['title']}”"
        for row in record["rows"]
        for result in row["results"]
        if result["ratio"] and result["ratio"]["median"] < 1
    ]
    return "; ".join(found) or "none"


def comparison(record: dict, name: str) -> str:
    """Return the table of a comparison and the conditions it was measured under, as Markdown."""
    peers = peers_of(record)
    lines = [
        "| work | " + " | ".join(("jitnet", *peers.values())) + " |",
        "|---|" + "---|" * (len(peers) + 1),
    ]
    for row in record["rows"]:
        results = {result["peer"]: result for result in row["results"]}
        lines.append("| " + " | ".join((row["title"], *(_cell(results.get(key)) for key in ("jitnet", *peers)))) + " |")
    absent = [peer["label"] for peer in record["peers"].values() if "absent" in peer]
    stated = ("python", "numpy", "numba")  # in the description of the machine
    held = record["machine"].get("forced", False)
    versions = {
        f"{name} {version}"
        for peer in record["peers"].values()
        for name, version in peer.get("versions", {}).items()
        if isinstance(version, str) and name not in stated
    }
    rounds, threads = record["options"]["rounds"], record["options"]["threads"]
    lines += [
        "",
        f"Bold: how many times faster jitnet is, the median of {rounds} runs taken in turn, with the lowest and "
        "highest. Below it: the peer's time per image and its fastest variant. "
        f"Rows in which a peer is faster: {losses(record)}.{_left_out(record)}"
        + (f" Not measured: {', '.join(absent)}." if absent else "")
        + f" Every program is held to {VECTORS[processor(record)[0]]} on a processor that has more." * held
        + (f" In a separate run, in turn with jitnet: {', '.join(record['added'])}." if record.get("added") else ""),
        "",
        f"{machine.sentence(record['machine'])}. Each program may use {' or '.join(map(str, threads))} threads and "
        f"gets the number that is faster for it. {record['dtype']}, data {record['data']['name']}. "
        f"{', '.join(sorted(versions))}. {record['date'][:10]}, `bench/results/{name}`.",
        "",
        record["context"]["text"],
    ]
    return "\n".join(lines)


def _cell(result: dict | None) -> str:
    """Return the cell of one peer in one row."""
    if result is None:
        return ""
    if result["seconds"] is None:
        return result["problem"]
    how = [report.duration(result["seconds"]["median"]), f"{result['threads']} thread{'s' * (result['threads'] > 1)}"]
    if result["peer"] == "jitnet":
        return ", ".join(how)
    text = "<br>" + ", ".join((*how, *([result["how"]] if result["how"] else [])))
    ratio = result["ratio"]
    if ratio is None:
        why = "slower than in its own trials" if result["agrees"] else "its losses differ"
        return f"no ratio: {why}{text}"
    median, low, high = (report.digits(ratio[name]) for name in ("median", "low", "high"))
    return f"**{median}** ({low} to {high}){text}"


def short_comparison(record: dict) -> str:
    """Return a table of a few rows of a comparison: its processor, jitnet's time, and how many times faster it is."""
    peers, (tile, kind) = peers_of(record), processor(record)
    work = f"work, with {VECTORS[tile]} ({kind})"
    lines = [f"| {work} | jitnet, per image | times faster than " + " | ".join(peers.values()) + " |"]
    lines.append("|---|" + "--:|" * (len(peers) + 1))
    for row in record["rows"]:
        if row["name"] in SHORT_ROWS:
            results = {result["peer"]: result for result in row["results"]}
            cells = [_ratio(results.get(peer)) for peer in peers]
            time = results["jitnet"]["seconds"]["median"]
            lines.append("| " + " | ".join((row["title"], report.duration(time), *cells)) + " |")
    lines += ["", f"Rows of the full table in which a peer is faster: {losses(record)}.{_left_out(record)}"]
    return "\n".join(lines)


def _left_out(record: dict) -> str:
    """Return a sentence about the rows that were not measured, "" if all were."""
    measured = {row["name"] for row in record["rows"]}
    missing = [row.title for row in rows.ROWS if row.name not in measured]
    return f" Not measured: {'; '.join(missing)}." if missing else ""


def _ratio(result: dict | None) -> str:
    ratio = result and result["ratio"]
    return report.digits(ratio["median"]) if ratio else ""


def starts(record: dict, name: str) -> str:
    """Return the table of what a start costs, as Markdown."""
    lines = ["| command | takes | CPU time of all threads | peak memory |", "|---|--:|--:|--:|"]
    for row in record["rows"]:
        title = row["title"].replace("first compilation ever", "compilation in an empty cache")
        cells = [report.duration(row["seconds"]["median"]), report.duration(row["processor_s"])]
        lines.append(f"| {title} | {' | '.join(cells)} | {row['memory'] / 1e6:,.0f} MB |")
    lines += [
        "",
        f"Median of {record['rounds']} runs; a compilation is measured once. {machine.sentence(record['machine'])}. "
        f"{record['date'][:10]}, `bench/results/{name}`.",
    ]
    return "\n".join(lines)


def on_each_kind(counted: dict, name: str) -> list[dict]:
    """Return the rows of a campaign that docs/reliability.json has of each kind of machine, the newest first."""
    return [row for known, row in counted.items() if known == name or known.startswith(f"{name} on ")]


def said_of_each(rows: list[dict], said: Callable[[dict], str]) -> str:
    """Join what is said of each row with its processor: "1,000 on znver5 (AVX-512), 1,000 on znver3 (AVX2)"."""
    return ", ".join(f"{said(row)} on {processors.described(row['machine'])}" for row in rows)


def highlights(compared: dict, started: dict, runs: claims_page.Runs, times: claims_page.Runs, counted: dict) -> str:
    """Return the README's table of what makes jitnet different, each figure from a kept result."""
    cnn = next(row for row in compared["rows"] if row["name"] == "cnn-1")
    step = {result["peer"]: result for result in cnn["results"]}
    torch, loops = (report.digits(step[peer]["ratio"]["median"]) for peer in ("torch", "loops"))
    accuracy = claims_page.spread([run["test"] for run in runs["cnn"].values()])
    begun = {row["name"]: row for row in started["rows"]}
    first, batches = begun["first"], begun["first-batch"]
    time = times["cnn"][0]
    minutes = f"{'at most ' * machine.is_busy(time['machine'])}{time['minutes']:.2f} minutes"
    kills, threads = (on_each_kind(counted, name) for name in ("kills", "threads"))
    rows = (
        ("Accuracy of the CNN after 9 epochs",
         f"{accuracy} % on the test images, {len(runs['cnn'])} seeds; {minutes} a run on "
         f"{time['machine']['cores']} cores", "[claims](docs/claims.md)"),
        ("Training step of that CNN, one image a step",
         f"{report.duration(step['jitnet']['seconds']['median'])}: {torch} times faster than PyTorch, {loops} times "
         "faster than plain Python loops", "[speed](docs/speed.md)"),
        ("First compilation, once per machine",
         f"{report.duration(first['seconds']['median'])} for one image a step, "
         f"{report.duration(batches['seconds']['median'])} for mini-batches", "[speed](docs/speed.md)"),
        ("More than two threads",
         f"a model of the work's cut, not a measurement: {work_cut.of_cnn(512, 16):.0f} times one thread on "
         "16, batches of 512", "[speed](docs/speed.md)"),
        ("Same bits for any number of threads",
         "combinations of threads and threading layers: "
         + said_of_each(threads, lambda row: f"{row['configurations']} with {row['networks']} networks")
         + f"; {max(row['hashes'] for row in threads)} hash of each network",
         "[reliability](docs/reliability.md)"),
        ("Exact resume",
         f"kills at random moments: {said_of_each(kills, lambda row: format(row['SIGKILL']['moments'], ','))}; "
         f"{sum(row['SIGKILL']['exact'] for row in kills):,} resumed to the same bits",
         "[reliability](docs/reliability.md)"),
        ("Correct gradients", "every kernel and whole networks agree with central differences to 1e-6",
         "`tests/model/test_network_gradients.py`"),
    )  # fmt: skip
    return "\n".join(["| | figure | from |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)])


def sections(compared: dict[str, dict] | None = None) -> dict[str, dict[str, str]]:
    """Return the generated sections by document, by default of the newest comparisons. Raises `InputError`."""
    compared, started = compared or newest_of_each_processor("compare"), newest("start")
    shown = {one["machine"]["tile"]: one for one in reversed(compared.values())}
    start_record, measured = records.read(started, "start"), newest_of_each_tile("kernels")
    kept, counted = claims_page.read(), json.loads(RELIABILITY.read_text(encoding="utf-8"))
    return {
        SPEED: {
            "comparison": "\n\n".join(f"### {title(one)}\n\n{comparison(one, name)}" for name, one in compared.items()),
            "kernels": kernel_shares.table(measured, [title(one) for one in measured.values()]),
            "starts": starts(start_record, started.name),
        },
        README: {
            "figures": highlights(next(iter(compared.values())), start_record, kept["run"], kept["time"], counted),
            "speed": "\n\n".join(short_comparison(shown[tile]) for tile in VECTORS if tile in shown),
        },
    }


def main(arguments: list[str] | None = None) -> int:
    """Write the sections; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("record", type=Path, nargs="?", metavar="RECORD", help="default: the newest in bench/results")
    args = parser.parse_args(arguments)
    try:
        if args.record:
            compared = {args.record.name: records.read(args.record, "compare")}
        else:
            compared = newest_of_each_processor("compare")
        generated.write(sections(compared))
    except InputError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{SPEED} and {README} show {', '.join(compared)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
