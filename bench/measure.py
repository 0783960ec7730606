"""Timing: runs taken in turn, so that a slow period of the machine affects all of them; their median and spread."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """The times of n runs of the same work, per unit of work, in their order."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        """The smallest value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The largest value."""
        return max(self.values)

    @property
    def spread(self) -> float:
        """Half the distance from the smallest to the largest, as a share of the median."""
        return (self.high - self.low) / 2 / self.median

    def record(self) -> dict:
        """Return it for a JSON file."""
        return {
            "n": len(self.values),
            "median": self.median,
            "low": self.low,
            "high": self.high,
            "spread": self.spread,
            "values": list(self.values),
        }


def in_turn(
    runs: dict[str, Callable[[], float]],
    rounds: int,
    after: Callable[[str, float], None] = lambda name, value: None,
    pause_s: float = 0.0,
) -> dict[str, Timing]:
    """Call A, B, ..., A, B, ... `rounds` times, each returning its measurement; pause before and report after each."""
    values: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            time.sleep(pause_s)
            value = run()
            values[name].append(value)
            after(name, value)
    return {name: Timing(tuple(found)) for name, found in values.items()}


def ratio(slow: Timing, fast: Timing) -> Timing:
    """Return slow / fast round by round: runs next to each other in time meet the same load, so pairs are compared."""
    return Timing(tuple(a / b for a, b in zip(slow.values, fast.values)))


def repeats_for(run: Callable[[int], float], seconds: float) -> int:
    """Return how many repeats `run(repeats) -> seconds` needs to last about `seconds`; also serves as the warm-up."""
    repeats = 1
    run(repeats)
    while (took := run(repeats)) < seconds / 4:
        repeats *= 2 if took <= 0 else max(2, min(16, int(seconds / 4 / took) + 1))
    return max(1, round(repeats * seconds / took))
