"""Curves as SVG for a notebook or a document: the colours of text and grid are those of the page, light or dark."""

import itertools
from collections.abc import Mapping, Sequence
from html import escape

from jitnet.display.format import percent_number, significant
from jitnet.display.scale import Scale

COLOURS = {"training": "#3b7dd8", "validation": "#d9822b", "test": "#2e9e5b"}
_OTHERS = ("#3b7dd8", "#d9822b", "#2e9e5b", "#8a5cc2")  # of curves of other names, in turn
_LEFT, _TOP, _BOTTOM = 48, 22, 20  # margins with labels
_LABELS = 7  # rows of text along the height

Points = Sequence[tuple[float, float]]


def plot(title: str, curves: Mapping[str, Points], width: int = 440, height: int = 170) -> str:
    """Return curves over epochs, by their names, as an SVG element; "" where no curve has two points.

    A title that begins with "accuracy" is of percents. The legend has the newest value of each curve.
    """
    curves = {name: points for name, points in curves.items() if points}
    if not any(len(points) > 1 for points in curves.values()):
        return ""
    accuracy = title.startswith("accuracy")
    xs = Scale.linear([0, *(x for points in curves.values() for x, _ in points)])
    ys = Scale.around((y for points in curves.values() for _, y in points), accuracy)
    right, base = width - 8, height - _BOTTOM

    def across(value: float) -> float:
        return round(_LEFT + xs.place(value) * (right - _LEFT), 1)

    def up(value: float) -> float:
        return round(base - ys.place(value) * (base - _TOP), 1)

    grid = "".join(
        f'<line x1="{_LEFT}" x2="{right}" y1="{up(value)}" y2="{up(value)}" stroke="currentColor" opacity="0.15"/>'
        f'<text x="{_LEFT - 6}" y="{up(value) + 4}" text-anchor="end">{value:g}</text>'
        for value in ys.label_rows(_LABELS).values()
    )
    grid += "".join(
        f'<text x="{across(value)}" y="{height - 6}" text-anchor="middle">{value:g}</text>'
        for value in xs.steps(5, whole=True)
    )
    legend, lines = "", ""
    for (name, points), other in zip(curves.items(), itertools.cycle(_OTHERS)):
        colour = COLOURS.get(name, other)
        drawn = " ".join(f"{across(x)},{up(y)}" for x, y in points)
        lines += f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
        if len(points) < 30:
            lines += "".join(f'<circle cx="{across(x)}" cy="{up(y)}" r="2.2" fill="{colour}"/>' for x, y in points)
        newest = f"{name} {percent_number(points[-1][1]) if accuracy else significant(points[-1][1], 4)}"
        legend += f'{"&#160;" * 3 if legend else ""}<tspan fill="{colour}">{escape(newest)}</tspan>'
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(title)} after each epoch" '
        'style="font:11px sans-serif;fill:currentColor;max-width:100%">'
        f'<text x="{_LEFT}" y="12" font-weight="bold">{escape(title)}</text>'
        f'<text x="{right}" y="12" text-anchor="end">{legend}</text>{grid}{lines}</svg>'
    )
