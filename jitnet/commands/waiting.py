"""A bar for work that takes a while, on standard error, and only where somebody watches a terminal."""

import sys
from types import TracebackType


class Waiting:
    """Shows how much of `total` is done and how long the rest will take; elsewhere it shows nothing."""

    def __init__(self, what: str, total: float) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.fields[what]}"), BarColumn(30), TextColumn("{task.percentage:3.0f} %"))
        console = Console(file=sys.stderr)
        # Drawn by advance() alone: a thread that draws would take the core from the kernels.
        self._progress = Progress(
            *columns, TimeRemainingColumn(), TextColumn("{task.description}", markup=False),
            console=console, auto_refresh=False, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("", total=total, what=what)

    def __enter__(self) -> "Waiting":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, what: str) -> None:
        """Say what is being worked on."""
        self._progress.update(self._task, description=what)
        self._progress.refresh()

    def advance(self, amount: float = 1) -> None:
        """Count that much as done."""
        self._progress.advance(self._task, amount)
        self._progress.refresh()
