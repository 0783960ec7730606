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
import mutants_that_live
from figures import FIGURES

from bench import generated, processors

PAGE = "docs/reliability.md"

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
}
SCRIPTS = ("planted", "mutation", "reach")  # campaigns that are programs in this folder


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
     "planted", "planted"),
    ("{mutation[killed]:,} of {mutation[tried]:,} mutants killed, a sample of the {mutation[mutants]:,} that "
     "{mutation[files]} files have", "mutation", "mutation"),
    ("on an emulated Arm (Cortex-A76), tile {arm64[tile]}: the C++ twin's self-test passes, and {arms[passed]:,} tests "
     "of {arms[files]}; {arms[failed]} fail", "arm64", "arm64"),
    ("on an emulated Arm: weights of {weights of arm64[networks]} networks as recorded", "weights of arm64", "arm64"),
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
            "files": sum(row.get("files", 1) for row in targets), "date": min(row["date"] for row in targets),
            "machine": min(targets, key=lambda row: row["date"])["machine"],
        }  # fmt: skip
    if tests := {name: row for name, row in found.items() if name.startswith("arm64 ")}:
        sums["arms"] = {word: sum(row[word] for row in tests.values()) for word in ("passed", "failed")}
        sums["arms"]["files"] = ", ".join(sorted(name.rpartition("test_")[2].removesuffix(".py") for name in tests))
    if "power_loss" in found:
        sums["states"] = sum(figures.counted(found["power_loss"]).values())
    if "kills" in found:  # the rule of three: none in n trials is fewer than 3/n with 95 %
        sums["bound"] = 300 / found["kills"]["SIGKILL"]["moments"]
    return sums


def lines(found: dict) -> Iterator[str]:
    """Yield the rows of the table whose figures are there, those of other kinds of machine after the newest."""
    kinds = sorted(set(processors.VECTORS.values()))
    every = [totals(found), *(totals(figures.of_kind(found, kind)) for kind in kinds)]
    for said, row, command in ROWS:
        for known in every:
            with contextlib.suppress(KeyError):
                on = f"{known[row]['date']}, {processors.described(known[row]['machine'])}"
                yield f"| {said.format(**known)} | {on} | `python -m tests.campaigns.{command}` |"


def machines(found: dict) -> str:
    """Return a line about the machines."""
    named = sorted({row["machine"] for row in found.values()})
    return f"\nOn {'; and on '.join(named)}.\n" if named else ""


def box(found: dict) -> str:
    """Return the table of what was counted."""
    head = ["| counted | on | command |", "|---|---|---|"]
    return "\n".join([*head, *lines(found), machines(found)])


def packages(found: dict) -> str:
    """Return the table of the scores by package."""
    scores: dict[str, list[dict]] = {}
    for name in sorted(found):
        if name.startswith("mutation "):
            target = name.removeprefix("mutation ")
            scores.setdefault(target.rpartition("/")[0] if target.endswith(".py") else target, []).append(found[name])
    table = ["| package | files | mutants | tried | killed |", "|---|---:|---:|---:|---:|"]
    for package, rows in sorted(scores.items()):
        made, tried, dead = (sum(row[name] for row in rows) for name in ("mutants", "tried", "killed"))
        count = sum(row.get("files", 1) for row in rows)
        table.append(f"| {package} | {count} | {made:,} | {tried} | {dead} ({100 * dead / tried:.0f} %) |")
    return "\n".join(table)


def survivors(found: dict) -> str:
    """Return the scores, and the mutants that no test noticed with the reason why each may survive."""
    listed = [packages(found), ""]
    for row in sorted(name for name in found if name.startswith("mutation ")):
        target, counted = row.removeprefix("mutation "), found[row]
        listed.append(f"- **{target}**: {counted['killed']} of {counted['tried']} killed, of {counted['mutants']:,}.")
        for reason, alive in reasons(target, counted["survivors"]).items():
            listed.append(f"  - {reason}: {'; '.join(f'`{mutant}`' for mutant in alive)}")
    return "\n".join(listed)


def reasons(target: str, alive: list[str]) -> dict[str, list[str]]:
    """Group mutants by the reason why they may survive; "no reason yet" for those that tests should find.

    A reason stands under the change, in a package under its file and the change.
    """
    sorted_out: dict[str, list[str]] = {}
    for mutant in alive:
        place, _, change = mutant.partition(": ")
        file = place.partition(", ")[0] + ": " if ", " in place else ""
        reason = mutants_that_live.REASONS.get(target, {}).get(file + change, "no reason yet")
        sorted_out.setdefault(reason, []).append(mutant)
    return sorted_out


def sections(found: dict) -> dict[str, dict[str, str]]:
    """Return the generated sections of docs/reliability.md with these figures."""
    return {PAGE: {"counts": box(found), "survivors": survivors(found)}}


def main(wanted: list[str]) -> int:
    """Run campaigns; return 1 if one of them failed."""
    failed = []
    for name in [name for name in wanted or (*CAMPAIGNS, *SCRIPTS) if name != "box"]:
        if name in SCRIPTS:
            code = subprocess.run([sys.executable, "-m", f"tests.campaigns.{name}"], cwd=ROOT).returncode
        else:
            words = [sys.executable, "-m", "pytest", "-q", "-m", "slow or not slow", *CAMPAIGNS[name]]
            with figures.kept():
                code = subprocess.run(words, cwd=ROOT).returncode
        failed += [name] * bool(code)
    generated.write(sections(json.loads(FIGURES.read_text())))
    print(f"failed: {', '.join(failed)}" if failed else "all passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
