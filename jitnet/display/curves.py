"""Curves in characters: braille dots, two by four in a cell, or plain ASCII where those cannot be shown."""

from collections.abc import Sequence

Points = Sequence[tuple[float, float]]
_BRAILLE = (
    (0x01, 0x02, 0x04, 0x40),
    (0x08, 0x10, 0x20, 0x80),
)  # a dot's bit in [column][row from the top]


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
