"""Write the table of the newest kept comparison into the README, between two comments.

    python bench/readme.py            from the newest compare-*.json in bench/results
    python bench/readme.py RECORD     from this one

A test holds the README against the newest kept record, so whoever keeps a new one runs this too.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

from bench import machine, records, report
from jitnet.errors import InputError

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- comparison: written by bench/readme.py -->", "<!-- end of comparison -->"


def newest() -> Path:
    """Return the comparison kept last. Raises `InputError` if there is none."""
    kept = sorted(records.FOLDER.glob("compare-*.json"), key=lambda path: json.loads(path.read_text())["date"])
    if not kept:
        raise InputError(f"there is no compare-*.json in {records.FOLDER}: run python bench/compare.py first")
    return kept[-1]


def read(path: Path) -> dict:
    """Return a record of a comparison. Raises `InputError`."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"{path} cannot be read as JSON: expected a record that bench/compare.py wrote") from None
    if not isinstance(record, dict) or (record.get("benchmark"), record.get("format")) != ("compare", records.FORMAT):
        raise InputError(f"{path} is no comparison of format {records.FORMAT}: expected what bench/compare.py wrote")
    return record


def section(record: dict, name: str) -> str:
    """Return the table of a record and what must be known to judge it, as Markdown."""
    peers = {key: peer["label"] for key, peer in record["peers"].items() if "versions" in peer and key != "jitnet"}
    lines = [
        "| work | " + " | ".join(("jitnet", *peers.values())) + " |",
        "|---|" + "---|" * (len(peers) + 1),
    ]
    lost = []
    for row in record["rows"]:
        results = {result["peer"]: result for result in row["results"]}
        lines.append("| " + " | ".join((row["title"], *(_cell(results.get(key)) for key in ("jitnet", *peers)))) + " |")
        lost += [
            f"{peers[key]} in “{row['title']}”"
            for key, result in results.items()
            if result["ratio"] and result["ratio"]["median"] < 1
        ]
    absent = [peer["label"] for peer in record["peers"].values() if "absent" in peer]
    told = ("python", "numpy", "numba")  # by the machine's sentence
    versions = {
        f"{name} {version}"
        for peer in record["peers"].values()
        for name, version in peer.get("versions", {}).items()
        if isinstance(version, str) and name not in told
    }
    rounds, threads = record["options"]["rounds"], record["options"]["threads"]
    lines += [
        "",
        f"In bold how many times faster jitnet is: the median of {rounds} runs in turn, with the lowest and highest. "
        "Below it the time per image and how the peer was fastest. Rows that jitnet loses: "
        f"{'; '.join(lost) if lost else 'none'}." + (f" Not measured: {', '.join(absent)}." if absent else ""),
        "",
        f"{machine.sentence(record['machine'])}. Each may use {' or '.join(map(str, threads))} threads and gets what "
        f"is faster for it. {record['dtype']}, data {record['data']['name']}. {', '.join(sorted(versions))}. "
        f"{record['date'][:10]}, `bench/results/{name}`.",
        "",
        record["context"]["text"],
    ]
    return "\n".join(lines)


def _cell(result: dict | None) -> str:
    """Return what one peer did in one row."""
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


def replaced(text: str, new: str) -> str:
    """Return the README with a new section. Raises `InputError` if the two comments are not there once each."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise InputError(f"README.md has no place for the table: expected {BEGIN} and below it {END}, once each")
    return text[: text.index(BEGIN)] + f"{BEGIN}\n{new}\n" + text[text.index(END) :]


def main(arguments: list[str] | None = None) -> int:
    """Write the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("record", type=Path, nargs="?", metavar="RECORD", help="default: the newest in bench/results")
    args = parser.parse_args(arguments)
    try:
        path = args.record or newest()
        text = replaced(README.read_text(encoding="utf-8"), section(read(path), path.name))
    except InputError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    README.write_text(text, encoding="utf-8")
    print(f"README.md: the table of {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
