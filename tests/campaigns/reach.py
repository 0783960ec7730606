"""Coverage of lines and branches: kernels as plain Python (NUMBA_DISABLE_JIT=1), the rest with compiled kernels.

    python -m tests.campaigns.reach       needs `pip install coverage`, and .[test,plot] for tests of extras

Compiled code is invisible to coverage, so what it says of the kernels is about their source, not about the build. What
writes machine code (an intrinsic's body) runs when a kernel is compiled, so the second part begins with an empty cache.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")]
import figures

ROOT = Path(__file__).resolve().parents[2]
FILES = {path.stem.removeprefix("test_"): path for path in sorted((ROOT / "tests").rglob("test_*.py"))}
KERNELS = ("contract", "rows", "pooling", "linear", "convolution", "loss", "optimizer", "activation", "sparse",
           "winograd", "winograd_weight", "blocks", "persample", "minibatch", "races", "bounds",
           "faults::test_the_step_is_named")  # fmt: skip
COMPILED = ("contract", "rows", "peak", "tiles", "compilation")  # whose intrinsics write all kinds of machine code
# In addition, tests that cross the same lines again, at length, or runs a C++ program.
SKIPPED = ("bench", "bench_assembly", "bench_readme", "torch", "curves_reference", "packaging", "planted", "threads",
           "mathematics", "metamorphic", "network_gradients", "campaign", "fuzz", "crowd", "documents", "plain_kernels",
           "faults", "structure", "terminals", "twin_build", "twin_reader", "twin_training")  # fmt: skip
LONG = (  # or, the first of them, what plain Python rounds or refuses otherwise
    "(float32 and test_loss) or planted_off_by_one_in_a_vector or "
    "at_random or chain_of or 300_epochs or resizes_during or without_the_guard or no_region_of or "
    "outside_a_terminal or dead_output or by_heart or any_damage or flipped_bit or in_mid_save or second_signal or "
    "a_fork or take_turns or read_only or no_run_can_be_kept"
)
SETTINGS = """[run]
branch = True
parallel = True
patch = subprocess
data_file = {folder}/data
source = {root}/jitnet,{root}/kernels
[report]
exclude_also =
    if TYPE_CHECKING:
    if __name__ == .__main__.:
    \\.\\.\\.$
"""


def tests_of(names: tuple[str, ...]) -> list[str]:
    """Return what pytest is given: files, or a test in one."""
    return [f"{FILES[file]}{colons}{test}" for file, colons, test in (name.partition("::") for name in names)]


def main(wanted: list[str]) -> None:
    """Run the tests under coverage, print what they miss, and note the shares, if all parts were run."""
    rest = tuple(sorted(set(FILES) - {*KERNELS, *COMPILED, *SKIPPED}))
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "settings")
        settings.write_text(SETTINGS.format(folder=folder, root=ROOT))
        coverage = [sys.executable, "-m", "coverage"]
        cold = {"NUMBA_CACHE_DIR": "", "JITNET_CACHE_DIR": f"{folder}/cache"}
        parts = {"plain": (KERNELS, {"NUMBA_DISABLE_JIT": "1"}), "rest": (rest, {}), "cold": (COMPILED, cold)}
        for names, environ in (parts[part] for part in wanted or parts):
            options = ["-q", "--hypothesis-profile=once", "-W", "ignore::RuntimeWarning", "-k", f"not ({LONG})"]
            environ = os.environ | environ | {"COVERAGE_PROCESS_START": str(settings), "JITNET_FIGURES": ""}
            words = [*coverage, "run", f"--rcfile={settings}", "-m", "pytest", *options, *tests_of(names)]
            subprocess.run(words, cwd=ROOT, env=environ)
        subprocess.run([*coverage, "combine", f"--rcfile={settings}", "-q"], cwd=ROOT, check=True)
        subprocess.run([*coverage, "report", f"--rcfile={settings}", "--skip-covered", "-m"], cwd=ROOT)
        subprocess.run([*coverage, "json", f"--rcfile={settings}", "-q", "-o", f"{folder}/found"], cwd=ROOT, check=True)
        found = json.loads(Path(folder, "found").read_text())
    if not wanted:
        figures.note("coverage", **shares(found["totals"]), kernels=kernels_alone(found["files"]))


def shares(totals: dict) -> dict[str, float]:
    """Return the percentages of lines and branches that were reached."""
    return {
        "lines": round(100 * totals["covered_lines"] / totals["num_statements"], 1),
        "branches": round(100 * totals["covered_branches"] / totals["num_branches"], 1),
    }


def kernels_alone(files: dict) -> dict[str, float]:
    """Return the percentages of the kernels."""
    found = [file["summary"] for name, file in files.items() if "kernels/" in name]
    names = ("covered_lines", "num_statements", "covered_branches", "num_branches")
    return shares({name: sum(summary[name] for summary in found) for name in names})


if __name__ == "__main__":
    with figures.kept():
        main(sys.argv[1:])
