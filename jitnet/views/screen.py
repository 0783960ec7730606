"""The live screen as a pure function of the state, the width and the height."""

from jitnet.events import Diverged, Interrupted, RunStarted
from jitnet.views.charts import accuracy_chart, loss_chart
from jitnet.views.classes import ROWS as PANEL
from jitnet.views.classes import class_line, class_panel, digits_panel
from jitnet.views.frame import UNICODE, Frame, Glyphs, Line, bar, beside, clean, fit, panel, spread
from jitnet.views.keys import HELP
from jitnet.views.plain import closing_lines
from jitnet.views.progress import DashboardState, counted
from jitnet.views.table import planned_rows, table

WIDEST = 160  # beyond that eyes lose the row
SMALLEST = 60, 12  # columns and rows; below there is one status line


def render(state: DashboardState, width: int, height: int, glyphs: Glyphs = UNICODE) -> Frame:
    """Return a frame for a terminal of `width` columns and `height` rows, one row of which stays free.

    The layout depends on the planned run, not on what has happened so far, so that it stands still.
    """
    if width < SMALLEST[0] or height < SMALLEST[1]:
        return Frame([fit(_status(state, glyphs), width, glyphs)])
    width, rows = min(width, WIDEST), height - 1
    boxed = height >= 32
    lines = _header(state, width, glyphs, boxed, rows)
    lines += _progress(state, width, glyphs, boxed)
    left = rows - len(lines)
    wanted = planned_rows(state, boxed)
    if state.help:
        return Frame(lines + _help(width, left, glyphs, boxed))
    shown = _classes(state, width, left, glyphs, boxed)
    lines += shown
    left -= len(shown)
    if boxed and width >= 120:
        left = min(left, max(wanted, 22))
        room = width * 11 // 20
        lines += beside(table(state, room, left, glyphs), _charts_over(state, width - room, left, glyphs))
    elif height >= 20:
        curves = min(14 if boxed else 9, max(left - wanted, 9 if boxed else 8))
        lines += _charts_beside(state, width, curves, glyphs, boxed)
        lines += table(state, width, min(left - curves, wanted), glyphs, boxed)
    else:
        lines += table(state, width, min(left, wanted), glyphs, boxed)
    return Frame(lines)


def render_end(state: DashboardState, width: int, glyphs: Glyphs = UNICODE) -> Frame:
    """Return what stays on the terminal: header, curves, every epoch, and last how the run ended.

    The last lines may be wider than `width`: a command in them must not be cut.
    """
    closing = closing_lines(state.end) if state.end else []
    tone = "error" if isinstance(state.end, Diverged) else "strong"
    last = [[(clean(text), tone)] for text in closing]
    if width < SMALLEST[0]:
        return Frame([fit(_status(state, glyphs), width, glyphs), *last])
    width = min(width, WIDEST)
    lines = _header(state, width, glyphs, True, 99)
    lines += _charts_beside(state, width, 12, glyphs, True)
    if state.run and state.run.sample and width >= 100:
        lines += _both(state, width, glyphs)
    lines += table(state, width, len(state.epochs) + (state.steps is not None) + 3, glyphs)
    return Frame([*lines, *last])


def _classes(state: DashboardState, width: int, left: int, glyphs: Glyphs, boxed: bool) -> list[Line]:
    """Return what the latest evaluation says of single classes: panels, a line or nothing, by the room there is."""
    if state.run is None or not state.run.classes:
        return []
    if boxed and state.run.sample and left >= PANEL + 16:
        return _both(state, width, glyphs)
    return [fit(class_line(state, width), width, glyphs)] if left >= 14 else []


def _both(state: DashboardState, width: int, glyphs: Glyphs) -> list[Line]:
    return beside(digits_panel(state, width - 28, glyphs), class_panel(state, 28, glyphs))


def _help(width: int, rows: int, glyphs: Glyphs, boxed: bool) -> list[Line]:
    body: list[Line] = [[(f"{key:<12}", "strong"), (what, "")] for key, what in HELP]
    return panel([("keys", "title")], [], body, width, rows, glyphs, boxed)


def clock(seconds: float | None) -> str:
    """Return a duration as hours, minutes and seconds.

    >>> clock(4.2), clock(192), clock(7322), clock(None)
    ('0:04', '3:12', '2:02:02', '-:--')
    """
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def _data(run: RunStarted) -> Line:
    if run.data == "synthetic":
        return [(" synthetic digits ", "alert")]
    return [(clean(run.data), "strong")]


