"""`jitnet doctor`: what this machine and this installation are, and what to do about what is wrong."""

import argparse
import importlib.util
import os
import platform
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from jitnet import __version__
from jitnet.commands.support.json_answer import print_json
from jitnet.data.sources import known
from jitnet.data.sources.cache import Cache, default_folder
from jitnet.data.sources.search import copies, in_cache, own_place
from jitnet.display.format import NONE, count, data_size
from jitnet.machine import memory, threads
from jitnet.machine.load import cores_used_by_others
from jitnet.printing import say
from jitnet.run.names import KEPT, REFERENCE, is_run

_EXTRAS = {  # module: the extra of pip, and its purpose
    "PIL": ("image", "JPEG and other pictures than PNG"),
    "matplotlib": ("plot", "svg and png figures"),
    "distributed": ("dask", "repeat and sweep on a cluster"),
}
_LITTLE = 1e9  # bytes of memory or disk


def run(args: argparse.Namespace) -> int:
    """Print the facts and the advice and return the exit code."""
    facts: dict[str, Any] = {
        "versions": _versions(),
        "processor": _processor(),
        "threads": _threads(),
        "kernels": _kernels(),
        "data": _data(),
        "memory": {"bytes": memory.available(), "free_bytes": memory.free()},
        "disk": _disk(args.runs_dir),
        "load": {"cores": threads.usable_cores(), "used_by_others": cores_used_by_others()},
        "network": str(KEPT / REFERENCE) if KEPT is not None and is_run(KEPT / REFERENCE) else None,
    }
    advice = list(_advice(facts))
    if args.json:
        print_json("doctor", **facts, advice=advice)
        return 0
    for name, text in _lines(facts):
        say(f"{name:10} {text}")
    say()
    say(*(f"- {sentence}" for sentence in advice) if advice else ("nothing is wrong",))
    return 0


def _versions() -> dict[str, str | None]:
    names = {"numpy": "numpy", "numba": "numba", "llvmlite": "llvmlite", "rich": "rich"}
    names |= {"pillow": "pillow", "matplotlib": "matplotlib", "dask": "dask"}
    found: dict[str, str | None] = {"jitnet": __version__, "python": platform.python_version()}
    for name, distribution in names.items():
        try:
            found[name] = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def _processor() -> dict[str, Any]:
    from jitnet.kernels.compiler.tile import ROWS, TILE, VECTOR_BYTES
    from jitnet.run.describe import processor

    return {"name": processor(), "vector": TILE, "vector_bytes": VECTOR_BYTES, "tile": [ROWS, 2 * VECTOR_BYTES // 4]}


def _threads() -> dict[str, Any]:
    import jitnet.kernels.compiler.decorators  # noqa: F401 (it sets how long a thread waits)
    from jitnet.kernels.compiler import thread_pool

    thread_pool.start_pool()
    used, layer = threads.in_use()
    waits = os.environ.get("OMP_WAIT_POLICY") or f"gives way after {os.environ.get('GOMP_SPINCOUNT', NONE)} reads"
    return {"count": used, "layer": layer, "waiting": waits}


def _kernels() -> dict[str, Any]:
    from jitnet.kernels.compiler.cache import CACHE_FOLDER
    from jitnet.training.compilation import compiled_drivers

    files = [file for file in CACHE_FOLDER.rglob("*") if file.is_file()] if CACHE_FOLDER else []
    return {
        "folder": str(CACHE_FOLDER) if CACHE_FOLDER else None,
        "files": len(files),
        "bytes": sum(file.stat().st_size for file in files),
        "compiled": compiled_drivers(),
    }


def _data() -> dict[str, str | None]:
    """Return where MNIST is found first, without reading all of it."""
    own, cache = own_place(), default_folder()
    if own is not None:
        return {"mnist": str(own) if os.path.exists(own) else None, "by": "JITNET_DATA"}
    if cache is not None and in_cache(known.MNIST, Cache(cache, lambda notice: None)):
        return {"mnist": str(cache), "by": "cache"}
    there = next((path for path in copies(known.MNIST) if os.path.exists(path)), None)
    return {"mnist": str(there) if there else None, "by": "copy" if there else None}


def _disk(runs_dir: Path) -> dict[str, Any]:
    folder = runs_dir.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return {"folder": str(runs_dir.absolute()), "free_bytes": shutil.disk_usage(folder).free,
            "writable": os.access(folder, os.W_OK)}  # fmt: skip


def _advice(facts: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each thing that can be better."""
    load, kernels, used = facts["load"], facts["kernels"], facts["threads"]["count"]
    others = load["used_by_others"]
    if others is not None and used > 1 and others > load["cores"] - used + 0.5:
        busy = f"The machine is busy: other processes use {others:.1f} of {load['cores']} cores."
        yield f"{busy} Training uses fewer threads while that is faster."
    if used < load["cores"]:
        yield f"{used} of {load['cores']} cores are used: --threads or NUMBA_NUM_THREADS limits them."
    if kernels["folder"] is None:
        yield "No folder is writable for compiled kernels: set JITNET_CACHE_DIR to one that is."
    elif not all(kernels["compiled"].values()):
        missing = [name for name, there in kernels["compiled"].items() if not there]
        yield f"Not compiled yet: {', '.join(missing)}. `jitnet warmup` compiles them before the first training."
    if facts["processor"]["vector"] == "generic":
        yield "The processor has no AVX2, AVX-512 or NEON, so training is slower than the documentation states."
    if facts["data"]["mnist"] is None:
        where = "The folder in JITNET_DATA is not there" if facts["data"]["by"] else "MNIST is not on this machine"
        yield f"{where}: `jitnet data fetch` downloads MNIST, `jitnet data status` lists where jitnet searches."
    for module, (extra, purpose) in _EXTRAS.items():
        if importlib.util.find_spec(module) is None:
            yield f"For {purpose}: pip install 'jitnet[{extra}]'."
    for what, size in (("memory", facts["memory"]["free_bytes"]), ("disk", facts["disk"]["free_bytes"])):
        if size is not None and size < _LITTLE:
            yield f"Only {data_size(size)} of {what} are free."
    if not facts["disk"]["writable"]:
        yield f"{facts['disk']['folder']} cannot be written: choose another folder with --runs-dir DIR."


def _lines(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    processor, kernels, load = facts["processor"], facts["kernels"], facts["load"]
    yield "versions", ", ".join(f"{name} {version}" for name, version in facts["versions"].items() if version)
    rows, columns = processor["tile"]
    yield "processor", f"{processor['name']}, {processor['vector']}, register tile of {rows} x {columns} numbers"
    used = facts["threads"]
    yield "threads", f"{used['count']} ({used['layer']}); one that waits: {used['waiting']}"
    state = ", ".join(
        f"{name} {'compiled' if there else 'not compiled'}" for name, there in kernels["compiled"].items()
    )
    yield "kernels", f"{count(kernels['files'], 'file')}, {data_size(kernels['bytes'])}, in {kernels['folder'] or NONE}"
    yield "", state
    yield "data", f"MNIST in {facts['data']['mnist']}" if facts["data"]["mnist"] else "MNIST is not found"
    yield "memory", f"{data_size(facts['memory']['free_bytes'])} free of {data_size(facts['memory']['bytes'])}"
    yield "disk", f"{data_size(facts['disk']['free_bytes'])} free in {facts['disk']['folder']}"
    others = load["used_by_others"]
    busy = NONE if others is None else f"other processes use {others:.1f} of {count(load['cores'], 'core')}"
    yield "load", busy
    yield "network", f"{REFERENCE} in {facts['network']}" if facts["network"] else f"{REFERENCE} is not here"
