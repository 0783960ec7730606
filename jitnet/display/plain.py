"""The view for pipes, logs and dumb terminals: plain lines, each flushed, never an escape code."""

import shlex
import time
from collections.abc import Callable
from typing import IO

from jitnet.display.format import about_left, count, duration
from jitnet.display.live.progress import DashboardState
from jitnet.display.sink import Sink
from jitnet.events import Advised, Compiling, Diverged, EpochDone, Event, Interrupted, RunFinished, RunStarted, Warned

HEARTBEAT_S = 30.0


def epoch_line(row: EpochDone) -> str:
    """Return the documents' line of an epoch."""
    text = f"Epoch {row.epoch:2d} lr = {row.lr:.6f} avg loss = {row.train_loss:.6f}"
    if row.test_accuracy is not None:
        text += f" accuracy = {row.test_accuracy:.2f}"
    if row.test_rmse is not None:
        text += f" rmse = {row.test_rmse:.6g}"
    if row.val_accuracy is not None:
        text += f" val accuracy = {row.val_accuracy:.2f}"
    return text + _mark(row.data)


def closing_lines(end: RunFinished | Interrupted | Diverged, watched: bool = False) -> list[str]:
    """Return what is said last, by how the run ended; of a finished run the documents' two lines, and what is next.

    In a view that is `watched` at a terminal, SIGINT comes from a key of its user.
    """
    match end:
        case Interrupted():
            saved = f"a checkpoint is saved, continue with: {end.resume}" if end.resume else "nothing is saved"
            by = "you" if watched and end.signal == "SIGINT" else end.signal
            return [f"Stopped by {by} in epoch {end.epoch + 1}, step {end.step}; {saved}"]
        case Diverged():
            return [f"Diverged in epoch {end.epoch + 1}, step {end.step}, lr {end.lr:.6g}: {end.message}"]
    lines = [f"Total execution time: {end.elapsed_s / 60:.2f} minutes ({duration(end.elapsed_s)})"]
    if end.stop_reason:
        lines.append(f"Stopped early: {end.stop_reason}")
    lines += next_lines(end)
    for name, accuracy in (("test", end.test_accuracy), ("validation", end.val_accuracy)):
        if accuracy is not None:
            return [f"Final accuracy of {name} set = {accuracy:.2f}{_mark(end.data)}", *lines]
    if end.test_rmse is not None:
        return [f"Final RMSE of test set = {end.test_rmse:.6g}", *lines]
    return lines


def next_lines(end: RunFinished) -> list[str]:
    """Return the commands that come after a finished run; none if it has no folder."""
    if not end.run:
        return []
    run = shlex.quote(end.run)
    if end.test_rmse is not None:
        return ["Next:", f"  jitnet report {run} --open", f"  jitnet predict {run} --csv FILE"]
    return ["Next:", f"  jitnet report {run} --open", f"  jitnet errors {run}", f"  jitnet predict {run} digit.png"]


def header_lines(run: RunStarted) -> list[str]:
    """Return what is trained, on what, with which recipe, where."""
    data = "synthetic digits, not MNIST" if run.data == "synthetic" else run.data
    images = f"{run.train_images:,} training"
    if run.val_images:
        images += f", {run.val_images:,} validation"
    lines = [
        f"{run.title}: {run.architecture}",
        f"  size    {run.parameters:,} parameters, {run.macs:,} MACs per image",
        f"  data    {data}: {images}, {run.test_images:,} test images",
        f"  source  {run.source}",
        *(f"  {name:7} {text}" for name, text in run.data_facts),
        f"  recipe  {run.recipe}, {count(run.epochs)}",
        f"  runs on {count(run.threads, 'thread')} ({run.layer})",
        f"  folder  {run.run or 'none, nothing is saved'}",
    ]
    if run.epoch or run.step_in_epoch:
        lines.append(f"  resumes in epoch {run.epoch + 1}, step {run.step_in_epoch} of {run.steps_per_epoch}")
    return lines


def _mark(data: str) -> str:
    return " (synthetic digits)" if data == "synthetic" else ""


class Plain:
    """Lines on `stream`, warnings on `errors`; `clock` counts seconds for the heartbeat of long epochs."""

    drawing_s = 0.0  # a few lines a minute: nothing to account for
    paused = False

    def __init__(
        self, stream: IO[str] | None, errors: IO[str] | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out, self._errors, self._clock = Sink(stream), Sink(errors), clock
        self._state = DashboardState()
        self._spoke_at = clock()
        self._compiled = -1  # index of the latest line about compiling

    @property
    def broken(self) -> bool:
        """Has the stream died, so that nobody sees these lines any more?"""
        return self._out.broken

    def __enter__(self) -> "Plain":
        return self

    def wait(self) -> None:
        """Nobody can pause a run from here, so this is never called."""

    def __exit__(self, *exception: object) -> None:
        pass

    def handle(self, event: Event) -> None:
        """Write the lines that belong to this event, if any."""
        self._state.apply(event)
        match event:
            case Warned():
                self._errors.line(f"warning: {event.message}")
            case Diverged():
                for text in closing_lines(event):
                    self._errors.line(text)
            case _:
                lines = self._lines(event)
                for text in lines:
                    self._out.line(text)
                if lines or isinstance(event, Compiling):  # loading kernels silently does not count as a long epoch
                    self._spoke_at = self._clock()

    def _lines(self, event: Event) -> list[str]:
        match event:
            case RunStarted():
                return header_lines(event)
            case Compiling():
                if event.index == self._compiled:  # a sign of life
                    return []
                self._compiled = event.index
                return _compiling(event)
            case EpochDone():
                return [epoch_line(event)]
            case Advised():
                return [f"advice: {event.message}"]
            case Interrupted() | RunFinished():
                return closing_lines(event)
        return self._heartbeat()

    def _heartbeat(self) -> list[str]:
        run, steps, left = self._state.run, self._state.steps, self._state.run_left_s
        if run is None or steps is None or left is None or self._clock() - self._spoke_at < HEARTBEAT_S:
            return []
        return [
            f"epoch {steps.epoch + 1} of {run.epochs}: "
            f"{100 * self._state.fraction:.0f} % of {run.images_per_epoch:,} images, "
            f"avg loss {steps.epoch_loss:.6f}, {self._state.speed.value:,.0f} images/s, "
            f"about {duration(left)} left"
        ]


def _compiling(event: Compiling) -> list[str]:
    if event.cached:  # a matter of milliseconds
        return []
    if event.index < event.total:
        left = about_left(event.left_s)
        return [f"compiling kernels {event.index + 1}/{event.total}{left} (first run only)"]
    return [f"compiled {count(event.total, 'kernel')} in {duration(event.seconds)}"]
