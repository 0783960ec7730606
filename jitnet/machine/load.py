"""How busy this machine is: what other processes use of its cores, measured now."""

import os
import time
from pathlib import Path

_WATCHED_S = 0.3


def cores_used_by_others(seconds: float = _WATCHED_S, stat: Path = Path("/proc/stat")) -> float | None:
    """Return how many cores other processes use, on average over some seconds; None where the system does not say."""
    before, mine, began = _busy_s(stat), time.process_time(), time.perf_counter()
    if before is None:
        return None
    time.sleep(seconds)
    after, passed = _busy_s(stat), time.perf_counter() - began
    if after is None or passed <= 0:
        return None
    return max(0.0, (after - before - (time.process_time() - mine)) / passed)


def _busy_s(stat: Path) -> float | None:
    """Return the seconds in which the cores were not idle, since the machine started."""
    try:
        first = stat.read_text().split("\n", 1)[0].split()
        if first[0] != "cpu":
            return None
        user, nice, system, _, _, *interrupts = map(int, first[1:8])
        return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
