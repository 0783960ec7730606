"""The network drawn as shapes, each as high and wide as its layer, with the recent change of each layer's weights."""

from math import log2, sqrt

from jitnet.display.live.frame import Glyphs, Line, bar, blend
from jitnet.display.live.progress import DashboardState
from jitnet.events import RunStarted
from jitnet.printing import printable

_LEVELS = " ▁▂▃▄▅▆▇█"
_CALM, _MOVING = "#7a5c30", "#dd8f20"
_NARROWEST, _WIDEST = 9, 20  # columns of a layer


def drawing(state: DashboardState, width: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Return `rows` lines of shapes, their extents, and a meter for each layer; none where they do not fit.

    A map is as high as it is, with columns by the logarithm of its channels; a dense layer is as high as a square
    of as many numbers. So 28x28x1 and 784 are of one height.
    """
    run = state.run
    names = _names(run) if run else []
    column = min(_WIDEST, width // max(1, len(names)))
    if run is None or not names or column < _NARROWEST or any(len(extent) >= column for extent in run.extents):
        return []
    shapes = [_shape(extent, run.extents[0]) for extent in run.extents]
    tones = [_tone(share) for share in state.moving]
    lines: list[Line] = [[] for _ in range(rows + 2)]
    for place, ((wide, high), extent, name, tone) in enumerate(zip(shapes, run.extents, names, tones, strict=True)):
        wide = min(wide, column - 3)
        for row in range(rows):
            level = min(8, max(0, round(8 * (high * rows - (rows - 1 - row)))))
            if row == rows - 1:
                level = max(1, level)
            last = row == rows - 1 and place < len(names) - 1
            lines[row] += _cell(_block(level, glyphs) * wide, column, tone, glyphs.now if last else " ")
        lines[rows] += _cell(printable(extent), column, "strong" if state.moving[place] == 1 else "")
        lines[rows + 1] += _meter(state, place, name, column, tone, glyphs)
    return lines


def in_a_line(run: RunStarted, state: DashboardState, width: int, glyphs: Glyphs) -> Line:
    """Return the extents from the image to the output; where there is room each is drawn as high as it is."""
    arrow = f" {glyphs.now} "
    plain = printable(arrow.join(run.extents))
    if not glyphs.braille or not run.extents or len(plain) + 2 * len(run.extents) > width:
        return [(plain, "")]
    line: Line = []
    for extent, share in zip(run.extents, state.moving, strict=True):
        level = max(1, min(8, round(8 * _shape(extent, run.extents[0])[1])))
        line += [(arrow if line else "", "box"), (_LEVELS[level], _tone(share))]
        line += [(f" {printable(extent)}", "strong" if share == 1 else "")]
    return line


def _names(run: RunStarted) -> list[str]:
    """Return what each extent is of, without the size, which it repeats; nothing if they do not fit together."""
    names = ["image", *(layer.partition(":")[0].rstrip("0123456789") for layer in run.architecture.split())]
    return [printable(name) for name in names] if len(names) == len(run.extents) else []


def _shape(extent: str, first: str) -> tuple[int, float]:
    """Return columns, and the height as a share of the image's.

    >>> _shape("14x14x32", "28x28x1"), _shape("784", "28x28x1")
    ((6, 0.5), (2, 1.0))
    """
    numbers = [int(number) for number in extent.split("x")]
    highest = int(first.split("x")[0])
    if len(numbers) == 3:
        return 1 + round(log2(numbers[2])) + (numbers[2] == 1), numbers[0] / highest
    return 2, min(1.0, sqrt(numbers[0]) / highest)


def _tone(share: float) -> str:
    """Return the colour of a layer that moves so much of what the most moving one does."""
    return blend(_CALM, _MOVING, share) if share else "box"


def _block(level: int, glyphs: Glyphs) -> str:
    return _LEVELS[level] if glyphs.braille else "#" if level >= 4 else "_" if level else " "


def _cell(text: str, column: int, tone: str, sign: str = " ") -> Line:
    """Return text in the middle of a column, with a sign at its right edge."""
    left = (column - 1 - len(text)) // 2
    return [(" " * left, ""), (text, tone), (" " * (column - 1 - left - len(text)), ""), (sign, "box")]


def _meter(state: DashboardState, place: int, name: str, column: int, tone: str, glyphs: Glyphs) -> Line:
    """Return a layer's name, with a bar for the recent change of its weights if it has any."""
    share = state.moving[place]
    if not share or state.evaluating:
        return _cell("moving:" if place == 0 and any(state.moving) and not state.evaluating else name, column, "label")
    size = min(8, column - len(name) - 2)
    left = (column - 2 - len(name) - size) // 2
    right = column - left - len(name) - size - 1
    return [(" " * left, ""), (f"{name} ", "label"), *bar(share, size, tone, glyphs), (" " * right, "")]
