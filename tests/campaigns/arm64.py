"""jitnet on 64-bit Arm, emulated: the numeric tests, the weights against those of x86-64, and the C++ twin's self-test.

    python -m tests.campaigns.arm64 [FOLDER [TEST ...]]    hours; FOLDER keeps the emulated Python (default: arm64),
                                                           TEST is one of TESTS, such as optimizer (default: all)

Debian's arm64 packages and aarch64 wheels are unpacked into the folder (170 MB download, 340 MB on disk); nothing of
the system is changed. The cross compiler is the system's. qemu's user emulation runs Python from the folder.
It shows results, not speed, and not a missing memory barrier: the host orders its reads and writes more strictly.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")]
import figures

ROOT = Path(__file__).resolve().parents[2]
HASHES = Path(__file__).with_name("weights.json")  # of 16-byte vectors: NEON, and JITNET_TILE=neon on x86-64
WEIGHTS = "tests/campaigns/weights.py"
TESTS = (  # what takes an emulated processor longest to compile comes last
    *(f"kernels/test_{name}.py" for name in (
        "activation", "optimizer", "dropout", "pooling", "loss", "blocking", "augment", "blocks", "rows", "contract",
        "pool_rows", "linear", "convolution", "conv_rows", "linear_batch", "winograd", "winograd_weight",
        "sparse", "spin_barrier", "step", "persample", "minibatch", "tiles",
    )),
    "model/test_network_gradients.py", "training/test_threads.py", WEIGHTS.removeprefix("tests/"),
)  # fmt: skip
PACKAGES = ("python3.11", "libgomp1", "libstdc++6")
PLATFORMS = (
    "manylinux_2_28_aarch64",
    "manylinux_2_27_aarch64",
    "manylinux_2_17_aarch64",
    "manylinux2014_aarch64",
    "any",
)
# qemu's open() looks below its root first, so this is what LLVM believes to run on: without it no NEON is named.
CPUINFO = """processor\t: {0}
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd0b
CPU revision\t: 0

"""


class MissingError(Exception):
    """The emulated Python can't be made here; the message says what is missing."""


