"""The long form of every row of docs/reliability.md, and the README's box that is made from what it counts.

python -m tests.campaign            every campaign, about an hour on two cores; writes docs/reliability.json
python -m tests.campaign races      one of them
python -m tests.campaign box        writes the box into README.md, from the figures that are there
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIGURES = ROOT / "docs" / "reliability.json"
BEGIN, END = "<!-- reliability: made by `python -m tests.campaign box` -->", "<!-- end of reliability -->"

CAMPAIGNS = {  # what pytest is given
    "races": ["tests/test_races.py", "tests/test_bounds.py", "tests/test_threads.py"],
    "kills": ["tests/test_resume.py"],
    "corruption": ["tests/test_checkpoint.py", "tests/test_atomic.py"],
    "fuzz": ["tests/test_fuzz.py"],
    "downloads": ["tests/test_data_download.py"],
    "crowd": ["tests/test_crowd.py"],
    "hosts": ["tests/test_hosts.py", "tests/test_compilation.py"],
    "names": ["tests/test_runfolder.py"],
    "terminals": ["tests/test_terminals.py", "tests/test_signals.py"],
    "planted": ["tests/test_planted.py"],
}


ROWS = (  # what is true, with the figures in it; the command that counts them
    ("{kills[SIGKILL][moments]:,} kill -9 at random moments: 0 checkpoints lost (95 % bound: {bound:.1f} %), as many "
     "resumes to the same bits", "campaign kills"),
    ("a chain of {chain[kills]} kills, each time with other threads and the other layer: one hash", "campaign kills"),
    ("{power_loss[states]} simulated states of the disk when the power goes in a save: 0 lost; each fsync is missed "
     "when it is left out", "campaign corruption"),
    ("{corruption[flips]:,} of 32,768 flipped bits, {corruption[truncations]:,} of 4,096 truncations of a checkpoint "
     "refused", "campaign corruption"),
    ("{inputs:,} damaged headers and files: 0 crashes, memory's peak at most {peak:.0f} MiB higher", "campaign fuzz"),
    ("{races[kernels]} parallel kernels under {races[schedules]} schedules each: 0 differences; {races[caught]} of 5 "
     "planted races caught", "campaign races"),
    ("{crowd[names][processes]} processes x {crowd[names][rounds]} rounds on one run name and on one cache of data: 0 "
     "collisions, 0 bad reads", "campaign crowd"),
    ("{crowd[kernels][processes]} processes x {crowd[kernels][rounds]} rounds on one cold cache of kernels: 0 damaged",
     "campaign crowd"),
    ("{downloads[kills]} kills in mid-download: {downloads[recovered]} recovered by the next start",
     "campaign downloads"),
    ("{names[names]:,} hostile run names: {names[escapes]} escapes", "campaign names"),
    ("{terminals[resizes]} resizes in one training, 1x1 among them: the same bits", "campaign terminals"),
    ("{planted[caught]} of {planted[faults]} planted faults caught by the test that is named", "campaign planted"),
    ("{killed} of {mutants} mutants of {mutated} killed", "mutation"),
    ("{coverage[percent]} % of lines and branches, those of the kernels included", "reach"),
)  # fmt: skip


def totals(figures: dict) -> dict:
    """Return the figures and some sums of them."""
    sums = dict(figures)
    if fuzz := figures.get("fuzz", {}).values():
        sums["inputs"] = sum(kind["inputs"] for kind in fuzz)
        sums["peak"] = max(kind["peak_rise_KiB"] for kind in fuzz) / 1024
    if mutation := figures.get("mutation", {}).values():
        sums["mutated"] = ", ".join(figures["mutation"])
        sums["mutants"], sums["killed"] = (sum(file[name] for file in mutation) for name in ("mutants", "killed"))
    if "kills" in figures:  # the rule of three: none in n trials is fewer than 3/n with 95 %
        sums["bound"] = 300 / figures["kills"]["SIGKILL"]["moments"]
    return sums


def lines(figures: dict) -> Iterator[str]:
    """Yield the box's rows whose figures are there."""
    known = totals(figures)
    for said, command in ROWS:
        with contextlib.suppress(KeyError):
            yield f"| {said.format(**known)} | `python -m tests.{command}` |"


def box(figures: dict) -> str:
    """Return the README's box."""
    return "\n".join([BEGIN, "| counted | command |", "|---|---|", *lines(figures), END])


def with_box(text: str, figures: dict) -> str:
    """Return the README with its box made anew."""
    before, rest = text.split(BEGIN)
    return before + box(figures) + rest.split(END)[1]


def write_box() -> None:
    """Make the README's box from docs/reliability.json."""
    readme = ROOT / "README.md"
    readme.write_text(with_box(readme.read_text(), json.loads(FIGURES.read_text())))


def main(wanted: list[str]) -> int:
    """Run campaigns; return 1 if one of them failed."""
    failed = []
    for name in [name for name in wanted or CAMPAIGNS if name != "box"]:
        words = [sys.executable, "-m", "pytest", "-q", "-m", "slow or not slow", *CAMPAIGNS[name]]
        if subprocess.run(words, cwd=ROOT, env=os.environ | {"JITNET_FIGURES": str(FIGURES)}).returncode:
            failed.append(name)
    if not wanted:
        from tests import mutation, reach

        mutation.main([])
        reach.main()
    write_box()
    print(f"failed: {', '.join(failed)}" if failed else "all passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
