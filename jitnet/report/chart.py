"""Curves as inline SVG, with their points as JSON, so that the page's script can read them out."""

import json

from jitnet.display.scale import Scale
from jitnet.history.curves import Curve
from jitnet.report.html import Markup, element

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 16, 40
DASHES = ("", "7 4", "2 3", "9 3 2 3")  # curves differ in more than colour
LABELS = 12  # rows of text that there is room for along the height
COLOURS = 6  # --curve0 ... in the style


def chart(name: str, title: str, unit: str, lines: list[Curve]) -> Markup:
    """Return a figure with a curve for each line, hoverable and readable by keyboard; `name` is its id in the page."""
    lines = [line for line in lines if line.points]
    y_scale = Scale.around([y for line in lines for _, y in line.points], accuracy="accuracy" in title)
    xs = [x for line in lines for x, _ in line.points]
    x_scale = Scale.linear(xs)

    def px(x: float) -> float:
        return round(LEFT + x_scale.place(x) * (WIDTH - LEFT - RIGHT), 2)

    def py(y: float) -> float:
        return round(HEIGHT - BOTTOM - y_scale.place(y) * (HEIGHT - TOP - BOTTOM), 2)

    parts = []
    for value in y_scale.label_rows(LABELS).values() if y_scale.log else y_scale.steps(5):
        parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=py(value), y2=py(value), class_="grid"))
        parts.append(element("text", f"{value:g}", x=LEFT - 8, y=py(value) + 4, class_="tick", text_anchor="end"))
    for value in x_scale.steps(5, whole=all(float(x).is_integer() for x in xs)):
        parts.append(
            element("text", f"{value:,g}", x=px(value), y=HEIGHT - BOTTOM + 18, class_="tick", text_anchor="middle")
        )
    parts.append(element("text", unit, x=WIDTH - RIGHT, y=HEIGHT - 6, class_="tick", text_anchor="end"))
    parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=HEIGHT - BOTTOM, y2=HEIGHT - BOTTOM, class_="axis"))
    for place, line in enumerate(lines):
        path = " ".join(f"{px(x):g},{py(y):g}" for x, y in line.points)
        dash = DASHES[place % len(DASHES)] or None
        parts.append(element("polyline", points=path, class_=f"curve c{place % COLOURS}", stroke_dasharray=dash))
        if len(line.points) <= 40:
            parts += [
                element("circle", cx=px(x), cy=py(y), r=2.5, class_=f"dot c{place % COLOURS}") for x, y in line.points
            ]
    parts.append(element("line", x1=0, x2=0, y1=TOP, y2=HEIGHT - BOTTOM, class_="cursor", visibility="hidden"))
    drawn = element(
        "svg",
        element("title", _described(title, lines)),
        *parts,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=_described(title, lines),
    )
    points = [{"name": line.name, "at": [[px(x), x, y] for x, y in line.points]} for line in lines]
    legend = [
        element("span", element("i", class_=f"key c{place % COLOURS} d{place % len(DASHES)}"), line.name)
        for place, line in enumerate(lines)
    ]
    return element(
        "figure",
        element("figcaption", element("strong", title), element("span", legend, class_="legend")),
        element("div", drawn, class_="chart", id=name, tabindex="0", role="group",
                aria_label=f"{title}: arrow keys read its values", data_points=json.dumps(points), data_unit=unit),
        element("output", "Hover, or use the arrow keys, to read values.", for_=name, aria_live="polite"),
    )  # fmt: skip


def _described(title: str, lines: list[Curve]) -> str:
    """Return a chart in words."""
    ends = [f"{line.name} from {line.points[0][1]:.4g} to {line.points[-1][1]:.4g}" for line in lines]
    return f"{title}: {'; '.join(ends) or 'no values'}"
