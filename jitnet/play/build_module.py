"""Compile kernels.c to the WebAssembly module of the pages: `python -m jitnet.play.build_module`, with clang and lld.

The module is kept in the repository, so that jitnet needs no compiler; kernels.txt records what it was made from.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WEB = Path(__file__).parent / "web"
FLAGS = (
    "--target=wasm32", "-O3", "-msimd128", "-mbulk-memory", "-nostdlib", "-ffreestanding",
    "-Wall", "-Wextra", "-Werror",
    "-Wl,--no-entry", "-Wl,--import-memory", "-Wl,--stack-first", "-Wl,-z,stack-size=32768", "-Wl,--strip-all",
)  # fmt: skip
TOOLS = ("clang", "wasm-ld")


def missing() -> str:
    """Return which build tool is missing, "" if none is."""
    return next((tool for tool in TOOLS if shutil.which(tool) is None), "")


def compiled() -> bytes:
    """Return the module as this machine's clang makes it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "kernels.wasm")
        subprocess.run(["clang", *FLAGS, "-o", str(out), str(WEB / "kernels.c")], check=True)
        return out.read_bytes()


def compiler() -> str:
    """Return the name and version of this machine's clang."""
    done = subprocess.run(["clang", "--version"], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[0]


def sources() -> str:
    """Return a hash of what the module is made from."""
    return hashlib.sha256((WEB / "kernels.c").read_bytes() + " ".join(FLAGS).encode()).hexdigest()


if __name__ == "__main__":
    if tool := missing():
        sys.exit(f"{tool} was not found: install it (Debian: apt-get install clang lld)")
    (WEB / "kernels.wasm").write_bytes(compiled())
    (WEB / "kernels.txt").write_text(f"{sources()}\n{compiler()}\n")
