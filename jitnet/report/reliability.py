"""The reliability diagram: of the images about which the network is 70 % sure, are 70 % right?"""

from jitnet.display.format import number, percent_number, percentage
from jitnet.display.scale import Scale
from jitnet.report.axes import Area
from jitnet.report.html import Markup, element, table
from jitnet.report.measure import Bin, Measured

_AREA = Area(Scale(0, 100), Scale(0, 100), 408, 408, 44, 44, 44, 44)


def diagram(measured: Measured) -> Markup:
    """Return the diagram and its numbers."""
    parts = [
        *_AREA.grid("sure, in %"),
        *(_bar(each) for each in measured.bins if each.images),
        element("line", x1=_AREA.px(0), y1=_AREA.py(0), x2=_AREA.px(100), y2=_AREA.py(100), class_="axis",
                stroke_dasharray="5 4"),
        element("text", "right, in %", x=_AREA.px(0), y=_AREA.py(100) - 10, class_="tick"),
    ]  # fmt: skip
    error = percentage(100 * measured.calibration_error)
    words = f"Reliability diagram: the expected calibration error is {error}; bars on the dashed diagonal are honest"
    rows: list[list[object]] = [
        [
            f"{100 * b.low:.0f} to {100 * b.high:.0f}",
            number(b.images),
            percent_number(100 * b.confidence, 1),
            percent_number(100 * b.accuracy, 1),
        ]
        for b in measured.bins
        if b.images
    ]
    caption = f"Sure and right, in percent. Expected calibration error: {error}."
    figures = table(caption, ["sure, in %", "images", "mean", "right"], rows)
    drawn = _AREA.picture(words, parts, style="max-width:420px")
    return element("div", element("figure", drawn), figures, class_="columns")


def _bar(each: Bin) -> Markup:
    left, top = _AREA.px(100 * each.low), _AREA.py(100 * each.accuracy)
    title = (
        f"{number(each.images)} images, {percentage(100 * each.confidence, 1)} sure, "
        f"{percentage(100 * each.accuracy, 1)} right"
    )
    return element(
        "rect", element("title", title), x=left + 1.5, y=top, width=_AREA.px(100 * each.high) - left - 3,
        height=_AREA.py(0) - top, class_="dot c0", fill_opacity="0.75",
    )  # fmt: skip
