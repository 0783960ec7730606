"""How busy this machine is: what other processes use of its cores, measured now."""

import os
import time
from pathlib import Path

_WATCHED_S, _LEAST_S = 0.3, 5.0
_STAT = Path("/proc/stat")


def cores_used_by_others(seconds: float = _WATCHED_S, stat: Path = _STAT) -> float | None:
    """Return how many cores other processes use, on average over some seconds; None where the system does not say."""
    before, mine, began = _busy_s(stat), time.process_time(), time.perf_counter()
    if before is None:
        return None
    time.sleep(seconds)
    after, passed = _busy_s(stat), time.perf_counter() - began
    if after is None or passed <= 0:
        return None
    return max(0.0, (after - before - (time.process_time() - mine)) / passed)


class OtherPrograms:
    """Measures what other processes use while this one works, over the time between two readings."""

    def __init__(self) -> None:
        self._before = self._now()

    def cores(self) -> float:
        """Return how many cores others have used on average since the last reading; 0 where that is not known.

        Less than `_LEAST_S` seconds are too few to tell: 0, and the measurement continues.
        """
        now = self._now()
        seconds, ours, all_ = (after - before for after, before in zip(now, self._before))
        if seconds < _LEAST_S:
            return 0.0
        self._before = now
        return max(0.0, (all_ - ours) / seconds) if now[2] else 0.0

    @staticmethod
    def _now() -> tuple[float, float, float]:
        """Return the time, and the seconds in which this process, and all, used a core."""
        return time.perf_counter(), time.process_time(), _busy_s(_STAT) or 0.0


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
