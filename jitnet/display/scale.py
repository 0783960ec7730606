"""The scale of an axis, shared by the charts of the terminal and those of a page."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

_ROUND = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)  # where a scale may end
_STEPS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """A range of values, with round ends so that it seldom changes while a curve grows."""

    low: float
    high: float
    log: bool = False
    error: bool = False  # values are accuracies in percent, placed by 100 - value: from 98 to 99 is as from 80 to 90

    @classmethod
    def around(cls, values: Iterable[float], accuracy: bool = False) -> "Scale":
        """Return a scale for positive values: from 0, or logarithmic if they span a factor of ten or more.

        With `accuracy` it is the scale of 100 - value, upside down; `low` and `high` are then errors.

        >>> Scale.around([2.3, 2.1])
        Scale(low=0.0, high=2.5, log=False, error=False)
        >>> Scale.around([2.3, 0.017])
        Scale(low=0.015, high=2.5, log=True, error=False)
        >>> Scale.around([98.5, 99.0], accuracy=True)
        Scale(low=0.0, high=1.5, log=False, error=True)
        """
        values = list(values)
        error = accuracy and all(0 <= value <= 100 for value in values)
        positive = [v for v in (100 - value if error else value for value in values) if 1e-12 < v < 1e30]
        if not positive:
            return cls(0.0, 1.0, False, error)
        high = _round_up(max(positive))
        low = max(min(positive), high / 1e4)  # more decades would hide the curve
        log = high / low >= 10
        return cls(_round_down(low) if log else 0.0, high, log, error)

    @classmethod
    def linear(cls, values: Iterable[float]) -> "Scale":
        """Return a scale for values of any sign, from the least to the largest.

        >>> Scale.linear([1, 9]), Scale.linear([])
        (Scale(low=1, high=9, log=False, error=False), Scale(low=0.0, high=1.0, log=False, error=False))
        """
        values = list(values)
        low, high = min(values, default=0.0), max(values, default=1.0)
        return cls(low, high if high > low else low + (abs(low) or 1.0))

    def place(self, value: float) -> float:
        """Return where a value is, from 0 at the bottom or the left to 1."""
        value = 100 - value if self.error else value
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return 1.0 - share if self.error else share

    def ticks(self) -> list[float]:
        """Return the values worth a label, the most important first."""
        values = [self.low, self.high, (self.low + self.high) / 2]
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            values = [float(f"{digit}e{decade}") for digit in (1, 5, 2) for decade in decades]
            values = [value for value in values if self.low <= value <= self.high]
        return [100 - value for value in values] if self.error else values

    def label_rows(self, rows: int) -> dict[int, float]:
        """Return which tick is in which of that many rows (0 at the top), with a free row between two labels."""
        taken: dict[int, float] = {}
        for value in self.ticks():
            row = round((1.0 - self.place(value)) * (rows - 1))
            if not {row - 1, row, row + 1} & taken.keys():
                taken[row] = value
        return taken

    def steps(self, most: int, whole: bool = False) -> list[float]:
        """Return the multiples of a round step, about `most`, in order; with `whole` only whole numbers, as of epochs.

        >>> Scale(1, 9).steps(5, whole=True), Scale(0.0, 0.7).steps(5)
        ([2.0, 4.0, 6.0, 8.0], [0.0, 0.2, 0.4, 0.6])
        """
        step = round_step((self.high - self.low) / most)
        step = max(step, 1.0) if whole else step
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        values = [float(f"{i * step:.10g}") for i in range(first, last + 1)]
        return [100 - value for value in values] if self.error else values


def round_step(least: float) -> float:
    """Return the smallest of ..., 1, 2, 5, 10, 20, 50, ... that is at least `least`, which is above 0.

    >>> round_step(1), round_step(13), round_step(0.03)
    (1.0, 20.0, 0.05)
    """
    return _upwards(least, _STEPS)


def _round_up(value: float) -> float:
    return _upwards(value, (*_ROUND, 15.0))


def _upwards(value: float, steps: tuple[float, ...]) -> float:
    scale = 10.0 ** math.floor(math.log10(value))
    return float(f"{scale * next(step for step in steps if step * scale >= value * 0.999999):.3g}")


def _round_down(value: float) -> float:
    scale = 10.0 ** math.floor(math.log10(value))
    return float(f"{scale * next(r for r in (*reversed(_ROUND), 0.5) if r * scale <= value * 1.000001):.3g}")
