"""Add compiled kernels to a wheel, so that the first start after installing it compiles nothing.

    python -m build --wheel
    python -m jitnet.kernels.compiler.fill_wheel dist/jitnet-0.1.0-py3-none-any.whl

writes a second wheel next to it, for this version of Python and this operating system: with kernels for x86-64-v3
(AVX2) and x86-64-v4 (AVX-512) on an x86-64 machine of any kind, for every AArch64 processor on an Arm machine. Nothing
compiled is run here. It needs the package `wheel`. What the kernels are checked for when they are used:
filled_cache.py.
"""

import argparse
import importlib.util
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from . import filled_cache, tile

_V3_NAME, _V3 = tile.PROCESSORS["avx2"]
# LLVM's tuning for x86-64-v4 prefers vectors of 32 bytes where it has the choice, for the sake of old processors.
_V4 = f"{_V3},+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl,-prefer-256-bit"
# By the name that LLVM has for the processor: the tile of tile.py, and LLVM's features.
PROCESSORS = {
    "x86_64": {_V3_NAME: ("avx2", _V3), "x86-64-v4": ("avx512", _V4)},
    "aarch64": {"generic": ("neon", "+neon,+fp-armv8")},
}


def main() -> int:
    """Fill the wheel that the command line names."""
    parser = argparse.ArgumentParser(prog="fill_wheel", description=__doc__.partition("\n")[0])
    parser.add_argument("wheel", type=Path, help="a wheel made by python -m build")
    parser.add_argument("--out", type=Path, help="the folder of the new one (default: that of the wheel)")
    system = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    parser.add_argument(
        "--platform", metavar="TAG", default=system, help="platform tag of the new one (default: %(default)s)"
    )
    args = parser.parse_args()
    processors = PROCESSORS.get(platform.machine())
    if processors is None:
        parser.error(f"this machine is {platform.machine()}: expected {' or '.join(PROCESSORS)}")
    if not args.wheel.is_file():
        parser.error(f"{args.wheel} is not a file: expected a wheel, as python -m build makes it")
    if importlib.util.find_spec("wheel") is None:
        parser.error("the package `wheel` is missing: pip install wheel")
    with tempfile.TemporaryDirectory() as temporary:
        unpacked = _unpack(args.wheel, Path(temporary))
        for name, (kind, features) in processors.items():
            print(f"compiling for {name}", flush=True)
            _compile(unpacked, Path(temporary) / "cache" / name, name, kind, features)
        print(_pack(unpacked, args.platform, args.out or args.wheel.parent))
    return 0


def _unpack(wheel: Path, folder: Path) -> Path:
    _run("wheel", "unpack", "--dest", str(folder), str(wheel))
    (unpacked,) = (path for path in folder.iterdir() if path.is_dir())
    return unpacked


def _compile(unpacked: Path, cache: Path, name: str, tile: str, features: str) -> None:
    """Compile the kernels of an unpacked wheel for a processor, and put them into it."""
    environment = {
        **{name: text for name, text in os.environ.items() if not name.startswith(("NUMBA_", "JITNET_", "PYTHON"))},
        "PYTHONPATH": str(unpacked),
        "PYTHONSAFEPATH": "1",
        "JITNET_CACHE_DIR": str(cache),
        "JITNET_TILE": tile,
        "NUMBA_CPU_NAME": name,
        "NUMBA_CPU_FEATURES": features,
    }
    _run("jitnet", "warmup", "--ui", "quiet", environment=environment)
    asked = "from jitnet.kernels.compiler import cache; print(cache.identity())"
    made_for = subprocess.run(
        [sys.executable, "-c", asked], env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()
    (compiled,) = cache.glob("kernels-*")
    filled_cache.pack(compiled, made_for, features, unpacked / "jitnet" / "kernels" / "compiled", name)


def _pack(unpacked: Path, platform_tag: str, folder: Path) -> Path:
    """Write the wheel for this Python and a platform, and return its path."""
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    tag = f"{version}-{version}-{platform_tag}"
    (about,) = unpacked.glob("*.dist-info/WHEEL")
    lines = [line for line in about.read_text().splitlines() if line.startswith(("Wheel-Version:", "Generator:"))]
    about.write_text("\n".join([*lines, "Root-Is-Purelib: false", f"Tag: {tag}", ""]))
    folder.mkdir(parents=True, exist_ok=True)
    _run("wheel", "pack", "--dest-dir", str(folder), str(unpacked))
    return folder / f"{unpacked.name}-{tag}.whl"


def _run(module: str, *words: str, environment: dict[str, str] | None = None) -> None:
    subprocess.run([sys.executable, "-m", module, *words], env=environment, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