def _header(state: DashboardState, width: int, glyphs: Glyphs, boxed: bool, rows: int) -> list[Line]:
    run = state.run
    if run is None:
        return panel([("jitnet", "title")], [], [], width, 9 if boxed else 2, glyphs, boxed)
    dot = (f" {glyphs.dot} ", "box")
    size: Line = [
        (f"{run.parameters:,}", ""),
        (" parameters", "label"),
        dot,
        (f"{run.macs:,}", ""),
        (" MACs", "label"),
    ]
    machine: Line = [(f"{run.threads}", ""), (f" threads ({run.layer})", "label")]
    images: Line = [(f"{run.train_images:,}", ""), (" training", "label")]
    if run.val_images:
        images += [dot, (f"{run.val_images:,}", ""), (" validation", "label")]
    images += [dot, (f"{run.test_images:,}", ""), (" test", "label")]
    recipe: Line = [(f"{clean(run.recipe)}, {counted(run.epochs)}", "")]
    folder: Line = [(clean(run.run) or "none, nothing is saved", "")]
    title: Line = [("jitnet ", "title"), (clean(run.title), "strong")]
    network: Line = [(clean(run.architecture), "strong")]
    if boxed:
        labelled: list[tuple[str, Line]] = [
            ("network", network),
            ("shapes", _shapes(run, width - 13, glyphs)),
            ("size", [*size, (" per image", "label")]),
            ("data", [*_data(run), ("  ", ""), *images, dot, (clean(run.source), "label")]),
            ("recipe", recipe),
            ("machine", machine),
            ("folder", folder),
        ]
        body = [[(f"{name:<9}", "label"), *line] for name, line in labelled]
        return panel(title, _data(run), body, width, 9, glyphs)
    body = [network, [*size, dot, *machine, *_share(state, dot)]]
    if rows >= 23:
        body += [recipe]
    return panel(title, _data(run), body, width, len(body) + 1, glyphs, boxed=False)


def _shapes(run: RunStarted, width: int, glyphs: Glyphs) -> Line:
    """Return the extents from the image to the output; where there is room each is drawn as high as it is."""
    arrow = f" {glyphs.now} "
    plain = arrow.join(run.extents)
    if not glyphs.braille or not run.extents or len(plain) + 2 * len(run.extents) > width:
        return [(clean(plain), "")]
    highest = int(run.extents[0].split("x")[0])
    line: Line = []
    for extent in run.extents:
        numbers = [int(number) for number in extent.split("x")]
        level = max(1, round(8 * numbers[0] / highest)) if len(numbers) == 3 else 1
        line += [(arrow if line else "", "box"), (" ▁▂▃▄▅▆▇█"[min(8, level)], "loss"), (f" {extent}", "")]
    return line


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
        keys: Line = [("p pause  q stop  h help", "label")] if state.keys else []
        return panel([(title, "alert" if state.paused else "label")], keys, body, width, 5, glyphs)
    return [[("  ", ""), *fit(line, inner, glyphs), ("  ", "")] for line in body]


def _bars(state: DashboardState, width: int, glyphs: Glyphs) -> list[Line]:
    total = state.run.epochs if state.run else 0
    first = "paused" if state.paused else "evaluating" if state.evaluating else f"epoch {state.epoch}"
    lines = []
    for name, fraction, left, tone in (
        (first, state.fraction, state.epoch_left_s, "loss"),
        (f"{state.epoch} of {counted(total)}", state.run_fraction, state.run_left_s, "accuracy"),
    ):
        text = f"{100 * fraction:6.1f} %{clock(left):>9} left"
        lines.append([(f"{name:<16}", ""), *bar(fraction, width - 16 - len(text), tone, glyphs), (text, "")])
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
        [(f"{clean(event.name)}", "strong")],
        [(f"{why}, {clock(event.seconds)} so far", "label")],
    ]


def _charts_beside(state: DashboardState, width: int, rows: int, glyphs: Glyphs, boxed: bool) -> list[Line]:
    half = width // 2
    return beside(
        loss_chart(state, half, rows, glyphs, boxed), accuracy_chart(state, width - half, rows, glyphs, boxed)
    )


def _charts_over(state: DashboardState, width: int, rows: int, glyphs: Glyphs) -> list[Line]:
    half = rows // 2
    return loss_chart(state, width, rows - half, glyphs) + accuracy_chart(state, width, half, glyphs)


def _status(state: DashboardState, glyphs: Glyphs) -> Line:
    run = state.run
    if run is None:
        return [("jitnet", "title")]
    line: Line = [(f"{clean(run.title)} ", "title")]
    if run.data == "synthetic":
        line += [("synthetic", "alert"), (" ", "")]
    if state.compiling:
        return [
            *line,
            (f"compiling kernels {state.compiling.index + 1}/{state.compiling.total} (first run only)", ""),
        ]
    if isinstance(state.end, Interrupted | Diverged):
        return [*line, ("stopped", "strong")]
    line += [
        (f"epoch {state.epoch} {100 * state.fraction:3.0f} %", "strong"),
        (f" {clock(state.run_left_s)} left", ""),
    ]
    if state.steps:
        line += [(f" loss {state.steps.epoch_loss:.4f}", "loss")]
    if state.epochs and state.epochs[-1].test_accuracy is not None:
        line += [(f" acc {state.epochs[-1].test_accuracy:.2f}", "accuracy")]
    return [*line, (f" {state.speed.value:,.0f} images/s", "label")]
