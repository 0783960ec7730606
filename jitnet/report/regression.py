"""A regression on its test rows: the error, predicted against true values, and the residuals."""

from dataclasses import dataclass

import numpy as np

from jitnet.display.format import count, number, significant
from jitnet.display.scale import Scale, round_step
from jitnet.report.axes import Area
from jitnet.report.html import Markup, element, join, table

_POINTS = 2_000  # of the drawing; of more, evenly chosen ones are drawn
_FEW = 200  # points that are drawn larger
_BINS = 24  # about, of the histogram


@dataclass(frozen=True)
class Residuals:
    """A network's predictions on its test rows, in the target's unit."""

    data: str
    target: str
    true: np.ndarray  # (n,) float64
    predicted: np.ndarray  # (n,) float64

    @property
    def rows(self) -> int:
        """The number of test rows."""
        return len(self.true)

    @property
    def errors(self) -> np.ndarray:
        """Predicted minus true, (n,) float64."""
        return self.predicted - self.true

    @property
    def rmse(self) -> float:
        """The root mean squared error."""
        return float(np.sqrt(np.mean(self.errors**2)))

    @property
    def mean_error(self) -> float:
        """The mean absolute error."""
        return float(np.abs(self.errors).mean())

    @property
    def explained(self) -> float | None:
        """R squared: the share of the true values' variance that is explained; None if they are all equal."""
        variance = float(np.var(self.true))
        return 1 - float(np.mean(self.errors**2)) / variance if variance else None


def residuals(
    data: str, target: str, outputs: np.ndarray, targets: np.ndarray, unit: float, mean: float = 0.0
) -> Residuals:
    """Return the residuals of a network.

    Parameters
    ----------
    data, target : names of the data set and of its column
    outputs, targets : (n, 1) floats, less the mean of the training rows and divided by their deviation
    unit, mean : the square of that deviation, and that mean
    """
    true, predicted = (np.asarray(each, np.float64).reshape(-1) * unit**0.5 + mean for each in (targets, outputs))
    return Residuals(data, target, true, predicted)


def regression(found: Residuals) -> Markup:
    """Return the drawings and the figures of a regression."""
    rows: list[list[object]] = [
        ["root mean squared error", significant(found.rmse)],
        ["mean absolute error", significant(found.mean_error)],
        ["mean error", significant(float(found.errors.mean()))],
        ["largest absolute error", significant(float(np.abs(found.errors).max()))],
        ["share of the variance explained (R²)", number(found.explained, 4)],
    ]
    caption = f"{count(found.rows, 'test row')} of {found.data}, in the unit of {found.target!r}."
    return join(
        [
            element("h3", "Predicted and true"),
            element("div", _figure("Predicted against true", "a point for each test row", _scatter(found)),
                    _figure("Residuals: predicted minus true", "in test rows", _histogram(found)), class_="columns"),
            table(caption, ["", "value"], rows),
        ]
    )  # fmt: skip


def _figure(title: str, what: str, drawn: Markup) -> Markup:
    caption = element("figcaption", element("strong", title), element("span", what, class_="note"))
    return element("figure", caption, drawn)


def _scatter(found: Residuals) -> Markup:
    """Return a point for each test row; on the dashed line prediction and truth are equal."""
    scale = Scale.linear(map(float, (*found.true, *found.predicted)))
    area = Area(scale, scale)
    chosen = np.unique(np.linspace(0, found.rows - 1, min(found.rows, _POINTS)).astype(int))
    radius = 3.5 if len(chosen) < _FEW else 2
    points = [
        element("circle", cx=area.px(float(found.true[i])), cy=area.py(float(found.predicted[i])), r=radius,
                class_="dot c0", fill_opacity="0.6")
        for i in chosen
    ]  # fmt: skip
    ends = {"x1": area.px(scale.low), "y1": area.py(scale.low), "x2": area.px(scale.high), "y2": area.py(scale.high)}
    line = element("line", **ends, class_="axis", stroke_dasharray="5 4")
    words = f"Predicted against true {found.target} of {count(found.rows, 'test row')}; on the dashed line both agree"
    return area.picture(words, [*area.grid(f"true {found.target}"), line, *points])


def _histogram(found: Residuals) -> Markup:
    """Return how many test rows have an error of about which size."""
    span = float(found.errors.max() - found.errors.min())
    step = round_step((span or abs(float(found.errors[0])) or 1.0) / _BINS)
    places = np.floor(found.errors / step).astype(np.int64)
    first, counts = int(places.min()), np.bincount(places - places.min())
    area = Area(Scale(first * step, (first + len(counts)) * step), Scale.around([float(counts.max())]))
    bars = []
    for place, rows in enumerate(counts.tolist()):
        low, high = (first + place) * step, (first + place + 1) * step
        title = f"{count(rows, 'row')} from {significant(low, 4)} to {significant(high, 4)}"
        bars.append(
            element("rect", element("title", title), x=area.px(low) + 0.5, y=area.py(rows),
                    width=area.px(high) - area.px(low) - 1, height=area.py(0) - area.py(rows), class_="dot c0",
                    fill_opacity="0.75")
        )  # fmt: skip
    words = f"Histogram of the residuals of {found.target}: mean {significant(float(found.errors.mean()), 4)}"
    return area.picture(words, [*area.grid(f"predicted minus true {found.target}"), *bars])
