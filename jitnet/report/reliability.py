"""The reliability diagram: of the images about which the network is 70 % sure, are 70 % right?"""

from jitnet.report.html import Markup, element, table
from jitnet.report.measure import Bin, Measured

SIDE, MARGIN = 320, 44


def diagram(measured: Measured) -> Markup:
    """Return the diagram and the numbers behind it."""
    parts = []
    for i in range(6):
        at, text = i / 5, f"{20 * i}"
        parts.append(element("line", x1=_x(0), x2=_x(1), y1=_y(at), y2=_y(at), class_="grid"))
        parts.append(element("text", text, x=_x(0) - 8, y=_y(at) + 4, class_="tick", text_anchor="end"))
        parts.append(element("text", text, x=_x(at), y=_y(0) + 18, class_="tick", text_anchor="middle"))
    for each in measured.bins:
        if each.images:
            parts.append(_bar(each))
    parts.append(element("line", x1=_x(0), y1=_y(0), x2=_x(1), y2=_y(1), class_="axis", stroke_dasharray="5 4"))
    parts.append(element("text", "sure, in %", x=_x(1), y=_y(0) + 36, class_="tick", text_anchor="end"))
    parts.append(element("text", "right, in %", x=_x(0), y=_y(1) - 10, class_="tick"))
    error = f"{100 * measured.calibration_error:.2f} %"
    words = f"Reliability diagram: the expected calibration error is {error}; bars on the dashed diagonal are honest"
    drawn = element(
        "svg",
        element("title", words),
        *parts,
        viewBox=f"0 0 {SIDE + 2 * MARGIN} {SIDE + 2 * MARGIN}",
        role="img",
        aria_label=words,
        style="max-width:420px",
    )
    rows: list[list[object]] = [
        [
            f"{100 * b.low:.0f} to {100 * b.high:.0f}",
            f"{b.images:,}",
            f"{100 * b.confidence:.1f}",
            f"{100 * b.accuracy:.1f}",
        ]
        for b in measured.bins
        if b.images
    ]
    caption = f"Sure and right, in percent. Expected calibration error: {error}."
    figures = table(caption, ["sure, in %", "images", "mean", "right"], rows)
    return element("div", element("figure", drawn), figures, class_="columns")


def _bar(each: Bin) -> Markup:
    width, top = (SIDE / 10) - 3, _y(each.accuracy)
    title = f"{each.images:,} images, {100 * each.confidence:.1f} % sure, {100 * each.accuracy:.1f} % right"
    return element(
        "rect", element("title", title), x=_x(each.low) + 1.5, y=top, width=width, height=_y(0) - top,
        class_="dot c0", fill_opacity="0.75",
    )  # fmt: skip


def _x(share: float) -> float:
    return MARGIN + share * SIDE


def _y(share: float) -> float:
    return MARGIN + (1 - share) * SIDE
