"""Compiled kernels that a wheel brings, which the first start copies into the cache instead of compiling them.

`fill_wheel.py` makes them. They are for a kind of processor, as x86-64-v3, where numba compiles for the one it finds:
so the index of each kernel gets the name of this processor when it is copied. Code is used only if all of this is as
it was when the wheel was made: the sources of the kernels, the versions of Python, numba, llvmlite and NumPy, each
byte of it (by SHA-256); and if the processor has all instructions that it may contain. Else the kernels are compiled.
"""

import contextlib
import hashlib
import io
import json
import os
import pickle
import platform
import sys
import zipfile
from pathlib import Path

import llvmlite.binding

KERNELS = Path(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMPILED = KERNELS / "compiled"  # in a filled wheel only
_COPIED = ".filled"  # in the cache, when all kernels of the wheel are there


def python_version() -> str:
    """Return what kind of machine and of Python the machine code of a kernel is for."""
    return f"{sys.platform}-{platform.machine()}-py{sys.version_info.major}{sys.version_info.minor}"


def pack(cache: Path, made_for: str, features: str, folder: Path, name: str) -> None:
    """Write the kernels of a cache folder, compiled for a processor with `features`, as name.zip and name.json."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(cache.glob("*/*.nb[ic]")):
            place = path.parent.name.rpartition("_")[0]  # numba adds a hash of the path to the folder's name
            archive.writestr(zipfile.ZipInfo(f"{place}/{path.name}"), path.read_bytes(), zipfile.ZIP_DEFLATED)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.zip").write_bytes(content.getvalue())
    about = {
        "made_for": made_for,
        "python": python_version(),
        "features": features,
        "sha256": hashlib.sha256(content.getvalue()).hexdigest(),
    }
    (folder / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def copy_into(cache: Path, made_for: str) -> bool:
    """Copy the kernels that the wheel brings for this processor into a cache folder, if there are any that fit.

    Returns whether the folder has them now. What can't be read is compiled as usual.
    """
    if not COMPILED.is_dir():
        return False
    if (cache / _COPIED).exists():
        return True
    with contextlib.suppress(OSError, zipfile.BadZipFile, pickle.UnpicklingError, ValueError, EOFError):
        content = _fitting(made_for)
        if content is not None:
            _copy(content, cache)
            (cache / _COPIED).touch()
            return True
    return False


def _fitting(made_for: str) -> bytes | None:
    """Return the archive with the most instructions that this processor has all of."""
    has = {name for name, present in llvmlite.binding.get_host_cpu_features().items() if present}
    found = []
    for path in COMPILED.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):  # a damaged file
            about = json.loads(path.read_text(encoding="utf-8"))
            needs = {feature[1:] for feature in about["features"].split(",") if feature.startswith("+")}
            if about["made_for"] == made_for and about["python"] == python_version() and needs <= has:
                found.append((len(needs), path.with_suffix(".zip"), about["sha256"]))
    if not found:
        return None
    _, path, digest = max(found)
    content = path.read_bytes()
    return content if hashlib.sha256(content).hexdigest() == digest else None


def _copy(content: bytes, cache: Path) -> None:
    """Write the files of an archive where numba looks for them, each at once, and a kernel's index after its code."""
    from numba.core.caching import UserProvidedCacheLocator

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in sorted(archive.namelist(), key=lambda name: name.endswith(".nbi")):
            place, _, file = name.partition("/")
            if not place.isidentifier() or Path(file).name != file:
                raise zipfile.BadZipFile(f"{name!r} is not the name of a kernel")
            folder = cache / UserProvidedCacheLocator.get_suitable_cache_subpath(str(KERNELS / place / "source.py"))
            folder.mkdir(exist_ok=True)
            data = archive.read(name)
            temporary = folder / f"{file}.{os.getpid()}"
            temporary.write_bytes(_for_this_processor(data) if name.endswith(".nbi") else data)
            os.replace(temporary, folder / file)


def _for_this_processor(index: bytes) -> bytes:
    """Return a kernel's index whose keys name this processor in place of the one that the code was compiled for."""
    from numba.core.registry import cpu_target
    from numba.core.serialize import dumps

    stream = io.BytesIO(index)
    version, (stamp, overloads) = pickle.load(stream), pickle.load(stream)
    here = cpu_target.target_context.codegen().magic_tuple()
    keys = {(signature, here, code): name for (signature, _, code), name in overloads.items()}
    return pickle.dumps(version, protocol=-1) + dumps((stamp, keys))
