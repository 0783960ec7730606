"""A run as a page shows it, and its result in a title and in one sentence."""

from dataclasses import dataclass

import numpy as np

from jitnet.display.format import NONE, count, duration, number, percentage, significant
from jitnet.history import Run
from jitnet.model.architecture import Shape
from jitnet.report.measure import Measured
from jitnet.report.regression import Residuals

_STATUSES = {
    "done": "Trained for",
    "running": "In training after",
    "stopped": "Stopped after",
    "crashed": "Crashed after",
    "diverged": "Diverged after",
}


@dataclass(frozen=True)
class Subject:
    """A run with what was measured of it; `missing` says why nothing was."""

    run: Run
    network: tuple[Shape, ...]
    tensors: dict[str, np.ndarray]
    measured: Measured | Residuals | None
    images: np.ndarray  # (n, H, W, C) of the test set, n = 0 if it is not here or has no images
    missing: str = ""
    play: str = ""  # the page that `jitnet play` wrote, as a link from this one

    @property
    def target(self) -> str:
        """The column that a regression predicts, "" of a classification."""
        return str(self.run.settings["target"])

    @property
    def result(self) -> tuple[str, str]:
        """Name and text of the one figure that the run is judged by."""
        if self.target:
            loss = self.run.last("test_loss")
            error = self.measured.rmse if isinstance(self.measured, Residuals) else None if loss is None else loss**0.5
            return "test RMSE", significant(error)
        measured = isinstance(self.measured, Measured)
        accuracy = self.measured.accuracy if measured else self.run.last("test_accuracy")  # type: ignore[union-attr]
        return "test accuracy", percentage(accuracy)

    @property
    def title(self) -> str:
        """The run's name with its result."""
        name, text = self.result
        mark = " on synthetic digits" if self.run.meta["data"] == "synthetic" else ""
        return self.run.name if text == NONE else f"{self.run.name}: {name} {text}{mark}"

    @property
    def sentence(self) -> str:
        """What happened: how long the run was trained, and with what result."""
        run, done = self.run, len(self.run.epochs)
        if not done:
            return f"No epoch is done; the run is {run.status}."
        planned = max(run.settings["epochs"], run.settings["until"])
        epochs = count(done) if done == planned else f"{done} of {count(planned)}"
        seconds = run.last("elapsed_s")
        time = "" if seconds is None else f" in {duration(seconds)}"
        told = f"{_STATUSES.get(run.status, 'Trained for')} {epochs}{time}, the network {self._result_clause()}"
        return f"{told}{self._trend()}."

    def _trend(self) -> str:
        """Return whether the last epochs were still better, where that is known."""
        name = next((n for n in ("val_accuracy", "test_accuracy") if self.run.last(n) is not None), "")
        values = [value for row in self.run.epochs if (value := row.get(name)) is not None]
        if len(values) < 3:
            return ""
        best = max(values)
        if values[-1] == best and 100 - best < 0.95 * (100 - values[-3]):
            return "; the accuracy was still rising at the end"
        return f"; the best epoch was {values.index(best) + 1}" if best - values[-1] > 0.1 else ""

    def _result_clause(self) -> str:
        match self.measured:
            case Measured() as found:
                wrong = f"; {number(found.errors)} {'is' if found.errors == 1 else 'are'} wrong{_confused(found)}"
                images = f"{count(found.images, 'test image')} of {found.data}"
                return f"classifies {percentage(found.accuracy)} of {images} correctly{wrong}"
            case Residuals() as found:
                rows = f"{count(found.rows, 'test row')} of {found.data}"
                share = "" if found.explained is None else f" (R² {number(found.explained, 4)})"
                error = f"a root mean squared error of {significant(found.rmse)}{share}"
                return f"predicts {found.target!r} of {rows} with {error}"
        name, text = self.result
        return f"had no {name}" if text == NONE else f"had a {name} of {text}"


def _confused(found: Measured) -> str:
    """Return which class is most often taken for which."""
    wrong = found.confusion * (1 - np.eye(len(found.confusion), dtype=int))
    most = int(wrong.max(initial=0))
    if most < 2:
        return ""
    true, taken = map(int, np.unravel_index(int(wrong.argmax()), wrong.shape))
    return f", most often {found.name_of(true)} taken for {found.name_of(taken)} ({number(most)})"
