"""The numbers that people watch, large: accuracy, loss and the time that is left."""

from jitnet.display.format import clock, count, percent_number, significant
from jitnet.display.live.frame import Glyphs, Line, fit
from jitnet.display.live.progress import DashboardState

HIGH = 4  # rows: three of digits, one of labels
_GAP = 4  # columns between two numbers
_FONT = {  # three rows of each character
    "0": ("█▀█", "█ █", "█▄█"),
    "1": ("▀█ ", " █ ", "▄█▄"),
    "2": ("▀▀█", "▄▀▀", "█▄▄"),
    "3": ("▀▀█", " ▀█", "▄▄█"),
    "4": ("█ █", "▀▀█", "  █"),
    "5": ("█▀▀", "▀▀█", "▄▄█"),
    "6": ("█▀▀", "█▀█", "█▄█"),
    "7": ("▀▀█", " ▄▀", " █ "),
    "8": ("█▀█", "█▀█", "█▄█"),
    "9": ("█▀█", "▀▀█", "▄▄█"),
    ".": (" ", " ", "▄"),
    ":": ("▄", " ", "▀"),
    "-": ("   ", "▀▀▀", "   "),
}


def headline(state: DashboardState, width: int, glyphs: Glyphs) -> list[Line]:
    """Return HIGH lines: as many of the numbers as fit side by side, each with its label below."""
    blocks = [_block(*item, glyphs) for item in _numbers(state)]
    while len(blocks) > 1 and sum(wide for wide, _ in blocks) + _GAP * (len(blocks) - 1) > width:
        blocks.pop(1)  # the loss goes first
    gap = min(3 * _GAP, (width - sum(wide for wide, _ in blocks)) // max(1, len(blocks) - 1)) if len(blocks) > 1 else 0
    lines: list[Line] = []
    for row in range(HIGH):
        line: Line = []
        for wide, rows in blocks:
            line += [(" " * gap if line else "", ""), *fit(rows[row], wide, glyphs)]
        lines.append(line)
    return lines


def _numbers(state: DashboardState) -> list[tuple[str, str, str, str]]:
    """Return text, unit, label and tone of each number."""
    if state.compiling and not state.compiling.cached:
        left = state.compiling.left_s
        label = "so far" if left is None else "until training starts, about"
        return [(clock(state.compiling.seconds if left is None else max(1.0, left)), "", label, "strong")]
    run, last = state.run, state.epochs[-1] if state.epochs else None
    total = count(run.epochs) if run else "the run"
    loss = state.steps.epoch_loss if state.steps else last.train_loss if last else None
    which = f", epoch {state.epoch + 1}" if state.steps else f", epoch {last.epoch + 1}" if last else ""
    if state.end:
        time = (clock(state.elapsed_s), "", "in all", "strong")
    else:
        time = (clock(state.run_left_s), "", f"left of {total}", "strong")
    return [_quality(state), (_loss(loss), "", f"training loss{which}", "title"), time]


def _quality(state: DashboardState) -> tuple[str, str, str, str]:
    """Return the number that says how good the network is now: on test images as soon as there is one."""
    last = state.epochs[-1] if state.epochs else None
    if last is not None and last.test_rmse is not None:
        return significant(last.test_rmse, 4), "", f"test RMSE, epoch {last.epoch + 1}", "best"
    found = (("test", last.test_accuracy), ("validation", last.val_accuracy)) if last is not None else ()
    for name, value in found:
        if last is not None and value is not None:
            return percent_number(value), "%", f"{name} accuracy, epoch {last.epoch + 1}", "best"
    if state.seen.points:
        return percent_number(state.seen.points[-1][1], 1), "%", "training accuracy now", "best"
    is_number = state.run is not None and state.run.classes == 1
    return "-", "" if is_number else "%", "test RMSE" if is_number else "accuracy", "best"


def _loss(loss: float | None) -> str:
    if loss is None:
        return "-"
    return f"{loss:.4f}" if loss < 10 else significant(loss, 4)


def _block(text: str, unit: str, label: str, tone: str, glyphs: Glyphs) -> tuple[int, list[Line]]:
    """Return the columns of a number and its lines: large where the terminal has the characters."""
    if glyphs.braille and set(text) <= set(_FONT):
        rows: list[Line] = [[(" ".join(_FONT[sign][row] for sign in text), tone)] for row in range(3)]
    else:
        rows = [[], [(text, tone)], []]
    if unit:
        rows[2 if len(rows[2]) else 1].append((f" {unit}", tone))
    rows.append([(label, "label")])
    return max(sum(len(part) for part, _ in row) for row in rows), rows
