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


def answers(run: str, folder: Path) -> Iterator[tuple[str, dict]]:
    """Yield the name of each picture in a folder, and what `jitnet predict --json` says of it."""
    command = [sys.executable, "-m", "jitnet", "predict", run, str(folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):  # 1: some have no answer
        raise SystemExit(done.stderr)
    for answer in json.loads(done.stdout)["answers"]:
        yield Path(answer["name"]).stem, answer


def fonts() -> list[str]:
    """Return the files of the system's scalable fonts of text; none where `fc-list` is missing."""
    try:
        listed = subprocess.run(["fc-list", "--format", "%{file}\n"], capture_output=True, text=True).stdout.split("\n")
    except FileNotFoundError:
        return []
    good = {name for name in listed if name.lower().endswith((".ttf", ".otf"))}
    return sorted(name for name in good if not any(word in name.lower() for word in NO_TEXT))


def counted(run: str, folder: Path, wrong: list[str]) -> tuple[int, int]:
    """Return how many pictures of a folder are read as the digit their name begins with, and how many there are."""
    right = total = 0
    for name, answer in answers(run, folder):
        total += 1
        right += str(answer["class"]) == name[0]
        if str(answer["class"]) != name[0]:
            wrong.append(f"{folder.name}/{name}: {answer['class']} {answer.get('error') or answer.get('notes')}")
    return right, total


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
        wrong: list[str] = []
        table = {way: counted(args.run, folder / "drawn" / way, wrong) for way in drawn_digits.WAYS}
        print("\n".join(wrong))
        wrong.clear()
        printed = [counted(args.run, folder / "fonts" / Path(name).stem, wrong) for name in files]
        print("\n".join(wrong))
        refused, shown = Counter[str](), Counter[str]()
        for name, answer in answers(args.run, kinds):
            kind = name.rsplit("-", 1)[0]
            shown[kind] += 1
            refused[kind] += answer["class"] is None
            if answer["class"] is not None:
                print(f"none/{name}: {answer['class']} {answer['notes']}")
    right, total = (sum(column) for column in zip(*table.values()))
    lines = ["| drawn | read | of |", "| --- | --: | --: |"]
    lines += [f"| {way} | {good} | {count} |" for way, (good, count) in table.items()]
    lines.append(f"| **together** | **{right} ({100 * right / total:.1f} %)** | {total} |")
    if printed:
        good, count = (sum(column) for column in zip(*printed))
        lines.append(f"| printed in {len(printed)} fonts | {good} ({100 * good / count:.1f} %) | {count} |")
    lines += ["", "| no digit | no answer | of |", "| --- | --: | --: |"]
    lines += [f"| {kind} | {refused[kind]} | {count} |" for kind, count in shown.items()]
    print("\n".join(lines))
    if not args.no_page:
        generated.write({PAGE: {SECTION: "\n".join(lines)}})


if __name__ == "__main__":
    main()
