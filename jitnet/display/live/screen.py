"""The live screen as a pure function of the state, the width and the height."""

from rich.cells import cell_len

from jitnet.display.charts import accuracy_chart, loss_chart
from jitnet.display.classes import ROWS as DIGITS
from jitnet.display.classes import class_line, confusion_of, confusion_panel, confusion_size, digits_panel
from jitnet.display.format import clock, count, percentage
from jitnet.display.live.frame import UNICODE, Frame, Glyphs, Line, bar, fit, panel, side_by_side, spread
from jitnet.display.live.keys import HELP
from jitnet.display.live.progress import DashboardState
from jitnet.display.network import drawing, in_a_line
from jitnet.display.plain import closing_lines
from jitnet.display.table import planned_rows, table
from jitnet.events import Diverged, Interrupted, RunStarted
from jitnet.printing import printable

WIDEST = 160  # beyond that eyes lose the row
SMALLEST = 60, 12  # columns and rows; below there is one status line
BOXED = 36  # rows from which there is room for boxes, and for the network as a picture
TALLEST = 30  # rows of curves and table
LEAST = 8  # rows of a curve without a box
KEYS = "p pause  q stop  h help"


def render(state: DashboardState, width: int, height: int, glyphs: Glyphs = UNICODE) -> Frame:
    """Return a frame for a terminal of `width` columns and `height` rows, one row of which stays free.

    The layout depends on the planned run, not on what has happened so far, so that it stands still.
    """
    if width < SMALLEST[0] or height < SMALLEST[1]:
        return Frame([fit(_status(state, width), width, glyphs)])
    width, rows, boxed = min(width, WIDEST), height - 1, height >= BOXED
    lines = _header(state, width, glyphs, boxed, 4 if height >= 44 else 3)
    lines += _progress(state, width, glyphs, boxed)
    if state.help:
        return Frame(lines + _help(width, rows - len(lines), glyphs, boxed))
    lines += _classes(state, width, rows - len(lines), glyphs, boxed)
    left, wanted = rows - len(lines), planned_rows(state, boxed)
    if width >= 100 and left >= LEAST:
        lines += _abreast(state, width, min(left, TALLEST), glyphs, boxed)
    elif height >= 20:
        curves = min(14 if boxed else 9, max(left - wanted, LEAST + boxed))
        lines += _charts_abreast(state, width, curves, glyphs, boxed)
        lines += table(state, width, min(left - curves, wanted), glyphs, boxed)
    else:
        lines += table(state, width, min(left, wanted), glyphs, boxed)
    return Frame(lines)


def render_end(state: DashboardState, width: int, glyphs: Glyphs = UNICODE) -> Frame:
    """Return what stays on the terminal: header, curves, every epoch, and last how the run ended.

    The last lines may be wider than `width`, since a command in them is not cut.
    """
    closing = closing_lines(state.end, watched=True) if state.end else []
    tone = "error" if isinstance(state.end, Diverged) else "strong"
    last = [[(printable(text), tone)] for text in closing]
    if width < SMALLEST[0]:
        return Frame([fit(_status(state, width), width, glyphs), *last])
    width = min(width, WIDEST)
    lines = _header(state, width, glyphs, True, 4)
    lines += _charts_abreast(state, width, 12, glyphs, True)
    if state.run and state.run.sample:
        lines += digits_panel(state, width, glyphs)
    lines += table(state, width, len(state.epochs) + (state.steps is not None) + 3, glyphs)
    return Frame([*lines, *last])


def _classes(state: DashboardState, width: int, left: int, glyphs: Glyphs, boxed: bool) -> list[Line]:
    """Return what the latest evaluation says of single classes: a panel, a line or nothing, by the room there is."""
    if state.run is None or state.run.classes < 2 or not state.run.test_images:
        return []
    below = LEAST + boxed if width >= 100 else LEAST + 4 + 2 * boxed  # the table goes next to the curves or below them
    if state.run.sample and left >= DIGITS + 1 + boxed + below:
        return digits_panel(state, width, glyphs, boxed)
    if left < 14:
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
    body: list[Line] = [[(f"{key:<12}", "strong"), (what, "")] for key, what in HELP]
    return panel([("keys", "title")], [], body, width, rows, glyphs, boxed)


def _data(run: RunStarted) -> Line:
    if run.data == "synthetic":
        return [(" synthetic digits ", "alert")]
    return [(printable(run.data), "strong")]


def _header(state: DashboardState, width: int, glyphs: Glyphs, boxed: bool, high: int) -> list[Line]:
    """Return what is trained, on what, how; boxed with the network drawn `high` rows high, or in its extents."""
    run = state.run
    if run is None:
        return panel([("jitnet", "title")], [], [], width, high + 8 if boxed else 4, glyphs, boxed)
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
    if not boxed:
        if width >= 100:
            title, network = [*title, ("  ", ""), *network], in_a_line(run, state, width - 4, glyphs)
        body = [network, [*size, dot, *machine, *(_share(state, dot) if 80 <= width < 90 else [])], recipe]
        hint: Line = [("h help  ", "label")] if state.keys else []
        return panel(title, [*hint, *_data(run)], body, width, 4, glyphs, boxed)
    drawn = drawing(state, width - 4, high, glyphs)
    if drawn:
        title += [("  ", ""), *network]
    labelled: list[tuple[str, Line]] = [
        ("size", [*size, (" per image", "label"), dot, *machine]),
        ("data", [*_data(run), ("  ", ""), *images, dot, (printable(run.source), "label")]),
        ("recipe", recipe),
        ("folder", [(printable(run.run) or "none, nothing is saved", "")]),
    ]
    if not drawn:
        labelled[:0] = [("network", network), ("shapes", in_a_line(run, state, width - 13, glyphs))]
    body = drawn + [[(f"{name:<9}", "label"), *line] for name, line in labelled]
    return panel(title, _data(run), body, width, len(body) + 2, glyphs)


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
    first = "paused" if state.paused else "evaluating" if state.evaluating else f"epoch {state.epoch + 1}"
    lines = []
    fraction = state.evaluated if state.evaluating else state.fraction
    for name, share, left, tone in (
        (first, fraction, state.epoch_left_s, "loss"),
        (f"{state.epoch} of {count(total)}", state.run_fraction, state.run_left_s, "accuracy"),
    ):
        text = f"{100 * share:6.1f} %{clock(left):>9} left"
        lines.append([(f"{name:<16}", ""), *bar(share, width - 16 - len(text), tone, glyphs), (text, "")])
    return lines


def _figures(state: DashboardState, width: int) -> Line:
    steps = state.steps
    last = state.epochs[-1] if state.epochs else None
    lr = steps.lr if steps else last.lr if last else None
    loss = steps.epoch_loss if steps else last.train_loss if last else None
    figures: list[tuple[str, str]] = [
        (f"{state.speed.value:,.0f}".rjust(7), "images/s"),
        ("-".rjust(8) if loss is None else f"{loss:.6f}", "loss"),
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
    return [
        [(f"{text:<24}", ""), *bar(event.index / max(1, event.total), width - 24, "val", glyphs)],
        [(f"{printable(event.name)}", "strong")],
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
