"""The view for notebooks: the terminal's own screen and plots in one output that updates itself, without ipywidgets.

from jitnet.display.notebook import Notebook
CNN(on_event=Notebook()).fit(x, y)
"""

import re
import time
from collections.abc import Callable
from html import escape
from typing import Any

from jitnet.display.live.dashboard import SHARE
from jitnet.display.live.frame import GREYS, Frame, style_of
from jitnet.display.live.progress import DashboardState
from jitnet.display.live.screen import render, render_end
from jitnet.display.plot import plot
from jitnet.events import Advised, Compiling, Event, Progress, RunFinished, StepsDone, Warned
from jitnet.printing import printable

COLUMNS, ROWS = 100, 40
_FASTEST_S = 0.5  # a browser and a network lie between
_BRAILLE = r'<i style="display:inline-block;width:1ch;font-style:normal">\g<0></i>'  # other fonts lend it, and wider


class Notebook:
    """Shows the events that it is called with; `display` is IPython's unless given.

    Raises `ImportError` where IPython is missing.
    """

    def __init__(
        self, display: Callable[..., Any] | None = None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        if display is None:
            from IPython.display import display as display_of_ipython

            display = display_of_ipython
        self.state = DashboardState()
        self.drawing_s = 0.0
        self._display, self._clock = display, clock
        self._handle: Any = None
        self._notes: list[tuple[str, str]] = []
        self._next_at = clock()

    def __call__(self, event: Event) -> None:
        """Take in the event and draw, if it is time for that."""
        began = self._clock()
        self.state.apply(event)
        if isinstance(event, Warned | Advised):
            self._notes.append(("warning" if isinstance(event, Warned) else "advice", event.message))
        if began >= self._next_at or not _comes_often(event):
            ended_well = isinstance(event, RunFinished)
            drawn = render_end if ended_well else render
            self._show(
                to_html(
                    drawn(self.state, COLUMNS, glyphs=GREYS, height=ROWS, curves=False), self._notes, _plots(self.state)
                )
            )
            ended = self._clock()
            self._next_at = ended + max(_FASTEST_S, SHARE * (ended - began))
        self.drawing_s += self._clock() - began

    def _show(self, html: str) -> None:
        shown = _Html(html)
        if self._handle is None:
            self._handle = self._display(shown, display_id=True)
        else:
            self._handle.update(shown)


def _comes_often(event: Event) -> bool:
    """Does an event of this kind follow another too fast to be drawn each time?"""
    return isinstance(event, StepsDone | Progress) or (isinstance(event, Compiling) and event.cached)


class _Html:
    """What a notebook shows as HTML and keeps, when it is saved, as HTML."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _repr_html_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return "a run of jitnet"


def _plots(state: DashboardState) -> str:
    """Return the curves: the loss of each call, and after each epoch the accuracy or the error of a regression."""
    curves = {
        name: [(row.epoch + 1.0, value) for row in state.epochs if (value := getattr(row, field)) is not None]
        for name, field in (("validation", "val_accuracy"), ("test", "test_accuracy"))
    }
    errors = [(row.epoch + 1.0, row.test_rmse) for row in state.epochs if row.test_rmse is not None]
    second = plot("RMSE", {"test": errors}) if errors else plot("accuracy %", {"training": state.seen.points, **curves})
    return plot("training loss", {"training": state.losses.points}) + second


def to_html(frame: Frame, notes: list[tuple[str, str]], plots: str = "") -> str:
    """Return a frame, and plots below it, as HTML; its colours read on light and on dark pages."""
    lines = "\n".join("".join(_span(text, tone) for text, tone in line) for line in frame.lines)
    said = "".join(f"<p>{word}: {escape(printable(message))}</p>" for word, message in notes)
    style = "line-height:1.16;font-family:DejaVu Sans Mono,Menlo,Consolas,monospace;overflow-x:auto"
    return f'{said}<pre role="img" aria-label="training" style="{style}">{lines}</pre>{plots}'


def _span(text: str, tone: str) -> str:
    style = style_of(tone).get_html_style() if tone else ""
    shown = re.sub("[\u2801-\u28ff]", _BRAILLE, escape(text))
    return f'<span style="{style}">{shown}</span>' if style else shown
