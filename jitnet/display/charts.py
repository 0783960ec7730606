"""The two curves of the screen, loss and accuracy, over the epochs."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from jitnet.display.curves import Points, draw
from jitnet.display.format import count, percent_number, significant
from jitnet.display.live.frame import Glyphs, Line, panel
from jitnet.display.live.progress import DashboardState
from jitnet.display.scale import Scale, round_step

GUTTER = 7  # label and axis at the left of a plot


@dataclass(frozen=True)
class _Curve:
    """What to draw: a line, and marks next to it."""

    scale: Scale
    lines: tuple[tuple[Points, str], ...]  # with their tones; later ones are drawn over earlier ones
    marks: Points
    epochs: int  # at the right end


def loss_chart(state: DashboardState, width: int, rows: int, glyphs: Glyphs, boxed: bool = True) -> list[Line]:
    """Return the panel of the training loss, one point per call, in exactly `rows` lines."""
    points = state.losses.points
    curve = _Curve(Scale.around(loss for _, loss in points), ((points, "loss"),), [], _epochs_shown(state))
    body = _plot(curve, width - 4, rows - (2 if boxed else 1), glyphs)
    return panel([("training loss", "label")], [], body, width, rows, glyphs, boxed)


def accuracy_chart(state: DashboardState, width: int, rows: int, glyphs: Glyphs, boxed: bool = True) -> list[Line]:
    """Return the panel of the accuracy, or of a regression's error, after each epoch, in exactly `rows` lines."""
    if state.run is not None and state.run.classes == 1:
        return _error_chart(state, width, rows, glyphs, boxed)
    test = tuple((row.epoch + 1.0, row.test_accuracy) for row in state.epochs if row.test_accuracy is not None)
    val = tuple((row.epoch + 1.0, row.val_accuracy) for row in state.epochs if row.val_accuracy is not None)
    return _accuracy_chart(tuple(state.seen.points), test, val, _epochs_shown(state), width, rows, glyphs, boxed)


def _error_chart(state: DashboardState, width: int, rows: int, glyphs: Glyphs, boxed: bool) -> list[Line]:
    errors = [(row.epoch + 1.0, row.test_rmse) for row in state.epochs if row.test_rmse is not None]
    now: Line = [(f"test {significant(errors[-1][1], 4)}", "accuracy")] if errors else []
    curve = _Curve(Scale.around(error for _, error in errors), ((errors, "accuracy"),), [], _epochs_shown(state))
    body = _plot(curve, width - 4, rows - (2 if boxed else 1), glyphs)
    return panel([("rmse", "label")], now, body, width, rows, glyphs, boxed)


@lru_cache(maxsize=8)  # it changes once an epoch, and when the training accuracy is measured
def _accuracy_chart(
    seen: Points, test: Points, val: Points, epochs: int, width: int, rows: int, glyphs: Glyphs, boxed: bool
) -> list[Line]:
    scale = Scale.around((value for _, value in (*seen, *test, *val)), accuracy=True)
    names = ("test ", "val ", "training ") if width >= 41 else ("", "", "")
    now: Line = []
    if seen and width >= 32:
        now += [(f"{names[2]}{percent_number(seen[-1][1], 1)}", "train"), ("  " if test or val else "", "")]
    if test:
        now += [(f"{names[0]}{percent_number(test[-1][1])}", "accuracy")]
    if val:
        now += [("  " if test else "", ""), (f"{glyphs.mark} {names[1]}{percent_number(val[-1][1])}", "val")]
    curve = _Curve(scale, ((seen, "train"), (test, "accuracy")), val, epochs)
    body = _plot(curve, width - 4, rows - (2 if boxed else 1), glyphs)
    title = "accuracy %" if width >= 32 else "accuracy"
    return panel([(title, "label")], now, body, width, rows, glyphs, boxed)


def _plot(curve: _Curve, width: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Return the curve with labels at the left, and below it an axis and the epochs: `rows` lines of `width`."""
    columns, rows = width - GUTTER, rows - 2
    dash, wall, tick, corner = glyphs.box[4:]
    labels = curve.scale.label_rows(rows) if curve.marks or any(points for points, _ in curve.lines) else {}
    layers = []
    for points, tone in curve.lines:
        placed = [(min(1.0, x / curve.epochs), curve.scale.place(y)) for x, y in points]
        layers.append((draw(placed, columns, rows, glyphs.braille), tone))
    marks = {
        (round((1 - curve.scale.place(y)) * (rows - 1)), round(min(1.0, x / curve.epochs) * (columns - 1)))
        for x, y in curve.marks
    }
    lines: list[Line] = []
    for row in range(rows):
        label = f"{labels[row]:g}" if row in labels else ""
        cells = [(" ", "")] * columns
        for texts, tone in layers:
            cells = [(sign, tone) if sign != " " else cell for sign, cell in zip(texts[row], cells)]
        for column in (column for marked, column in marks if marked == row):
            cells[column] = (glyphs.mark, "val")
        pieces = [("".join(sign for sign, _ in run), tone) for tone, run in groupby(cells, key=lambda cell: cell[1])]
        lines.append([(f"{label:>{GUTTER - 2}} ", "label"), (tick if row in labels else wall, "box"), *pieces])
    lines.append([(" " * (GUTTER - 1), ""), (corner + dash * columns, "box")])
    lines.append([(" " * GUTTER, ""), (_epoch_labels(curve.epochs, columns), "label")])
    return lines


def _epochs_shown(state: DashboardState) -> int:
    """Return the right end of the plots: 1, 2, 5, 10, ... epochs, so that the first ones are not squeezed."""
    total = max(1, state.run.epochs if state.run else 1, len(state.epochs))
    return min(total, int(round_step(max(1.0, state.epoch + state.fraction))))


def _epoch_labels(epochs: int, columns: int) -> str:
    """Return the numbers under a plot, at their places; the last one names the unit."""
    text = [" "] * columns
    last = count(epochs)
    text[columns - len(last) :] = last
    for value in range(0, epochs, int(round_step(max(1.0, 6 * epochs / columns)))):
        at, label = round(value / epochs * (columns - 1)), str(value)
        if at + len(label) + 1 < columns - len(last):
            text[at : at + len(label)] = label
    return "".join(text)
