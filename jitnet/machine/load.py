"""How much of the machine other programs use, as long as one watches."""

import os
import time

_LEAST_S = 5.0


class OtherPrograms:
    """Measures the cores that other programs use since this was made, or last read."""

    def __init__(self) -> None:
        self._before = self._now()

    def cores(self) -> float:
        """Return the mean number of cores in use by others since the last answer; 0 where it cannot be measured.

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
        """Return the time, the seconds of processor time of this process, and those of all, 0 if unknown."""
        busy = 0.0
        try:
            with open("/proc/stat", encoding="ascii") as file:
                user, nice, system, _, _, irq, softirq, *_ = map(int, file.readline().split()[1:9])
            busy = (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, AttributeError):
            pass
        return time.perf_counter(), time.process_time(), busy
