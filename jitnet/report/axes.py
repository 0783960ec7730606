"""The area of a drawing: two scales on a rectangle, with a grid and labels, as SVG."""

from collections.abc import Iterable
from dataclasses import dataclass

from jitnet.display.scale import Scale
from jitnet.report.html import Markup, element

LABELS = 12  # rows of text that there is room for along the height


@dataclass(frozen=True)
class Area:
    """A rectangle of `width` by `height` whose margins hold the labels."""

    x: Scale
    y: Scale
    width: int = 640
    height: int = 300
    left: int = 64
    right: int = 16
    top: int = 16
    bottom: int = 40

    def px(self, value: float) -> float:
        """Return the column of a value."""
        return round(self.left + self.x.place(value) * (self.width - self.left - self.right), 2)

    def py(self, value: float) -> float:
        """Return the row of a value."""
        return round(self.height - self.bottom - self.y.place(value) * (self.height - self.top - self.bottom), 2)

    def grid(self, unit: str, whole: bool = False) -> list[Markup]:
        """Return the grid and its labels; `unit` names the horizontal axis, which may have `whole` numbers alone."""
        y_values: Iterable[float] = self.y.label_rows(LABELS).values() if self.y.log else self.y.steps(5)
        start, end, base = self.left, self.width - self.right, self.height - self.bottom
        parts = []
        for value in y_values:
            at = self.py(value)
            parts.append(element("line", x1=start, x2=end, y1=at, y2=at, class_="grid"))
            parts.append(element("text", f"{value:g}", x=start - 8, y=at + 4, class_="tick", text_anchor="end"))
        for value in self.x.steps(5, whole):
            parts.append(
                element("text", f"{value:,g}", x=self.px(value), y=base + 18, class_="tick", text_anchor="middle")
            )
        parts.append(element("text", unit, x=end, y=self.height - 6, class_="tick", text_anchor="end"))
        return [*parts, element("line", x1=start, x2=end, y1=base, y2=base, class_="axis")]

    def picture(self, words: str, parts: list[Markup], **attributes: str) -> Markup:
        """Return the drawing of these parts; `words` describe it to those who do not see it."""
        return element(
            "svg",
            element("title", words),
            *parts,
            viewBox=f"0 0 {self.width} {self.height}",
            role="img",
            aria_label=words,
            **attributes,
        )
