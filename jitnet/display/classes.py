"""What the network makes of the test images after each evaluation: digits drawn small, every class, confusions."""

from functools import cache, lru_cache

from rich.cells import cell_len, set_cell_size

from jitnet.display.format import class_figures, percent_number
from jitnet.display.live.frame import Glyphs, Line, blend, fit, panel
from jitnet.display.live.progress import DashboardState
from jitnet.printing import printable

SIDE = 10  # pixels of a small digit
ROWS = SIDE // 2 + 2  # of the panel without its box: digits, their marks, the classes
CELL = 4  # columns of a cell of the confusions
_ASCII = " .:-=+*#%@"
_LATER = "after the first evaluation"


Confusion = tuple[tuple[int, ...], ...]  # images by (true class, predicted class)


def confusion_of(state: DashboardState) -> Confusion:
    """Return the confusions of the latest evaluation."""
    return state.epochs[-1].confusion if state.epochs else ()


def accuracies(confusion: Confusion) -> list[float | None]:
    """Return each class's accuracy in percent; None of a class without images."""
    return [None if each.recall is None else 100 * each.recall for each in class_figures(confusion)]


def short_names(names: tuple[str, ...], classes: int, width: int) -> list[str]:
    """Return the classes' names in at most `width` cells, their numbers where names so short are not all different.

    >>> short_names(("sandal", "shirt"), 2, 3), short_names(("shirt", "shoe"), 2, 2), short_names((), 2, 3)
    (['san', 'shi'], ['0', '1'], ['0', '1'])
    """
    shown = [printable(name) for name in names]
    cut = [set_cell_size(name, min(max(width, 0), cell_len(name))).strip() for name in shown]
    return cut if len(set(cut)) == classes and all(cut) else list(map(str, range(classes)))


