"""Lines of styled text, and the few shapes screens are built from: panels, bars, things side by side.

Lines are put together by hand rather than with rich's layouts: a frame has exactly the width and height that
it should have, so nothing jumps, and it is drawn several times faster, so the kernels keep the processor.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.style import Style

Line = list[tuple[str, str]]  # pieces of text, each with its tone: a name below, or what rich takes for a style

TONES = {  # mid tones, which read on dark and on light terminals; what is read most has the terminal's own colour
    "": Style.null(),
    "box": Style.parse("#76797d"),
    "label": Style.null(),
    "digit": Style.null(),
    "strong": Style.parse("bold"),
    "title": Style.parse("bold #4c9fd8"),
    "loss": Style.parse("#4c9fd8"),
    "accuracy": Style.parse("#3fa97c"),
    "best": Style.parse("bold #3fa97c"),
    "val": Style.parse("#b5832a"),
    "train": Style.parse("#8f7fd0"),
    "alert": Style.parse("bold #1c1c1c on #e0b050"),
    "error": Style.parse("bold #d9534f"),
}


def style_of(tone: str) -> Style:
    """Return how a tone looks."""
    return TONES[tone] if tone in TONES else Style.parse(tone)


def blend(low: str, high: str, share: float, steps: int = 8) -> str:
    """Return the colour at a share of the way between two colours, rounded to `steps` steps so that it seldom changes.

    >>> blend("#000000", "#ff8000", 0.5)
    '#804000'
    """
    share = round(share * steps) / steps
    pairs = ((int(low[i : i + 2], 16), int(high[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in pairs)


@dataclass(frozen=True)
class Glyphs:
    """The characters beyond letters that a screen may use."""

    box: tuple[str, ...]  # corners clockwise from the top left, horizontal, vertical, axis tick, axis corner
    bar: tuple[str, ...]  # done, half done, to do
    dot: str
    ellipsis: str
    best: str
    now: str
    down: str
    mark: str
    right: str
    wrong: str
    braille: bool
    greys: bool = False  # may each character have its own colours, so that it shows two pixels?


UNICODE = Glyphs(tuple("╭╮╯╰─│┤└"), tuple("━╸─"), "·", "…", "★", "▸", "▾", "◆", "✓", "✗", True)
GREYS = replace(UNICODE, greys=True)
ASCII = Glyphs(tuple("++++-||+"), tuple("#=-"), "|", ".", "*", ">", "v", "o", "ok", "x", False)


def glyphs_for(encoding: str, terminal: str = "") -> Glyphs:
    """Return the richest glyphs that the encoding can write and the terminal (its TERM) can show.

    >>> glyphs_for("cp1252") is ASCII
    True
    """
    if terminal == "linux":  # the kernel's console speaks UTF-8, but its fonts know no braille
        return ASCII
    try:
        "╭╮╯╰─│┤└━╸·…★▸▾◆✓✗▀▄▁█⠿".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


class Frame:
    """A renderable of finished lines."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for line in self.lines:
            for text, tone in line:
                yield Segment(text, style_of(tone))
            yield Segment.line()


def fit(line: Line, width: int, glyphs: Glyphs) -> Line:
    """Return the line cut or padded to exactly `width` cells."""
    fitted: Line = []
    left = width
    for text, tone in line:
        size = len(text) if text.isascii() else cell_len(text)
        if size > left:
            cut = set_cell_size(text, max(0, left - 1)) + glyphs.ellipsis if left else ""
            fitted.append((cut, tone))
            return fitted
        fitted.append((text, tone))
        left -= size
    if left:
        fitted.append((" " * left, ""))
    return fitted


def panel(
    title: Line, right: Line, body: list[Line], width: int, rows: int, glyphs: Glyphs, boxed: bool = True
) -> list[Line]:
    """Return exactly `rows` lines: a title with `body` under it, in a box or below a mere rule."""
    top_left, top_right, bottom_right, bottom_left, dash, wall = glyphs.box[:6]
    start, end, side = (top_left + dash, dash + top_right, wall) if boxed else (dash * 2, dash * 2, " ")
    title = [(" ", ""), *title, (" ", "")]
    right = [(" ", ""), *right, (" ", "")] if right else []
    gap = width - 4 - sum(cell_len(text) for text, _ in title + right)
    if gap < 0:  # no room for both
        if right:
            return panel(title[1:-1], [], body, width, rows, glyphs, boxed)
        title, gap = fit(title, width - 4, glyphs), 0
    lines: list[Line] = [[(start, "box"), *title, (dash * gap, "box"), *right, (end, "box")]]
    shown = rows - 2 if boxed else rows - 1
    for line in (body + [[]] * shown)[:shown]:
        lines.append([(side + " ", "box"), *fit(line, width - 4, glyphs), (" " + side, "box")])
    if boxed:
        lines.append([(bottom_left + dash * (width - 2) + bottom_right, "box")])
    return lines


def side_by_side(left: list[Line], right: list[Line]) -> list[Line]:
    """Return two blocks of equal height side by side."""
    return [[*a, *b] for a, b in zip(left, right, strict=True)]


def bar(fraction: float, width: int, tone: str, glyphs: Glyphs) -> Line:
    """Return a progress bar of `width` cells; done and to do differ in shape, not in colour alone."""
    full, half, rest = glyphs.bar
    steps = int(min(1.0, max(0.0, fraction)) * width * 2)
    done = full * (steps // 2) + half * (steps % 2)
    return [(done, tone), (rest * (width - len(done)), "box")]


def spread(items: list[Line], width: int, most: int = 6) -> Line:
    """Return as many of the items as fit in one line, with equal gaps of at most `most` cells."""
    while items:
        free = width - sum(cell_len(text) for item in items for text, _ in item)
        gap = min(most, free // max(1, len(items) - 1))
        if gap >= 2 or (len(items) == 1 and free >= 0):
            return [piece for item in items for piece in (*item, (" " * gap, ""))][:-1]
        items = items[:-1]
    return []
