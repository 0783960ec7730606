"""Curves as inline SVG, with the points beside them as JSON, so that the page's script can read them out."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from jitnet.history.curves import Curve
from jitnet.report.html import Markup, element

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 16, 40
DASHES = ("", "7 4", "2 3", "9 3 2 3")  # curves differ in more than colour
COLOURS = 6  # --curve0 ... in the style


@dataclass(frozen=True)
class Scale:
    """Where values lie, from 0 to 1, and which of them get a label."""

    low: float
    high: float
    log: bool = False
    error: bool = False  # an accuracy: 100 - value on a logarithmic scale, upside down

    @classmethod
    def around(cls, values: Sequence[float], kind: str = "") -> "Scale":
        """Return a scale for these values; `kind` is "loss" (logarithmic from a factor of ten on) or "accuracy"."""
        if not values:
            return cls(0.0, 1.0)
        if kind == "accuracy":
            errors = [max(100 - value, 0.01) for value in values]
            if max(errors) / min(errors) >= 10:
                return cls(_nice(min(errors), up=False), _nice(max(errors), up=True), True, True)
        low, high = min(values), max(values)
        if kind == "loss" and low > 0 and high / low >= 10:
            return cls(_nice(low, up=False), _nice(high, up=True), log=True)
        if kind == "loss":
            low = 0.0
        span = (high - low) or abs(high) or 1.0
        return cls(low, high + 0.05 * span if high > low else low + span)

    def place(self, value: float) -> float:
        """Return where a value lies, 0 at the low end and 1 at the high end."""
        value = 100 - value if self.error else value
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return 1 - share if self.error else share

    def ticks(self, whole: bool = False) -> list[float]:
        """Return values worth a label; `whole` where nothing lies between two whole numbers, such as epochs."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            steps = (1, 2, 5) if len(decades) <= 4 else (1,)
            values = [float(f"{step}e{decade}") for decade in decades for step in steps]
            values = [value for value in values if self.low <= value <= self.high]
            return [100 - value for value in values] if self.error else values
        step = max(_nice((self.high - self.low) / 5, up=True), 1.0 if whole else 0.0)
        first = math.ceil(self.low / step)
        return [round(i * step, 10) for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _nice(value: float, *, up: bool) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    steps = [1, 2, 5, 10] if up else [10, 5, 2, 1]
    return next(s * power for s in steps if (s * power >= value * 0.999999 if up else s * power <= value * 1.000001))


def chart(name: str, title: str, unit: str, lines: list[Curve], kind: str = "", bounds: Scale | None = None) -> Markup:
    """Return a figure with a curve for each line, hoverable and readable by keyboard; `name` is its id in the page."""
    lines = [line for line in lines if line.points]
    y_scale = bounds or Scale.around([y for line in lines for _, y in line.points], kind)
    xs = [x for line in lines for x, _ in line.points]
    x_scale = Scale(min(xs, default=0.0), max(xs, default=1.0) if len(set(xs)) > 1 else min(xs, default=0.0) + 1)

    def px(x: float) -> float:
        return round(LEFT + x_scale.place(x) * (WIDTH - LEFT - RIGHT), 2)

    def py(y: float) -> float:
        return round(HEIGHT - BOTTOM - y_scale.place(y) * (HEIGHT - TOP - BOTTOM), 2)

    parts = []
    for value in y_scale.ticks():
        parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=py(value), y2=py(value), class_="grid"))
        parts.append(element("text", f"{value:g}", x=LEFT - 8, y=py(value) + 4, class_="tick", text_anchor="end"))
    for value in x_scale.ticks(whole=all(float(x).is_integer() for x in xs)):
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
