"""The two curves of the screen, loss and accuracy, over the epochs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from jitnet.display.curves import Axis, Points, draw, label_rows
from jitnet.display.live.frame import Glyphs, Line, panel
from jitnet.display.live.progress import DashboardState, counted

GUTTER = 7  # label and axis at the left of a plot


@dataclass(frozen=True)
class _Curve:
    """What to draw: a line, marks beside it, and how a value is written at the axis."""

    axis: Axis
    line: Points
    marks: Points
    tone: str
    label: Callable[[float], str]
    epochs: int  # at the right end


def loss_chart(state: DashboardState, width: int, rows: int, glyphs: Glyphs, boxed: bool = True) -> list[Line]:
    """Return the panel of the training loss, one point per call, in exactly `rows` lines."""
    points = state.losses.points
    axis = Axis.around(loss for _, loss in points)
    now: Line = [(f"{points[-1][1]:.4f}", "loss")] if points else []
    curve = _Curve(axis, points, [], "loss", lambda value: f"{value:g}", _epochs_shown(state))
    body = _plot(curve, width - 4, rows - (2 if boxed else 1), glyphs)
    return panel([("loss", "label")], now, body, width, rows, glyphs, boxed)


def accuracy_chart(state: DashboardState, width: int, rows: int, glyphs: Glyphs, boxed: bool = True) -> list[Line]:
    """Return the panel of the accuracy after each epoch, in exactly `rows` lines.

    Its scale is that of the error, upside down: from 98 to 99 % is as good a step as from 80 to 90.
    """
    test = tuple((row.epoch + 1.0, 100 - row.test_accuracy) for row in state.epochs if row.test_accuracy is not None)
    val = tuple((row.epoch + 1.0, 100 - row.val_accuracy) for row in state.epochs if row.val_accuracy is not None)
    return _accuracy_chart(test, val, _epochs_shown(state), width, rows, glyphs, boxed)


@lru_cache(maxsize=8)  # it changes once an epoch
def _accuracy_chart(
    test: Points, val: Points, epochs: int, width: int, rows: int, glyphs: Glyphs, boxed: bool
) -> list[Line]:
    axis = Axis.around((error for _, error in (*test, *val)), falling=True)
    names = ("test ", "val ") if width >= 41 else ("", "")
    now: Line = []
    if test:
        now += [(f"{names[0]}{100 - test[-1][1]:.2f}", "accuracy")]
    if val:
        now += [("  " if test else "", ""), (f"{glyphs.mark} {names[1]}{100 - val[-1][1]:.2f}", "val")]
    curve = _Curve(axis, test, val, "accuracy", lambda error: f"{100 - error:g}", epochs)
    body = _plot(curve, width - 4, rows - (2 if boxed else 1), glyphs)
    title = "accuracy %" if width >= 32 else "accuracy"
    return panel([(title, "label")], now, body, width, rows, glyphs, boxed)


def _plot(curve: _Curve, width: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Return the curve with labels at the left, and below it an axis and the epochs: `rows` lines of `width`."""
    columns, rows = width - GUTTER, rows - 2
    dash, wall, tick, corner = glyphs.box[4:]
    labels = label_rows(curve.axis, rows) if curve.line or curve.marks else {}
    placed = [(min(1.0, x / curve.epochs), curve.axis.place(y)) for x, y in curve.line]
    marks = {
        (round((1 - curve.axis.place(y)) * (rows - 1)), round(min(1.0, x / curve.epochs) * (columns - 1)))
        for x, y in curve.marks
    }
    lines: list[Line] = []
    for row, text in enumerate(draw(placed, columns, rows, glyphs.braille)):
        label = curve.label(labels[row]) if row in labels else ""
        line: Line = [(f"{label:>{GUTTER - 2}} ", "label"), (tick if row in labels else wall, "box")]
        start = 0
        for column in sorted(column for marked, column in marks if marked == row):
            line += [(text[start:column], curve.tone), (glyphs.mark, "val")]
            start = column + 1
        lines.append([*line, (text[start:], curve.tone)])
    lines.append([(" " * (GUTTER - 1), ""), (corner + dash * columns, "box")])
    lines.append([(" " * GUTTER, ""), (_epoch_labels(curve.epochs, columns), "label")])
    return lines


def _round_steps(least: float) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50, ... that is at least `least`."""
    return next(d * 10**power for power in range(20) for d in (1, 2, 5) if d * 10**power >= least)


def _epochs_shown(state: DashboardState) -> int:
    """Return the right end of the plots: 1, 2, 5, 10, ... epochs, so that the first ones are not squeezed."""
    total = max(1, state.run.epochs if state.run else 1, len(state.epochs))
    return min(total, _round_steps(state.epoch + state.fraction))


def _epoch_labels(epochs: int, columns: int) -> str:
    """Return the numbers under a plot, at their places; the last one names the unit."""
    text = [" "] * columns
    last = counted(epochs)
    text[columns - len(last) :] = last
    for value in range(0, epochs, _round_steps(6 * epochs / columns)):
        at, label = round(value / epochs * (columns - 1)), str(value)
        if at + len(label) + 1 < columns - len(last):
            text[at : at + len(label)] = label
    return "".join(text)
