"""A statement of the machine, without host name, user name or paths."""

import os
import platform
import re
from pathlib import Path

from jitnet.machine import threads


def cpu_model() -> str:
    """Return the processor's name as the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Model name")):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def load() -> float | None:
    """Return the load average of the last minute."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def statement() -> dict:
    """Return processor, cores, load and versions, which a reader needs to judge a figure."""
    import llvmlite
    import llvmlite.binding
    import numba
    import numpy

    from jitnet.kernels.compiler import tile

    return {
        "cpu": cpu_model(),
        "cpu_kind": llvmlite.binding.get_host_cpu_name(),
        "cores": threads.usable_cores(),
        "tile": tile.TILE,
        "forced": tile.TILE != tile.HOST,
        "load_before": load(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
    }


def is_busy(machine: dict) -> bool:
    """Return whether other programs used more than a quarter of the machine when the run began."""
    return machine["load_before"] is not None and machine["load_before"] > machine["cores"] / 4


def sentence(machine: dict) -> str:
    """Return the statement as one line of text."""
    load = machine["load_before"]
    busy = "" if load is None else f", load before the run {load:.2f}"
    if is_busy(machine):
        busy += ": others used it too, only ratios hold"
    vectors = "held to " * machine.get("forced", False) + machine["tile"]
    return (
        f"{machine['cpu']} ({machine['cpu_kind']}, {vectors}), {machine['cores']} cores{busy}; "
        f"{machine['system']}, Python {machine['python']}, NumPy {machine['numpy']}, numba {machine['numba']}"
    )


def kind(machine: dict) -> str:
    """Return a short name for such machines, fit for a file name.

    >>> kind({"cpu": "AMD EPYC (x)", "cores": 2, "tile": "avx512"})
    'amd-epyc-x-2-cores-avx512'
    """
    words = re.findall(r"[a-z0-9]+", machine["cpu"].lower().replace("(r)", " ").replace("(tm)", " "))
    return "-".join([*words[:5], str(machine["cores"]), "cores", machine["tile"]])
