"""The long form of every row of docs/reliability.md, and the tables there that are generated from its counts.

python -m tests.campaigns.campaign            every campaign, about two hours on two cores; writes docs/reliability.json
python -m tests.campaigns.campaign races      one of them
python -m tests.campaigns.campaign box        only generate the tables of docs/reliability.md from docs/reliability.json
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support"), str(ROOT)]
import figures
import mutation
from figures import FIGURES

from bench import generated

PAGE = "docs/reliability.md"
VECTORS = {"znver5": "AVX-512", "znver4": "AVX-512", "znver3": "AVX2", "znver2": "AVX2"}  # by LLVM's names

CAMPAIGNS = {  # arguments of pytest
    "races": ["tests/faults/test_races.py", "tests/faults/test_bounds.py", "tests/training/test_threads.py"],
    "kills": ["tests/run/test_resume.py"],
    "corruption": ["tests/run/test_checkpoint.py", "tests/run/test_atomic.py"],
    "fuzz": ["tests/faults/test_fuzz.py"],
    "downloads": ["tests/data/test_data_download.py"],
    "crowd": ["tests/faults/test_crowd.py"],
    "hosts": ["tests/faults/test_hosts.py", "tests/training/test_compilation.py"],
    "names": ["tests/run/test_runfolder.py"],
    "terminals": ["tests/display/test_terminals.py", "tests/run/test_signals.py"],
    "planted": ["tests/faults/test_planted.py"],
}


ROWS = (  # the text with the counts in it; the row of docs/reliability.json; the command that counts it
    ("{kills[SIGKILL][moments]:,} kill -9 at random moments: 0 checkpoints lost (95 % bound: {bound:.1f} %), as many "
     "resumes to the same bits", "kills", "campaign kills"),
    ("a chain of {chain[kills]} kills, each time with other threads and the other layer: {chain[hashes]} hash",
     "chain", "campaign kills"),
    ("{threads[configurations]} times 1 to 8 threads, omp and workqueue, {threads[networks]} networks and recipes: "
     "{threads[hashes]} hash of each", "threads", "campaign races"),
    ("{states} simulated states of the disk after a power loss during a save: 0 lost; removing any fsync "
     "loses one", "power_loss", "campaign corruption"),
    ("{corruption[flips]:,} of 32,768 flipped bits, {corruption[truncations]:,} of 4,096 truncations of a checkpoint "
     "refused", "corruption", "campaign corruption"),
    ("{inputs:,} damaged headers and files: 0 crashes, memory's peak at most {peak:.0f} MiB higher",
     "fuzz", "campaign fuzz"),
    ("{races[kernels]} parallel kernels under {races[schedules]} schedules each: 0 differences; {races[caught]} of "
     "{races[planted]} planted races caught", "races", "campaign races"),
    ("{crowd[names][processes]} processes x {crowd[names][rounds]} rounds on one run name and on one cache of data: "
     "{crowd[names][collisions]} collisions, {crowd[data][bad reads]} bad reads", "crowd", "campaign crowd"),
    ("{crowd[kernels][processes]} processes x {crowd[kernels][rounds]} rounds on one cold cache of kernels: "
     "{crowd[kernels][damaged]} damaged", "crowd", "campaign crowd"),
    ("{downloads[kills]} kills during a download: {downloads[recovered]} recovered by the next start",
     "downloads", "campaign downloads"),
    ("{names[names]:,} hostile run names: {names[escapes]} escapes", "names", "campaign names"),
    ("{terminals[resizes]} resizes in one training, 1x1 among them: the same bits", "terminals", "campaign terminals"),
    ("{planted[caught]} of {planted[faults]} planted faults caught by their named test",
     "planted", "campaign planted"),
    ("{mutation[killed]:,} of {mutation[tried]:,} mutants killed, a sample of the {mutation[mutants]:,} that "
     "{mutation[files]} files have", "mutation", "mutation"),
    ("{coverage[lines]:.1f} % of lines, {coverage[branches]:.1f} % of branches, those of the kernels as plain Python "
     "included", "coverage", "reach"),
)  # fmt: skip


def totals(found: dict) -> dict:
    """Return the figures and some sums of them."""
    sums = dict(found)
    if fuzz := figures.counted(found.get("fuzz", {})).values():
        sums["inputs"] = sum(kind["inputs"] for kind in fuzz)
        sums["peak"] = max(kind["peak_rise_KiB"] for kind in fuzz) / 1024
    if targets := [row for name, row in found.items() if name.startswith("mutation ")]:
        names = ("mutants", "killed", "tried")
        sums["mutation"] = {name: sum(row[name] for row in targets) for name in names} | {
            "files": len(targets), "date": min(row["date"] for row in targets),
            "machine": min(targets, key=lambda row: row["date"])["machine"],
        }  # fmt: skip
    if "power_loss" in found:
        sums["states"] = sum(figures.counted(found["power_loss"]).values())
    if "kills" in found:  # the rule of three: none in n trials is fewer than 3/n with 95 %
        sums["bound"] = 300 / found["kills"]["SIGKILL"]["moments"]
    return sums


def lines(found: dict) -> Iterator[str]:
    """Yield the rows of the table whose figures are there."""
    known = totals(found)
    for said, row, command in ROWS:
        with contextlib.suppress(KeyError):
            on = f"{known[row]['date']}, {processor(known[row]['machine'])}"
            yield f"| {said.format(**known)} | {on} | `python -m tests.campaigns.{command}` |"


def processor(machine: str) -> str:
    """Return LLVM's name of the processor in the statement of a machine, with its vectors if they are known.

    >>> processor("2 cores (znver3), Linux x86_64")
    'znver3 (AVX2)'
    """
    name = machine.partition("(")[2].partition(")")[0]
    return f"{name} ({VECTORS[name]})" if name in VECTORS else name


def machines(found: dict) -> str:
    """Return a line about the machines."""
    named = sorted({row["machine"] for row in found.values()})
    return f"\nOn {'; and on '.join(named)}.\n" if named else ""


def box(found: dict) -> str:
    """Return the table of what was counted."""
    head = ["| counted | on | command |", "|---|---|---|"]
    return "\n".join([*head, *lines(found), machines(found)])


def survivors(found: dict) -> str:
    """Return the list of mutants that no test noticed, by file, with the reason why each may survive."""
    listed = []
    for row in sorted(name for name in found if name.startswith("mutation ")):
        file, counted = row.removeprefix("mutation "), found[row]
        listed.append(f"- **{file}**: {counted['killed']} of {counted['tried']} killed, of {counted['mutants']}.")
        for reason, alive in reasons(file, counted["survivors"]).items():
            listed.append(f"  - {reason}: {'; '.join(f'`{mutant}`' for mutant in alive)}")
    return "\n".join(listed)


def reasons(file: str, alive: list[str]) -> dict[str, list[str]]:
    """Group mutants by the reason why they may survive; "no reason yet" for those that tests should find."""
    sorted_out: dict[str, list[str]] = {}
    for mutant in alive:
        change = mutant.partition(": ")[2]
        reason = mutation.REASONS.get(file, {}).get(change, "no reason yet")
        sorted_out.setdefault(reason, []).append(mutant)
    return sorted_out


def sections(found: dict) -> dict[str, dict[str, str]]:
    """Return the generated sections of docs/reliability.md with these figures."""
    return {PAGE: {"counts": box(found), "survivors": survivors(found)}}


def main(wanted: list[str]) -> int:
    """Run campaigns; return 1 if one of them failed."""
    failed = []
    for name in [name for name in wanted or CAMPAIGNS if name != "box"]:
        words = [sys.executable, "-m", "pytest", "-q", "-m", "slow or not slow", *CAMPAIGNS[name]]
        with figures.kept():
            if subprocess.run(words, cwd=ROOT).returncode:
                failed.append(name)
    if not wanted:
        for script in ("mutation", "reach"):
            if subprocess.run([sys.executable, "-m", f"tests.campaigns.{script}"], cwd=ROOT).returncode:
                failed.append(script)
    generated.write(sections(json.loads(FIGURES.read_text())))
    print(f"failed: {', '.join(failed)}" if failed else "all passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