def run(*command: str, **changes: str) -> str:
    """Run a command in the project's root and return its output; raises `MissingError` if it fails."""
    done = subprocess.run(command, cwd=ROOT, env=os.environ | changes, capture_output=True, text=True)
    if done.returncode:
        raise MissingError(f"{' '.join(command)[:200]} failed: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout


def unpack(package: Path, folder: Path, *only: str) -> None:
    """Unpack a Debian package into a folder, without its documentation."""
    folder.mkdir(parents=True, exist_ok=True)
    leave = ("--exclude=./usr/share/doc*", "--exclude=./usr/share/man*")
    with subprocess.Popen(("dpkg-deb", "--fsys-tarfile", str(package)), stdout=subprocess.PIPE) as tar:
        subprocess.run(("tar", "-x", "-C", str(folder), *leave, *only), stdin=tar.stdout, check=True)


def make(folder: Path) -> Path:
    """Make the emulated Python in a folder, unless it is there, and return it. Raises `MissingError`."""
    python = folder / "bin" / "python"
    if python.exists():
        return python
    for tool in ("apt-get", "dpkg-deb", "tar"):
        if shutil.which(tool) is None:
            raise MissingError(f"{tool} is missing: expected a Debian system")
    state, root = folder / "apt", folder / "root"
    for part in ("lists/partial", "archives/partial"):
        (state / part).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    for part in (root / "proc", folder / "bin", folder / "lib" / "python3.11"):
        part.mkdir(parents=True, exist_ok=True)
    quiet = ("apt-get", "-qq", "-o", "APT::Sandbox::User=root")
    # The emulator comes from the machine's own Debian; Python and the C libraries from arm64, with separate lists.
    subprocess.run((*quiet, "download", "qemu-user-static"), cwd=state, check=True)
    unpack(next(state.glob("qemu-user-static_*.deb")), folder / "qemu", "./usr/bin/qemu-aarch64-static")
    options = {
        "APT::Architecture": "arm64", "APT::Architectures": "arm64", "Dir::State": state,
        "Dir::State::status": state / "status", "Dir::State::lists": state / "lists", "Dir::Cache": state,
        "Dir::Cache::archives": state / "archives", "Debug::NoLocking": "1",
    }  # fmt: skip
    own = (*quiet, *(word for name, value in options.items() for word in ("-o", f"{name}={value}")))
    run(*own, "update")
    run(*own, "install", "-y", "--download-only", "--no-install-recommends", *PACKAGES)
    for package in sorted((state / "archives").glob("*.deb")):
        unpack(package, root)
    shutil.rmtree(state)
    import numba
    import numpy

    here = (f"numpy=={numpy.__version__}", f"numba=={numba.__version__}", "rich", "pytest", "hypothesis")
    wheels = ("--only-binary=:all:", "--implementation", "cp", "--python-version", "3.11", "--no-compile")
    tags = [word for abi in ("cp311", "abi3", "none") for word in ("--abi", abi)]
    tags += [word for platform in PLATFORMS for word in ("--platform", platform)]
    run(sys.executable, "-m", "pip", "install", "-q", "--target", str(folder / "site"), *wheels, *tags, *here)
    (folder / "lib" / "python3.11" / "site-packages").symlink_to(folder / "site")
    (root / "proc" / "cpuinfo").write_text("".join(CPUINFO.format(core) for core in range(2)))
    home = root / "usr" / "bin"
    (folder / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\nversion = 3.11.2\n")
    # sys.executable is this script, so that child processes are emulated too.
    emulator = f"{folder / 'qemu/usr/bin/qemu-aarch64-static'} -cpu cortex-a76 -L {root}"
    python.write_text(f'#!/bin/sh\nexec {emulator} -0 {python} {home / "python3.11"} "$@"\n')
    python.chmod(0o755)
    return python


def weights(python: str, cache: Path, **changes: str) -> dict:
    """Return the tile and the hashes of weights.py under a Python."""
    found = run(
        python, "-P", WEIGHTS, PYTHONPATH=str(ROOT), JITNET_CACHE_DIR=str(cache), NUMBA_NUM_THREADS="2", **changes
    )
    return json.loads(found.splitlines()[-1])


def self_test(folder: Path) -> str:
    """Compile the C++ twin of a small network for aarch64 and run its self-test; return what it says."""
    compiler = shutil.which("aarch64-linux-gnu-g++")
    if compiler is None:
        raise MissingError("aarch64-linux-gnu-g++ is missing: apt-get install g++-aarch64-linux-gnu")
    work = folder / "twin"
    shutil.rmtree(work, ignore_errors=True)
    words = ("train", "cnn", "--arch", "conv8 pool dense16", "--data", "synthetic", "--limit", "300", "--epochs", "1")
    run(sys.executable, "-m", "jitnet", *words, "--runs-dir", str(work), "--name", "run", "--ui", "quiet")
    run(sys.executable, "-m", "jitnet", "export", "cpp", "run", "--runs-dir", str(work), "--out", str(work / "cpp"))
    flags = ("-std=c++17", "-O3", "-static", "-ffp-contract=fast")
    run(compiler, *flags, str(work / "cpp" / "selftest.cpp"), "-o", str(work / "cpp" / "selftest"))
    emulator = folder / "qemu/usr/bin/qemu-aarch64-static"
    done = subprocess.run((str(emulator), "./selftest"), cwd=work / "cpp", capture_output=True, text=True)
    if done.returncode:
        raise MissingError(f"the self-test fails: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def count_weights(python: Path, cache: Path) -> bool:
    """Train the networks of weights.py on the emulated Python; return whether their weights are those recorded."""
    expected, found = json.loads(HASHES.read_text()), weights(str(python), cache)
    print("weights as recorded" if found == expected else f"weights differ: {found} for {expected}", flush=True)
    figures.note("weights of arm64", networks=len(expected["weights"]), equal=found == expected)
    return found == expected


def count(python: Path, test: str, cache: Path) -> bool:
    """Run one file of tests on the emulated Python, print and note what became of it; return whether all passed."""
    environ = {"PYTHONPATH": str(ROOT), "JITNET_CACHE_DIR": str(cache), "NUMBA_NUM_THREADS": "2"}
    if f"tests/{test}" == WEIGHTS:
        return count_weights(python, cache)
    options = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=few")
    started = time.monotonic()
    done = subprocess.run(
        (str(python), *options, f"tests/{test}"), cwd=ROOT, env=os.environ | environ, capture_output=True, text=True
    )
    last = (done.stdout.strip().splitlines() or ["no output"])[-1]
    print(f"{test}: {last} ({time.monotonic() - started:.0f} s)", flush=True)
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped)", last)}
    figures.note(f"arm64 {test}", **{"passed": 0, "failed": 0, "skipped": 0} | counts)
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-2000:], sep="\n", flush=True)
    return done.returncode == 0


def main(folder: Path, wanted: list[str]) -> int:
    """Run everything; return 0 if all of it agrees, 1 if not, 2 if the emulated Python can't be made."""
    try:
        python = make(folder)
        show = "from jitnet.kernels.compiler.tile import TILE; print(TILE)"
        tile = run(str(python), "-c", show, PYTHONPATH=str(ROOT), JITNET_CACHE_DIR=str(folder / "cache")).strip()
        twin = self_test(folder)
    except MissingError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"tile {tile}", "C++ twin:", twin, sep="\n", flush=True)
    figures.note("arm64", tile=tile, twin=twin.splitlines()[-1])
    chosen = [test for test in TESTS if not wanted or Path(test).stem.removeprefix("test_") in wanted]
    return int(not all([count(python, test, folder / "cache") for test in chosen]))  # noqa: C419 (all of them)


if __name__ == "__main__":
    with figures.kept():
        code = main(Path(sys.argv[1] if len(sys.argv) > 1 else "arm64").resolve(), sys.argv[2:])
    sys.exit(code)
