"""Curves in characters: braille dots, two by four in a cell, or plain ASCII where those cannot be shown."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Points = Sequence[tuple[float, float]]
_ROUND = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_BRAILLE = (
    (0x01, 0x02, 0x04, 0x40),
    (0x08, 0x10, 0x20, 0x80),
)  # a dot's bit in [column][row from the top]


@dataclass(frozen=True)
class Axis:
    """A range of positive values, with round ends so that it seldom moves while a curve grows."""

    low: float
    high: float
    log: bool = False
    falling: bool = False  # the low end is at the top

    @classmethod
    def around(cls, values: Iterable[float], falling: bool = False) -> "Axis":
        """Return an axis for these values: from 0, or logarithmic if they span a factor of ten or more.

        >>> Axis.around([2.3, 2.1])
        Axis(low=0.0, high=2.5, log=False, falling=False)
        >>> Axis.around([2.3, 0.017])
        Axis(low=0.015, high=2.5, log=True, falling=False)
        """
        positive = [value for value in values if 1e-12 < value < 1e30]
        if not positive:
            return cls(0.0, 1.0, False, falling)
        high = _round_up(max(positive))
        low = max(min(positive), high / 1e4)  # more decades would hide the curve
        log = high / low >= 10
        return cls(_round_down(low) if log else 0.0, high, log, falling)

    def place(self, value: float) -> float:
        """Return where a value lies, from 0 at the bottom to 1 at the top."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return 1.0 - share if self.falling else share

    def ticks(self) -> list[float]:
        """Return the values worth a label, the most important first."""
        if not self.log:
            return [self.low, self.high, (self.low + self.high) / 2]
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        values = [float(f"{digit}e{decade}") for digit in (1, 5, 2) for decade in decades]
        return [value for value in values if self.low <= value <= self.high]


def _round_up(value: float) -> float:
    scale = 10.0 ** math.floor(math.log10(value))
    return float(f"{scale * next(r for r in (*_ROUND, 15.0) if r * scale >= value * 0.999999):.3g}")


def _round_down(value: float) -> float:
    scale = 10.0 ** math.floor(math.log10(value))
    return float(f"{scale * next(r for r in (*reversed(_ROUND), 0.5) if r * scale <= value * 1.000001):.3g}")


def label_rows(axis: Axis, rows: int) -> dict[int, float]:
    """Return which tick stands at which row (0 at the top), with a free row between two labels."""
    taken: dict[int, float] = {}
    for value in axis.ticks():
        row = round((1.0 - axis.place(value)) * (rows - 1))
        if not {row - 1, row, row + 1} & taken.keys():
            taken[row] = value
    return taken


def draw(points: Points, columns: int, rows: int, braille: bool) -> list[str]:
    """Return rows of text with a line through points of the unit square, sorted by x; y = 1 is at the top.

    >>> draw([(0, 0), (1, 1)], 4, 3, braille=False)
    ['   *', ' ** ', '*   ']
    """
    fine_x, fine_y = (2, 4) if braille else (1, 1)
    dots = _line(points, columns * fine_x, rows * fine_y)
    if not braille:
        return ["".join("*" if (x, y) in dots else " " for x in range(columns)) for y in range(rows)]
    cells = [[0] * columns for _ in range(rows)]
    for x, y in dots:
        cells[y // 4][x // 2] |= _BRAILLE[x % 2][y % 4]
    return ["".join(chr(0x2800 + cell) if cell else " " for cell in row) for row in cells]


def _line(points: Points, width: int, height: int) -> set[tuple[int, int]]:
    """Return the dots of the line, each column's points averaged and neighbouring columns joined."""
    columns: dict[int, list[float]] = {}
    for x, y in points:
        columns.setdefault(round(x * (width - 1)), []).append(y)
    dots: set[tuple[int, int]] = set()
    last: tuple[int, float] | None = None
    for column, values in columns.items():
        level = (1.0 - sum(values) / len(values)) * (height - 1)
        before, from_level = last or (column - 1, level)
        row = round(from_level)
        for x in range(before + 1, column + 1):
            target = round(from_level + (level - from_level) * (x - before) / (column - before))
            dots.update((x, y) for y in _between(row, target))
            row = target
        last = column, level
    return dots


def _between(row: int, target: int) -> range:
    """Return the rows after `row` up to `target`, or `target` alone if that is the same."""
    if target > row:
        return range(row + 1, target + 1)
    return range(target, max(row, target + 1))
