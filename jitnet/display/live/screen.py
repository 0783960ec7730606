"""The live screen as a pure function of the state, the width and the height."""

from rich.cells import cell_len

from jitnet.display.charts import accuracy_chart, loss_chart
from jitnet.display.classes import ROWS as DIGITS
from jitnet.display.classes import class_line, confusion_of, confusion_panel, confusion_size, digits_panel
from jitnet.display.format import clock, count, percentage
from jitnet.display.headline import headline
from jitnet.display.live.frame import UNICODE, Frame, Glyphs, Line, bar, fit, panel, side_by_side, spread
from jitnet.display.live.keys import HELP, PANELS
from jitnet.display.live.meanwhile import meanwhile
from jitnet.display.live.progress import DashboardState
from jitnet.display.network import drawing, in_a_line
from jitnet.display.plain import closing_lines
from jitnet.display.table import planned_rows, table
from jitnet.events import Diverged, Interrupted, RunStarted
from jitnet.printing import printable

WIDEST = 160  # beyond that eyes lose the row
SMALLEST = 60, 12  # columns and rows; below there is one status line
LARGE = 24  # rows from which accuracy, loss and time left are written large
BOXED = 36  # rows from which there is room for boxes
DRAWN = 52  # rows from which there is room for the network as a picture
TALLEST = 30  # rows of curves and table
LEAST = 8  # rows of a curve without a box
KEYS = "p pause  q stop  h help"


def render(state: DashboardState, width: int, height: int, glyphs: Glyphs = UNICODE, curves: bool = True) -> Frame:
    """Return a frame for a terminal of `width` columns and `height` rows, one row of which stays free.

    The layout depends on the planned run, not on what has happened so far, so that it stands still. Without `curves`
    they are omitted, for a page that has its own.
    """
    if width < SMALLEST[0] or height < SMALLEST[1]:
        return Frame([fit(_status(state, width), width, glyphs)])
    width, rows, boxed = min(width, WIDEST), height - 1, height >= BOXED
    lines = _header(state, width, glyphs, boxed, height >= LARGE)
    lines += _progress(state, width, glyphs, boxed)
    if state.help:
        return Frame(lines + _help(width, rows - len(lines), glyphs, boxed))
    if state.compiling and not state.compiling.cached:
        return Frame(lines + meanwhile(state, width, rows - len(lines), glyphs, boxed))
    if height >= DRAWN and (network := _network(state, width, glyphs)):
        lines += network
    lines += _classes(state, width, rows - len(lines), glyphs, boxed)
    left, wanted = rows - len(lines), planned_rows(state, boxed)
    if not curves:
        return Frame(lines + table(state, width, min(left, wanted), glyphs, boxed))
    if width >= 100 and left >= LEAST:
        lines += _abreast(state, width, min(left, TALLEST), glyphs, boxed)
    elif height >= 20:
        high = min(14 if boxed else 9, max(left - wanted, LEAST + boxed))
        lines += _charts_abreast(state, width, high, glyphs, boxed)
        lines += table(state, width, min(left - high, wanted), glyphs, boxed)
    else:
        lines += table(state, width, min(left, wanted), glyphs, boxed)
    return Frame(lines)


