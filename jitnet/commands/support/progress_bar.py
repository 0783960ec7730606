"""A bar for work that takes a while, on standard error, and only where somebody watches a terminal."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from jitnet.printing import say_once

_EVERY_S = 0.1  # between two drawings


class Waiting:
    """Shows what is being done, how much of it is done, and how long the rest will take.

    Without a terminal `plain` takes what begins, as a line for a log: unless given, what happens only once is written
    to standard error. With `shown` False nothing is drawn or written.
    """

    def __init__(self, shown: bool = True, plain: Callable[[str], None] = say_once) -> None:
        self._shown = shown and sys.stderr is not None and sys.stderr.isatty()
        self._plain = plain if shown and not self._shown else None
        self._progress: Any = None  # made when there is something to show: most data is there at once
        self._task: Any = None
        self._what = ""
        self._drawn = 0.0

    def __enter__(self) -> "Waiting":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def report(self, what: str, share: float) -> None:
        """Show the share, from 0 to 1, of what is being done."""
        begins, self._what = share == 0 or what != self._what, what
        if begins and self._plain is not None:
            self._plain(what)
        if self._shown and (begins or time.monotonic() - self._drawn >= _EVERY_S):
            if self._progress is None:
                self._start()
            if begins:
                self._progress.reset(self._task)
            self._progress.update(self._task, completed=share, description=what)
            self._progress.refresh()
            self._drawn = time.monotonic()

    def _start(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        from jitnet.display.console import safe_console

        name = TextColumn(
            "{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
        )
        columns = (name, BarColumn(30), TextColumn("{task.percentage:3.0f} %"), TimeRemainingColumn())
        # Drawn by report() alone: a thread that draws would take the core from the kernels.
        # Lines for standard output are printed above the bar, but only where both are the terminal.
        self._progress = Progress(*columns, console=safe_console(file=sys.stderr), auto_refresh=False, transient=True,
                                  expand=True, redirect_stdout=sys.stdout.isatty())  # fmt: skip
        self._task = self._progress.add_task("", total=1.0)
        self._progress.start()
