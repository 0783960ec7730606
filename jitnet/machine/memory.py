"""Check available memory before it is allocated: Linux overcommits, and kills the process later."""

import os
from pathlib import Path

from jitnet.errors import InputError

_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")  # of a container: cgroup v2, v1


def require(size: int, what: str) -> None:
    """Raise `InputError` if `size` bytes, for `what`, are more than this machine or container has."""
    there = available()
    if there is not None and size > there:
        raise InputError(
            f"{what} needs {size / 1e9:,.1f} GB of memory: expected at most the {there / 1e9:,.1f} GB of this machine, "
            "so use fewer units or filters, or smaller batches"
        )


def available(cgroup: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the bytes of memory that this process may use; None where the system does not say."""
    limits = []
    if hasattr(os, "sysconf"):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for name in _LIMITS:
        try:
            limits.append(int((cgroup / name).read_text()))
        except (OSError, ValueError):  # no such file; or "max", no limit
            continue
    return min(limits, default=None)


def free(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Return the bytes of memory that are free now, or can be freed; None where the system does not say."""
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError, IndexError):
        return None