def render_end(
    state: DashboardState, width: int, glyphs: Glyphs = UNICODE, height: int = 40, curves: bool = True
) -> Frame:
    """Return what stays on the terminal: the result, curves, epochs, and last how the run ended and what is next.

    It fits a terminal of `height` rows, one of which stays free; of many epochs the latest are shown. The last lines
    may be wider than `width`, since a command in them is not cut.
    """
    closing = closing_lines(state.end, watched=True) if state.end else []
    tone = "error" if isinstance(state.end, Diverged) else "strong"
    last = [[(printable(text), tone)] for text in closing]
    if width < SMALLEST[0]:
        return Frame([fit(_status(state, width), width, glyphs), *last])
    wrapped = sum(-(-cell_len(text) // width) for line in last for text, _ in line)
    width, rows, boxed = min(width, WIDEST), height - 1 - wrapped, height >= BOXED
    lines = _header(state, width, glyphs, boxed, rows >= 16)
    wanted = len(state.epochs) + (state.steps is not None) + 2 + boxed
    if curves and (left := rows - len(lines)) >= LEAST + boxed:
        high = min(12, max(LEAST + boxed, left - wanted))
        lines += _charts_abreast(state, width, high, glyphs, boxed)
    if state.run and state.run.sample and rows - len(lines) >= DIGITS + 2 + wanted:
        lines += digits_panel(state, width, glyphs, boxed)
    if (left := rows - len(lines)) >= 3 + boxed:
        lines += table(state, width, min(left, wanted), glyphs, boxed)
    return Frame([*lines, *last])


def _classes(state: DashboardState, width: int, left: int, glyphs: Glyphs, boxed: bool) -> list[Line]:
    """Return what the latest evaluation says of single classes: a panel, a line or nothing, by the room there is."""
    if state.run is None or state.run.classes < 2 or not state.run.test_images:
        return []
    below = LEAST + boxed if width >= 100 else LEAST + 4 + 2 * boxed  # the table goes next to the curves or below them
    if state.run.sample and left >= DIGITS + 1 + boxed + below:
        return digits_panel(state, width, glyphs, boxed)
    if left < 13:
        return []
    line = class_line(confusion_of(state), width - 4, glyphs, state.run.class_names)
    return [fit([("  ", ""), *line], width, glyphs)]


def _abreast(state: DashboardState, width: int, rows: int, glyphs: Glyphs, boxed: bool) -> list[Line]:
    """Return the table and the curves side by side, on a wide screen with the confusions."""
    columns = max(42, width * 3 // 10)
    made = table(state, columns, rows, glyphs, boxed)
    run = state.run
    classes, names = (run.classes, run.class_names) if run and run.test_images else (0, ())
    wide, high = confusion_size(classes)
    tall = rows >= 2 * LEAST + 4
    if classes >= 2 and width - columns - wide >= (50 if tall else 64) and rows >= high:
        made = side_by_side(made, confusion_panel(confusion_of(state), wide, rows, glyphs, boxed, names))
        columns += wide
    room = width - columns
    charts = _charts_stacked if tall and room < 4 * rows else _charts_abreast  # else the curves would be towers
    return side_by_side(made, charts(state, room, rows, glyphs, boxed))


def _help(width: int, rows: int, glyphs: Glyphs, boxed: bool) -> list[Line]:
    body: list[Line] = [[(f"{name:<15}", "strong"), (what, "")] for name, what in (*HELP, ("", ""), *PANELS)]
    return panel([("keys and panels", "title")], [], body, width, rows, glyphs, boxed)


def _data(run: RunStarted) -> Line:
    if run.data == "synthetic":
        return [(" synthetic digits ", "alert")]
    return [(printable(run.data), "strong")]


def _header(state: DashboardState, width: int, glyphs: Glyphs, boxed: bool, large: bool) -> list[Line]:
    """Return what is trained, on what, how; with `large` the accuracy, the loss and the time left above it."""
    run = state.run
    if run is None:
        high = 5 + boxed + (4 if large else 0) if boxed or large else 4
        return panel([("jitnet", "title")], [], [], width, high, glyphs, boxed)
    dot = (f" {glyphs.dot} ", "box")
    size: Line = [(f"{run.parameters:,}", ""), (" parameters", "label"), dot, (f"{run.macs:,}", ""), (" MACs", "label")]
    number, noun = count(run.threads, "thread").split()
    machine: Line = [(number, ""), (f" {noun} ({printable(run.layer)})", "label")]
    images: Line = [(f"{run.train_images:,}", ""), (" training", "label")]
    if run.val_images:
        images += [dot, (f"{run.val_images:,}", ""), (" validation", "label")]
    images += [dot, (f"{run.test_images:,}", ""), (" test", "label")]
    recipe: Line = [(f"{printable(run.recipe)}, {count(run.epochs)}", "")]
    title: Line = [("jitnet ", "title"), (printable(run.title), "strong")]
    network: Line = [(printable(run.architecture), "strong")]
    shown = headline(state, width - 4, glyphs) if large else []
    whole = [*title, ("  ", ""), *network]
    if large and sum(cell_len(text) for text, _ in whole + _data(run)) + 9 <= width - (8 if state.keys else 0):
        title, network = whole, []
    if boxed:
        folder = printable(run.run) or "none, nothing is saved"
        body = [
            *shown,
            *([network] if network else []),
            [*_data(run), ("  ", ""), *images, dot, *size, dot, *machine],
            recipe,
            [("folder ", "label"), (folder, ""), dot, (printable(run.source), "label")],
        ]
        return panel(title, _data(run), body, width, len(body) + 2, glyphs)
    if not large and width >= 100:
        title, network = [*title, ("  ", ""), *network], in_a_line(run, state, width - 4, glyphs)
    body = [*shown, *([network] if network else []), [*size, dot, *machine], recipe]
    if 80 <= width < 90:
        body[-2] += _share(state, dot)
    hint: Line = [("h help  ", "label")] if state.keys else []
    return panel(title, [*hint, *_data(run)], body, width, len(body) + 1, glyphs, boxed)


def _network(state: DashboardState, width: int, glyphs: Glyphs) -> list[Line]:
    """Return a panel of the network drawn as shapes, with the change of each layer; nothing if it is too wide."""
    body = drawing(state, width - 4, 4, glyphs)
    title = [("network, and how much the weights of each layer move", "label")]
    return panel(title, [], body, width, len(body) + 2, glyphs) if body else []


def _share(state: DashboardState, before: tuple[str, str]) -> Line:
    share = state.peak_share
    return [] if share is None else [before, (f"{100 * share:.0f} %", ""), (" of peak", "label")]


def _progress(state: DashboardState, width: int, glyphs: Glyphs, boxed: bool) -> list[Line]:
    inner = width - 4
    if state.compiling and not state.paused:
        title, body = "compiling", _compiling(state, inner, glyphs)
    else:
        title = "paused" if state.paused else "evaluating" if state.evaluating else "training"
        body = [*_bars(state, inner, glyphs), _figures(state, inner)]
    if boxed:
        keys: Line = [(KEYS, "label")] if state.keys else []
        return panel([(title, "alert" if state.paused else "label")], keys, body, width, 5, glyphs)
    return [[("  ", ""), *fit(line, inner, glyphs), ("  ", "")] for line in body]


def _bars(state: DashboardState, width: int, glyphs: Glyphs) -> list[Line]:
    total = state.run.epochs if state.run else 0
    number = min(state.epoch + 1, max(1, total))
    first = "paused" if state.paused else "evaluating" if state.evaluating else f"epoch {number}"
    lines = []
    fraction = state.evaluated if state.evaluating else state.fraction
    for name, share, left, tone in (
        (first, fraction, state.epoch_left_s, "loss"),
        ("whole run", state.run_fraction, state.run_left_s, "accuracy"),
    ):
        text = f"{100 * share:6.1f} %{clock(left):>9} left"
        lines.append([(f"{name:<16}", ""), *bar(share, width - 16 - len(text), tone, glyphs), (text, "")])
    return lines


def _figures(state: DashboardState, width: int) -> Line:
    steps = state.steps
    last = state.epochs[-1] if state.epochs else None
    lr = steps.lr if steps else last.lr if last else None
    figures: list[tuple[str, str]] = [
        (f"{state.speed.value:,.0f}".rjust(7), "images/s"),
        ("-".rjust(8) if lr is None else f"{lr:.6f}", "lr"),
        (f"{state.gflops:.1f}".rjust(5), "GFLOP/s"),
        (clock(state.elapsed_s).rjust(7), "elapsed"),
    ]
    if state.peak_share is not None and width >= 90:
        figures.insert(4, (f"{100 * state.peak_share:.0f} %".rjust(5), "of peak"))
    return spread([[(value, "strong"), (f" {unit}", "label")] for value, unit in figures], width)


def _compiling(state: DashboardState, width: int, glyphs: Glyphs) -> list[Line]:
    event = state.compiling
    assert event is not None
    verb = "loading" if event.cached else "compiling"
    text = f"{verb} kernels {event.index + 1}/{event.total}"
    why = "from the cache of an earlier run" if event.cached else "first run only, later runs load them from a cache"
    left = "" if event.left_s is None else f"{clock(max(1.0, event.left_s))} left"
    return [
        [(f"{text:<24}", ""), *bar(event.share, width - 24 - 14, "val", glyphs), (f"{left:>14}", "strong")],
        [(printable(event.about or event.name), "strong")],
        [(f"{why}, {clock(event.seconds)} so far", "label")],
    ]


def _charts_abreast(state: DashboardState, width: int, rows: int, glyphs: Glyphs, boxed: bool) -> list[Line]:
    half = width // 2
    return side_by_side(
        loss_chart(state, half, rows, glyphs, boxed), accuracy_chart(state, width - half, rows, glyphs, boxed)
    )


def _charts_stacked(state: DashboardState, width: int, rows: int, glyphs: Glyphs, boxed: bool) -> list[Line]:
    half = rows // 2
    return loss_chart(state, width, rows - half, glyphs, boxed) + accuracy_chart(state, width, half, glyphs, boxed)


def _status(state: DashboardState, width: int) -> Line:
    """Return what one line has room for, the most telling first: what does not fit is omitted, not cut."""
    run = state.run
    if run is None:
        return [("jitnet", "title")]
    parts: list[tuple[str, str]] = [("synthetic", "alert")] if run.data == "synthetic" else []
    if state.help and not state.end:
        parts += [(KEYS, "label")]
    elif state.compiling:
        verb, why = ("loading", "") if state.compiling.cached else ("compiling", " (first run only)")
        parts += [(f"{verb} kernels {state.compiling.index + 1}/{state.compiling.total}{why}", "")]
    elif isinstance(state.end, Interrupted | Diverged):
        parts += [("stopped", "strong")]
    else:
        if state.end:
            parts += [("done", "strong"), (f"in {clock(state.elapsed_s)}", "")]
        else:
            parts += [(f"epoch {state.epoch + 1} {100 * state.fraction:3.0f} %", "strong")]
            parts += [("paused", "alert") if state.paused else (f"{clock(state.run_left_s)} left", "")]
        if state.steps:
            parts += [(f"loss {state.steps.epoch_loss:.4f}", "loss")]
        if state.epochs and state.epochs[-1].test_accuracy is not None:
            parts += [(f"acc {percentage(state.epochs[-1].test_accuracy)}", "accuracy")]
        parts += [(f"{state.speed.value:,.0f} images/s", "label")]
    line: Line = [(printable(run.title), "title")]
    left = width - cell_len(line[0][0])
    for text, tone in parts:
        if len(text) < left:
            line += [(" ", ""), (text, tone)]
            left -= len(text) + 1
    return line
