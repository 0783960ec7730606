"""How busy this machine is: what other processes use of its cores, measured now."""

import os
import time
from pathlib import Path
from typing import NamedTuple

_WATCHED_S, _LEAST_S = 0.3, 5.0
_STAT = Path("/proc/stat")


def cores_used_by_others(seconds: float = _WATCHED_S, stat: Path = _STAT) -> float | None:
    """Return how many cores other processes use, on average over some seconds; None where the system does not say."""
    before = _read(stat)
    if before.all is None:
        return None
    time.sleep(seconds)
    return _cores_between(before, _read(stat))


class OtherPrograms:
    """Measures what other processes use while this one works, over the time between two readings."""

    def __init__(self) -> None:
        self._before = _read(_STAT)

    def cores(self) -> float:
        """Return how many cores others have used on average since the last reading; 0 where that is not known.

        Less than `_LEAST_S` seconds are too few to tell: 0, and the measurement continues.
        """
        now = _read(_STAT)
        if now.time - self._before.time < _LEAST_S:
            return 0.0
        before, self._before = self._before, now
        return _cores_between(before, now) or 0.0


class _Reading(NamedTuple):
    """The time, and the seconds in which this process, and all, used a core; the latter None where it is not known."""

    time: float
    ours: float
    all: float | None


def _read(stat: Path) -> _Reading:
    return _Reading(time.perf_counter(), time.process_time(), _busy_s(stat))


def _cores_between(before: _Reading, after: _Reading) -> float | None:
    """Return how many cores others used on average between two readings; None where that is not known."""
    seconds = after.time - before.time
    if before.all is None or after.all is None or seconds <= 0:
        return None
    return max(0.0, (after.all - before.all - (after.ours - before.ours)) / seconds)


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
