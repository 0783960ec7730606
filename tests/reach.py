"""Coverage of lines and branches: kernels as plain Python (NUMBA_DISABLE_JIT=1), the rest beside compiled kernels.

    python -m tests.reach       some minutes; needs `pip install coverage`

Compiled code is invisible to coverage, so what it says of the kernels is about their source, not about the build.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import figures

ROOT = Path(__file__).resolve().parent.parent
KERNELS = ("contract", "rows", "pooling", "dense", "convolution", "loss", "optimizer", "activation", "sparse", "blocks",
           "persample", "minibatch", "races", "bounds")  # fmt: skip
LONG = "40_random or chain_of or compiling or terminals or bench"  # other tests cross the same lines
SETTINGS = """[run]
branch = True
parallel = True
patch = subprocess
data_file = {folder}/data
source = {root}/jitnet,{root}/kernels
"""


def main() -> None:
    """Run the tests under coverage, print what they miss, and note the share."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "settings")
        settings.write_text(SETTINGS.format(folder=folder, root=ROOT))
        coverage = [sys.executable, "-m", "coverage"]
        kernels = [f"tests/test_{name}.py" for name in KERNELS]
        for plain, tests in (("1", kernels), ("0", ["tests", "-k", f"not ({LONG})"])):
            options = ["-q", "--hypothesis-profile=few", "-W", "ignore::RuntimeWarning"]
            environ = os.environ | {"NUMBA_DISABLE_JIT": plain, "COVERAGE_PROCESS_START": str(settings)}
            subprocess.run([*coverage, "run", f"--rcfile={settings}", "-m", "pytest", *options, *tests],
                           cwd=ROOT, env=environ)  # fmt: skip
        subprocess.run([*coverage, "combine", f"--rcfile={settings}", "-q"], cwd=ROOT, check=True)
        report = subprocess.run([*coverage, "report", f"--rcfile={settings}", "--skip-covered", "-m"],
                                cwd=ROOT, capture_output=True, text=True)  # fmt: skip
    print(report.stdout)
    figures.note("coverage", percent=int(re.findall(r"(\d+)%", report.stdout)[-1]))


if __name__ == "__main__":
    main()
