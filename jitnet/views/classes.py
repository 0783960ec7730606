"""What the network makes of the test images after each evaluation: every class, and some digits drawn small."""

from jitnet.views.frame import Glyphs, Line, fit, panel
from jitnet.views.progress import DashboardState

SIDE = 10  # pixels of a small digit
ROWS = SIDE // 2 + 3  # of the panel: digits, their marks, the box
_ASCII = " .:-=+*#%@"


def accuracies(state: DashboardState) -> list[float | None]:
    """Return each class's accuracy in percent after the latest evaluation; None of a class without images."""
    rows = state.epochs[-1].confusion if state.epochs else ()
    return [100 * row[label] / sum(row) if sum(row) else None for label, row in enumerate(rows)]


def class_line(state: DashboardState, width: int) -> Line:
    """Return all classes in one line, as many as fit."""
    line: Line = [("  classes ", "label")]
    values = accuracies(state)
    if not values:
        return [*line, ("each one's accuracy, after the first evaluation", "label")]
    digits = 1 if width >= 10 + 8 * len(values) else 0
    gap = "  " if width >= 80 else " "
    for label, value in enumerate(values):
        line += [(f"{label}:", "label"), (f"{_percent(value, digits)}{gap}", _tone(value, values))]
    return line


def class_panel(state: DashboardState, width: int, glyphs: Glyphs) -> list[Line]:
    """Return a panel of the classes in two columns; the worst is marked in shape, not only in colour."""
    values = accuracies(state)
    half = ROWS - 2
    body: list[Line] = []
    known = [value for value in values if value is not None]
    for row in range(half):
        line: Line = []
        for label in (row, row + half):
            if label < len(values) and label < 2 * half:
                value = values[label]
                worst = value is not None and value == min(known)
                sign = glyphs.now if worst else " "
                line += [(f"{sign}{label:>2} ", "label"), (f"{_percent(value, 2):>6}  ", _tone(value, values))]
        body.append(line)
    if not values:
        body = [[("after the first", "label")], [("evaluation", "label")]]
    return panel([("each class %", "label")], [], body, width, ROWS, glyphs)


def digits_panel(state: DashboardState, width: int, glyphs: Glyphs) -> list[Line]:
    """Return a panel of test digits, each with what it was taken for: `7`, or `2 not 7` if that is wrong."""
    run = state.run
    inner = width - 4
    if run is None:
        return panel([("test digits", "label")], [], [], width, ROWS, glyphs)
    count = min(len(run.sample), (inner + 2) // (SIDE + 2))
    found = state.epochs[-1].sample_predictions if state.epochs else ()
    body: list[Line] = [[] for _ in range(ROWS - 2)]
    for place in range(count):
        for row, text in enumerate(_drawn(run.sample[place], glyphs)):
            body[row] += [(text, "digit"), ("  ", "")]
        body[-1] += [*fit(_verdict(run.sample_labels[place], found, place, glyphs), SIDE, glyphs), ("  ", "")]
    right = sum(a == b for a, b in zip(found[:count], run.sample_labels))
    score: Line = [(f"{right} of {count} right", "accuracy" if right == count else "val")] if found else []
    return panel([("test digits", "label")], score, body, width, ROWS, glyphs)


def _verdict(label: int, found: tuple[int, ...], place: int, glyphs: Glyphs) -> Line:
    if place >= len(found):
        return [(f"{label}".center(SIDE), "label")]
    if found[place] == label:
        return [(f"{glyphs.right} {label}".center(SIDE), "accuracy")]
    return [(f"{glyphs.wrong} {found[place]} not {label}".center(SIDE), "error")]


def _drawn(pixels: str, glyphs: Glyphs) -> list[str]:
    """Return a digit as lines of half blocks, or of ASCII where those cannot be shown."""
    rows = [[int(grey, 16) for grey in pixels[start : start + SIDE]] for start in range(0, len(pixels), SIDE)]
    lines = []
    for top, bottom in zip(rows[::2], rows[1::2]):
        if glyphs.braille:
            lines.append("".join(" ▄▀█"[2 * (a >= 6) + (b >= 6)] for a, b in zip(top, bottom)))
        else:
            lines.append("".join(_ASCII[(a + b) * 9 // 30] for a, b in zip(top, bottom)))
    return lines


def _percent(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{min(value, 99.9 if digits == 1 and value < 100 else value):.{digits}f}"


def _tone(value: float | None, values: list[float | None]) -> str:
    known = [each for each in values if each is not None]
    if value is None or not known:
        return "label"
    return "error" if value == min(known) < max(known) else "val" if value < sum(known) / len(known) else "accuracy"
