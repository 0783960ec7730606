"""What receives the events of an estimator's training: `on_event=`, and what `verbose` shows."""

import contextlib
import sys
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np

from jitnet.display.compiling import CompilationNotice
from jitnet.errors import InputError
from jitnet.estimators.inputs import warn
from jitnet.events import Event, Warned


class Watchers:
    """The listeners of one training, in turn."""

    def __init__(self, estimator: Any) -> None:
        given, verbose = estimator.on_event, estimator.verbose
        listeners = [given] if callable(given) else list(given) if isinstance(given, list | tuple) else given
        if not (listeners is None or (isinstance(listeners, list) and all(map(callable, listeners)))):
            raise InputError(f"on_event is {given!r}: expected a function of an event, or a list of them")
        _require_known(verbose)
        self._listeners: list[Callable[[Event], Any]] = listeners or []
        self._stack = contextlib.ExitStack()
        if verbose:
            from jitnet.display.plain import Plain

            self._listeners = [self._stack.enter_context(Plain(sys.stderr, None)).handle, *self._listeners]
        elif verbose is None and not self._listeners and _in_notebook():
            from jitnet.display.notebook import Notebook

            self._listeners = [Notebook()]
        elif verbose is None:  # a first `fit` would be silent for as long as its kernels compile
            self._listeners = [*self._listeners, CompilationNotice(sys.stderr).handle]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stack.close()

    def tell(self, event: Event) -> bool:
        """Tell all of an event; return whether one of them wants the training to end."""
        ends = False
        for listener in self._listeners:
            try:
                ends = listener(event) is True or ends
            except StopIteration:
                ends = True
        return ends


def announce(compilation: Iterable[Event], verbose: Any) -> None:
    """Compile; a line on standard error announces it where it takes longer than a second, unless `verbose` is 0."""
    _require_known(verbose)
    notice = CompilationNotice(None if verbose == 0 and verbose is not None else sys.stderr)
    for event in compilation:
        notice.handle(event)
        if isinstance(event, Warned):
            warn(event.message)


def _require_known(verbose: Any) -> None:
    if verbose is not None and not (isinstance(verbose, int | float | np.number | np.bool_) and verbose >= 0):
        raise InputError(f"verbose is {verbose!r}: expected None, 0 or 1")


def _in_notebook() -> bool:
    """Return whether a kernel of Jupyter runs this, whose cells show HTML."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"
