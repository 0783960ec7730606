"""Several runs' curves in one plot of characters, told apart by a letter at their points and by colour."""

from collections.abc import Sequence
from string import ascii_uppercase

from jitnet.display.curves import Points, draw
from jitnet.display.format import number, percentage
from jitnet.display.live.frame import Frame, Glyphs, Line, fit
from jitnet.display.scale import Scale
from jitnet.printing import printable

TONES = ("loss", "accuracy", "val", "error", "title", "label")
GUTTER = 10  # label and axis at the left


def overlay(
    curves: Sequence[tuple[str, Points]], title: str, unit: str, width: int, rows: int, glyphs: Glyphs
) -> Frame:
    """Return `rows` lines of plot between a title and a legend; `unit` names the horizontal axis."""
    points = [point for _, curve in curves for point in curve]
    scale = Scale.around([y for _, y in points], accuracy="accuracy" in title)
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    span = right - left or 1.0
    columns = width - GUTTER
    cells = [[(" ", "")] * columns for _ in range(rows)]
    for place, (_, curve) in enumerate(curves):
        tone = TONES[place % len(TONES)]
        placed = [((x - left) / span, scale.place(y)) for x, y in curve]
        for row, text in enumerate(draw(placed, columns, rows, glyphs.braille)):
            for column, sign in enumerate(text):
                if sign != " ":
                    cells[row][column] = (sign, tone)
    for place, (_, curve) in enumerate(curves):  # letters last: no line may hide one
        for x, y in _few(curve):
            row = round((1 - scale.place(y)) * (rows - 1))
            column = min(columns - 1, max(0, round((x - left) / span * (columns - 1))))
            cells[row][column] = (letter(place), TONES[place % len(TONES)])
    wall, tick, corner, dash = glyphs.box[5], glyphs.box[6], glyphs.box[7], glyphs.box[4]
    labels = scale.label_rows(rows)
    lines: list[Line] = [[(printable(title), "strong")]]
    for row, line in enumerate(cells):
        name = f"{labels[row]:g}" if row in labels else ""
        lines.append([(f"{name:>{GUTTER - 2}} ", "label"), (tick if row in labels else wall, "box"), *line])
    ends = _short(left), f"{_short(right)} {unit}"
    lines.append([(" " * (GUTTER - 1), ""), (corner + dash * columns, "box")])
    lines.append([(" " * GUTTER, ""), (ends[0] + ends[1].rjust(columns - len(ends[0])), "label")])
    for place, (name, curve) in enumerate(curves):
        last = "no value" if not curve else percentage(curve[-1][1]) if scale.error else f"{curve[-1][1]:g}"
        lines.append(
            [(f"  {letter(place)} ", TONES[place % len(TONES)]), (f"{printable(name)}  ", ""), (last, "label")]
        )
    return Frame([fit(line, width, glyphs) for line in lines])


def letter(place: int) -> str:
    """Return the sign of the curve in that place.

    >>> letter(0), letter(27)
    ('A', 'B')
    """
    return ascii_uppercase[place % 26]


def _short(value: float) -> str:
    """Return a number for the end of an axis.

    >>> _short(9.0), _short(2.60001), _short(540000.0)
    ('9', '2.6', '540,000')
    """
    return number(value) if abs(value) >= 100 else f"{value:.3g}"


def _few(curve: Points) -> Points:
    """Return the points that get a letter: all of a few, of many the last."""
    return curve if len(curve) <= 12 else curve[-1:]
