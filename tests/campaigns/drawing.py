"""How many drawn digits a run reads, through `jitnet predict` as a user calls it; writes a section of docs/claims.md.

python -m tests.campaigns.drawing RUN            1,200 drawings, the fonts of this system, and pictures without a digit
python -m tests.campaigns.drawing RUN --keep DIR the pictures are kept there, to look at
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parents[1] / "support"), str(ROOT)]
import drawn_digits

from bench import generated

PAGE, SECTION = "docs/claims.md", "drawn digits"
EACH = 10  # pictures of each digit in each way
NO_TEXT = ("emoji", "symbol", "math", "icon", "awesome", "dingbat")  # fonts whose digits are none


def answers(run: str, folder: Path) -> Iterator[tuple[str, str, dict]]:
    """Yield of each picture below a folder the folder it is in, its name, and what `jitnet predict --json` says."""
    command = [sys.executable, "-m", "jitnet", "predict", run, str(folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1) or not done.stdout:  # 1: some have no answer
        raise SystemExit(done.stderr)
    for answer in json.loads(done.stdout)["answers"]:
        path = Path(answer["name"])
        yield path.parent.name, path.stem, answer


def fonts() -> list[str]:
    """Return the files of the system's scalable fonts of text; none where `fc-list` is missing."""
    try:
        listed = subprocess.run(["fc-list", "--format", "%{file}\n"], capture_output=True, text=True).stdout.split("\n")
    except FileNotFoundError:
        return []
    good = {name for name in listed if name.lower().endswith((".ttf", ".otf"))}
    return sorted(name for name in good if not any(word in name.lower() for word in NO_TEXT))


def counted(run: str, folder: Path) -> dict[str, tuple[int, int]]:
    """Return for each folder how many of its pictures are read as the digit their names begin with, of how many."""
    right, total = Counter[str](), Counter[str]()
    for kind, name, answer in answers(run, folder):
        total[kind] += 1
        right[kind] += str(answer["class"]) == name[0]
        if str(answer["class"]) != name[0]:
            print(f"{kind}/{name}: {answer['class']} {answer.get('error') or answer.get('notes')}")
    return {kind: (right[kind], count) for kind, count in total.items()}


def refusals(run: str, folder: Path) -> dict[str, tuple[int, int]]:
    """Return for each kind of picture without a digit how many have no answer, of how many."""
    refused, total = Counter[str](), Counter[str]()
    for _, name, answer in answers(run, folder):
        kind = name.rsplit("-", 1)[0]
        total[kind] += 1
        refused[kind] += answer["class"] is None
    return {kind: (refused[kind], count) for kind, count in total.items()}


def summed(table: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """Return the sums over the rows."""
    return sum(good for good, _ in table.values()), sum(count for _, count in table.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--keep", type=Path, metavar="DIR")
    parser.add_argument("--each", type=int, default=EACH)
    parser.add_argument("--no-page", action="store_true", help="do not write docs/claims.md")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        drawn_digits.draw_all(folder / "drawn", args.each)
        drawn_digits.render_fonts(folder / "fonts", files := fonts())
        kinds = folder / "none"
        kinds.mkdir(parents=True)
        for number, (kind, picture) in enumerate(drawn_digits.no_digits(np.random.default_rng(0))):
            picture.save(kinds / f"{kind}-{number:02}.png")
        drawn = counted(args.run, folder / "drawn")
        printed = counted(args.run, folder / "fonts") if files else {}
        none = refusals(args.run, kinds)
    right, total = summed(drawn)
    lines = ["| drawn | read | of |", "| --- | --: | --: |"]
    lines += [f"| {way} | {drawn[way][0]} | {drawn[way][1]} |" for way in drawn_digits.WAYS]
    lines.append(f"| **together** | **{right} ({100 * right / total:.1f} %)** | {total} |")
    if printed:
        good, count = summed(printed)
        lines.append(f"| printed in {len(printed)} fonts | {good} ({100 * good / count:.1f} %) | {count} |")
    lines += ["", "| no digit | no answer | of |", "| --- | --: | --: |"]
    lines += [f"| {kind} | {refused} | {count} |" for kind, (refused, count) in none.items()]
    print("\n".join(lines))
    if not args.no_page:
        generated.write({PAGE: {SECTION: "\n".join(lines)}})


if __name__ == "__main__":
    main()
