"""Curves as inline SVG, with their points as JSON, so that the page's script can read them out."""

import json
from itertools import pairwise

from jitnet.display.scale import Scale
from jitnet.history.curves import Curve
from jitnet.report.axes import Area
from jitnet.report.html import Markup, element

DASHES = ("", "7 4", "2 3", "9 3 2 3")  # curves differ in more than colour
COLOURS = 6  # --curve0 ... in the style
_MARKED = 40  # points; of more, only the line is drawn


def chart(name: str, title: str, unit: str, lines: list[Curve], faint: int = 0, steps: bool = False) -> Markup:
    """Return a figure with a curve for each line, hoverable and readable by keyboard; `name` is its id in the page.

    The first `faint` lines are drawn thin, as what others are means of; with `steps` a value holds until the next one.
    """
    lines = [line for line in lines if line.points]
    xs = [x for line in lines for x, _ in line.points]
    y_scale = Scale.around([y for line in lines for _, y in line.points], accuracy="accuracy" in title)
    area = Area(Scale.linear(xs), y_scale)
    places = [[(area.px(x), area.py(y)) for x, y in line.points] for line in lines]
    parts = area.grid(unit, whole=all(float(x).is_integer() for x in xs))
    for place, at in enumerate(places):
        drawn = _stairs(at) if steps else at
        path = " ".join(f"{x:g},{y:g}" for x, y in drawn)
        dash = DASHES[place % len(DASHES)] if not faint else None
        style = f"curve c{place % COLOURS}" + " faint" * (place < faint)
        parts.append(element("polyline", points=path, class_=style, stroke_dasharray=dash or None))
        if len(at) <= _MARKED and place >= faint:
            parts += [element("circle", cx=x, cy=y, r=2.5, class_=f"dot c{place % COLOURS}") for x, y in at]
    base = area.height - area.bottom
    parts.append(element("line", x1=0, x2=0, y1=area.top, y2=base, class_="cursor", visibility="hidden"))
    points = [{"name": line.name, "at": [[area.px(x), x, y] for x, y in line.points]} for line in lines]
    legend = [
        element("span", element("i", class_=f"key c{place % COLOURS} d{place % len(DASHES)}"), line.name)
        for place, line in enumerate(lines)
    ]
    return element(
        "figure",
        element("figcaption", element("strong", title), element("span", legend, class_="legend")),
        element("div", area.picture(_described(title, lines), parts), class_="chart", id=name, tabindex="0",
                role="group", aria_label=f"{title}: arrow keys read its values", data_points=json.dumps(points),
                data_unit=unit),
        element("output", "", for_=name, aria_live="polite"),
    )  # fmt: skip


def _stairs(at: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return points with a corner between each two: an epoch's value holds since the one before it ended."""
    corners = [(before[0], point[1]) for before, point in pairwise(at)]
    return [at[0], *(each for pair in zip(corners, at[1:]) for each in pair)] if at else []


def _described(title: str, lines: list[Curve]) -> str:
    """Return a chart in words."""
    ends = [f"{line.name} from {line.points[0][1]:.4g} to {line.points[-1][1]:.4g}" for line in lines]
    return f"{title}: {'; '.join(ends) or 'no values'}"
