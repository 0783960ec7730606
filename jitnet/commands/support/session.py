"""One training from its first event to its exit code: the loop's events go to the run folder and to the view."""

import importlib
import signal
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import FrameType

from jitnet.commands.support.signals import RAISED, must_end
from jitnet.display import View
from jitnet.events import Diverged, Event, Interrupted, RunFinished, Warned
from jitnet.run import RunFolder
from jitnet.run.start import Run, train

Log = Callable[[Event], None]

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stop:
    """Catches the first signal, which is checked between compiled calls; a second one exits at once.

    While LLVM loads machine code, Python destroys an object, or a view takes the terminal or gives it back, the second
    one is dropped; the first stops the run soon after.
    What the parent had ignored, as nohup does with SIGHUP, stays ignored. Ctrl-C before it, which something took for an
    error of its own and went on, is caught here.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = signal.SIGINT if RAISED else None

    def __enter__(self) -> "Stop":
        heard = [number for number in _SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
        self._before = {number: signal.signal(number, self._catch) for number in heard}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def signal_name(self, event: Event) -> str:
        """Return the name of the signal that was caught, "" if there is none yet."""
        return self.signal.name if self.signal is not None else ""

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.signal is None:
            self.signal = signal.Signals(number)
        elif not must_end(frame):
            warnings.simplefilter("ignore", ResourceWarning)  # of a file that was just opened: none can close it yet
            raise SystemExit(128 + number)


def open_logs(names: Iterable[str]) -> list[Log]:
    """Return a consumer of events for each program that tracks runs; raises `InputError` if one is not installed."""
    return [importlib.import_module(f"jitnet.integrations.{name}").Log() for name in dict.fromkeys(names)]


def follow(run: Run, view: View, notices: list[str], logs: Sequence[Log] = ()) -> int:
    """Train to the end, or to a signal, and return the exit code. A log that fails is warned of and gets no more."""
    folder, working = run.folder, list(logs)
    with Stop() as stop, view:
        for message in notices:
            _handle(Warned(message=message), folder, view)
        code = 0
        for event in train(run, stop.signal_name):
            _handle(event, folder, view)
            for log in tuple(working):
                try:
                    log(event)
                except Exception as error:  # of another program, which must not end the training
                    working.remove(log)
                    name = type(log).__module__.rpartition(".")[2]
                    reason = (str(error) or type(error).__name__).splitlines()[0]
                    _handle(Warned(message=f"--log {name} failed and is omitted from now on: {reason}"), folder, view)
            run.training.leave_out(_pause(view, stop))
            if isinstance(event, Diverged):
                code = 3
            elif isinstance(event, Interrupted):
                code = 128 + signal.Signals[event.signal].value
        folder.note_drawing(view.drawing_s)
        return code or (1 if folder.save_failed or view.broken else 0)


def _pause(view: View, stop: Stop) -> float:
    """Wait as long as the user has paused, and return the seconds."""
    began = time.perf_counter()
    while view.paused and stop.signal is None:
        view.wait()
    return time.perf_counter() - began


def _handle(event: Event, folder: RunFolder, view: View) -> None:
    caused = folder.handle(event)
    closes = isinstance(event, Interrupted | RunFinished)  # their lines come last, after the checkpoint's
    for item in [*caused, event] if closes else [event, *caused]:
        view.handle(item)


def plot_losses(path: Path, shown: bool, save: Path | None) -> None:
    """Print a run's losses per batch over time as a plot, or write them as a figure."""
    from jitnet.commands.support import listing
    from jitnet.history import read_run
    from jitnet.history.curves import curves
    from jitnet.history.figure import save_figure

    drawn = curves([read_run(path, path.parent)], "step_loss", "time")
    if shown:
        listing.print_curves(drawn, "step_loss", "time")
    if save is not None:
        save_figure(save, drawn, "step_loss", "time")