def class_line(confusion: Confusion, width: int, glyphs: Glyphs, names: tuple[str, ...] = ()) -> Line:
    """Return all classes in one line, as many as fit; the worst is marked in shape, not only in colour."""
    values = accuracies(confusion)
    if not values:
        return [("each class's accuracy, " + _LATER, "label")]
    line: Line = [("right %  ", "label")] if width >= 9 + 9 * len(values) else []
    room = min(12, (width - 9 * len(line)) // len(values))
    known = [value for value in values if value is not None]
    for label, value in zip(short_names(names, len(values), room - 7), values):
        sign = glyphs.now if value is not None and value == min(known) < max(known) else " "
        text = percent_number(value, 1 if room >= 8 else 0)
        line += [(f"{sign}{label}:", "label"), (text.ljust(room - 2 - cell_len(label)), _tone(value, known))]
    return line


def digits_panel(state: DashboardState, width: int, glyphs: Glyphs, boxed: bool = True) -> list[Line]:
    """Return a panel of test images, each with what it was taken for, `7`, or `2 not 7` if that is wrong; and classes.

    Of classes with names a wrong answer is `cat/dog`, the answer first. It has ROWS lines and its box.
    """
    run, last = state.run, state.epochs[-1] if state.epochs else None
    sample, labels, names = (run.sample, run.sample_labels, run.class_names) if run else ((), (), ())
    found = last.sample_predictions[: len(sample)] if last else ()
    fitting = (width - 2) // (SIDE + 2)
    errors = 0
    if last is not None and last.worst:  # the second half of the room is theirs
        errors = min(len(last.worst), fitting - fitting // 2)
        kept = min(len(sample), fitting - errors)
        sample = (*sample[:kept], *last.worst[:errors])
        labels = (*labels[:kept], *last.worst_labels[:errors])
        found = (*found[:kept], *last.worst_predictions[:errors])
    return _digits_panel(sample, labels, found, errors, confusion_of(state), names, width, glyphs, boxed)


@lru_cache(maxsize=8)  # it changes once an epoch, and has more pieces than all the rest
def _digits_panel(
    sample: tuple[str, ...],
    labels: tuple[int, ...],
    found: tuple[int, ...],
    errors: int,  # how many of the last ones are the largest errors
    confusion: Confusion,
    names: tuple[str, ...],
    width: int,
    glyphs: Glyphs,
    boxed: bool,
) -> list[Line]:
    inner = width - 4
    count = min(len(sample), (inner + 2) // (SIDE + 2))
    gap = min(6, (inner - count * SIDE) // max(1, count - 1))
    lines: list[Line] = [[] for _ in range(ROWS - 1)]
    for place in range(count):
        wrong = place < len(found) and found[place] != labels[place]
        verdict = fit(_verdict(labels[place], found, place, names, glyphs), SIDE, glyphs)
        for line, pieces in zip(lines, [*_drawn(sample[place], wrong, glyphs), verdict]):
            line += [(" " * gap if place else "", ""), *pieces]
    first = count - errors
    right = sum(a == b for a, b in zip(found[:first], labels))
    score: Line = [(f"{right} of {first} right", "accuracy" if right == first else "val")] if found else []
    if errors:
        every = sum(map(sum, confusion)) - sum(row[label] for label, row in enumerate(confusion))
        score += [(f"; {errors} largest of {every:,} errors" if confusion else f"; {errors} largest errors", "error")]
    body = [*lines, class_line(confusion, inner, glyphs, names)]
    title = "test digits" if _are_numbers(names) else "test images, a wrong answer with the true class after it"
    return panel([(title, "label")], score, body, width, ROWS + (2 if boxed else 1), glyphs, boxed)


def _are_numbers(names: tuple[str, ...]) -> bool:
    return all(name.isdecimal() for name in names)


def _verdict(label: int, found: tuple[int, ...], place: int, names: tuple[str, ...], glyphs: Glyphs) -> Line:
    """Return what is said below a picture: its class, and if it was answered, whether that is right."""
    whole, short = (short_names(names, len(names) or max((label, *found)) + 1, width) for width in (SIDE - 3, 3))
    if place >= len(found):
        return [(whole[label].center(SIDE), "label")]
    if found[place] == label:
        return [(f"{glyphs.right} {whole[label]}".center(SIDE), "accuracy")]
    between = " not " if _are_numbers(names) else "/"
    return [(f"{glyphs.wrong} {short[found[place]]}{between}{short[label]}".center(SIDE), "error")]


def _drawn(pixels: str, wrong: bool, glyphs: Glyphs) -> list[Line]:
    """Return a digit as lines of half blocks, grey where there are greys and red if it is wrong, or of ASCII."""
    rows = [[int(grey, 16) for grey in pixels[start : start + SIDE]] for start in range(0, len(pixels), SIDE)]
    lines: list[Line] = []
    for top, bottom in zip(rows[::2], rows[1::2]):
        if glyphs.greys:
            lines.append([("▀", f"{_grey(a, wrong)} on {_grey(b, wrong)}") for a, b in zip(top, bottom)])
        elif glyphs.braille:
            lines.append([("".join(" ▄▀█"[2 * (a >= 6) + (b >= 6)] for a, b in zip(top, bottom)), "digit")])
        else:
            lines.append([("".join(_ASCII[(a + b) * 9 // 30] for a, b in zip(top, bottom)), "digit")])
    return lines


@cache
def _grey(level: int, wrong: bool) -> str:
    return blend("#2b323a", "#ff8f80" if wrong else "#ffffff", level / 15, 15)


def confusion_size(classes: int) -> tuple[int, int]:
    """Return the columns and rows of the panel of confusions."""
    return CELL * classes + 7, classes + 3


@lru_cache(maxsize=8)
def confusion_panel(
    confusion: Confusion, width: int, rows: int, glyphs: Glyphs, boxed: bool = True, names: tuple[str, ...] = ()
) -> list[Line]:
    """Return a heat map: a row is a true class, a column what it was taken for; on the diagonal the percent right."""
    body: list[Line] = [[(_LATER, "label")]]
    if confusion:
        most = max(count for label, row in enumerate(confusion) for i, count in enumerate(row) if i != label)
        shown = short_names(names, len(confusion), CELL - 1)
        left = max(2, max(map(cell_len, shown)))
        body = [[(" " * left + "".join(_right_set(name, CELL) for name in shown), "label")]]
        shares = accuracies(confusion)
        for label, row in enumerate(confusion):
            line: Line = [(_right_set(shown[label], left), "label")]
            for other, count in enumerate(row):
                if other == label:
                    line.append((percent_number(shares[label], 0).rjust(CELL), "accuracy"))
                else:
                    line.append((f"{min(count, 999):>{CELL}}" if count else " " * CELL, _heat(count, most)))
            body.append(line)
    right: Line = [(f"true {glyphs.down}  taken for {glyphs.now}", "label")]
    return panel([("confusions", "label")], right, body, width, rows, glyphs, boxed)


def _right_set(text: str, width: int) -> str:
    """Return text at the right end of `width` cells."""
    return " " * (width - cell_len(text)) + text


def _heat(count: int, most: int) -> str:
    if not count:
        return ""
    return f"#ffffff on {blend('#4a3436', '#c23b33', count / most)}"


def _tone(value: float | None, known: list[float]) -> str:
    if value is None:
        return "label"
    return "error" if value == min(known) < max(known) else "val" if value < sum(known) / len(known) else "accuracy"
