"""What training reports while it runs: it yields events, and views (terminal, pipe, run folder) consume them.

A leaf: it imports nothing of jitnet. Times are in seconds, accuracies in percent; `None` = "not computed".
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, get_args

import numpy as np

Tensors = dict[str, np.ndarray]
Snapshot = Callable[[], Tensors]  # copies of parameters, position and loss sum: all that a resume needs


def _drawn() -> Any:
    """Return a field of what views draw, empty unless given, which would fill a screen if it were printed."""
    return field(default=(), repr=False)


def _not_shown() -> Any:
    return field(repr=False, compare=False, metadata={"json": False})


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochDone:
    """One epoch is trained and evaluated. Its fields up to elapsed_s are the columns of metrics.csv."""

    epoch: int  # 0-based
    step: int  # updates since the start of the run
    lr: float
    train_loss: float  # mean over the epoch's images, each seen before its own update
    val_loss: float | None
    val_accuracy: float | None
    test_loss: float | None
    test_accuracy: float | None
    train_s: float
    eval_s: float
    images_per_s: float  # images / train_s; compilation excluded
    elapsed_s: float  # since the start of the run, pauses between a stop and its resume excluded
    data: str = ""  # the data set's name, so that a result on synthetic digits is marked in every view
    test_rmse: float | None = None  # of a regression, in the target's unit: the root of test_loss
    confusion: tuple[tuple[int, ...], ...] = _drawn()  # by (true class, predicted): test images, else the --val images
    sample_predictions: tuple[int, ...] = _drawn()  # of the first 100 test images, of which RunStarted.sample has some
    worst: tuple[str, ...] = _drawn()  # the test images of the largest errors, drawn as those of RunStarted.sample
    worst_labels: tuple[int, ...] = _drawn()
    worst_predictions: tuple[int, ...] = _drawn()
    filters: tuple[str, ...] = _drawn()  # of the first layer, as hexadecimal digits of their weights, 8 = zero
    snapshot: Snapshot = _not_shown()  # noqa: RUF009 (it is a field)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """Everything a header needs. A resumed run starts at its position, earlier epochs in `history`."""

    title: str  # "cnn"
    run: str  # path of the run folder, "" when nothing is saved
    architecture: str  # "conv16 pool conv32 pool conv64 dense100 dense10"
    parameters: int
    macs: int  # multiply-accumulates of one image's forward pass, zeros counted
    step_macs: int  # of one image's training step: forward, input gradients, weight gradients
    data: str  # "mnist", "synthetic", ...
    source: str  # where the data came from
    train_images: int
    val_images: int
    test_images: int
    recipe: str  # "per-sample SGD, lr 0.001 (documents), file order, seed 0"
    epochs: int
    batch_size: int
    steps_per_epoch: int
    threads: int
    layer: str  # the threading layer: "omp", "tbb" or "workqueue"
    epoch: int = 0  # position where this process begins
    step_in_epoch: int = 0
    history: tuple[EpochDone, ...] = ()
    extents: tuple[str, ...] = ()  # of the image and after each layer: "28x28x1", "28x28x16", ...
    classes: int = 0
    sample: tuple[str, ...] = ()  # the first test images as 10 x 10 hexadecimal digits of grey, to be drawn small
    sample_labels: tuple[int, ...] = ()
    class_names: tuple[str, ...] = ()
    data_facts: tuple[tuple[str, str], ...] = ()  # what else is known of the data, as (name, text)

    @property
    def images_per_epoch(self) -> int:
        """Images that an epoch trains on: fewer than there are if its updates are limited."""
        return min(self.train_images, self.steps_per_epoch * self.batch_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiling:
    """A kernel's compilation begins (index of total), or is over (index == total, seconds = all of it).

    While another process compiles, the same index comes several times a second.
    """

    name: str
    index: int  # 0-based while compiling
    total: int
    cached: bool  # loaded from the cache of an earlier run, so far
    seconds: float  # since the phase began
    left_s: float | None = None  # until the phase is over, estimated
    about: str = ""  # what is compiled, in words

    @property
    def share(self) -> float:
        """The share of the phase that is over, by the time that is left if that is estimated."""
        if self.left_s is None:
            return self.index / max(1, self.total)
        return self.seconds / max(1e-9, self.seconds + self.left_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakMeasured:
    """How fast multiply-adds are on this machine now, on as many threads as training uses."""

    gflops: float
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsDone:
    """One compiled call came back (50 to 100 ms of work)."""

    epoch: int
    step: int  # updates since the start of the run
    step_in_epoch: int  # updates since the start of the epoch
    steps_per_epoch: int
    images: int  # trained in this call
    lr: float
    call_loss: float  # mean loss over this call's images
    epoch_loss: float  # mean loss over the epoch's images so far
    seconds: float  # of this call
    elapsed_s: float
    accuracy: float | None = None  # on a few of its images before their update; seldom measured
    moved: tuple[float, ...] = ()  # by layer: change of its weights as a share of their size; a pool's is 0
    snapshot: Snapshot = _not_shown()  # noqa: RUF009 (it is a field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Some images of an evaluation, or of a batch that takes several calls, are done; nothing else has changed.

    It lets a view show life and a signal be noticed in time.
    """

    epoch: int
    images: int  # done so far
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSaved:
    """A checkpoint is safe on disk."""

    path: str
    kind: str  # "last" or "best"
    epoch: int
    step: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something the user should know that does not stop the run, as one sentence."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advised:
    """What the curves say, as one sentence with something to try. A later one replaces it."""

    kind: str  # "learnt nothing", "stuck", "overfitting", ...: see training/coach.py
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """A signal stopped the run after its current call."""

    signal: str  # "SIGINT"
    epoch: int
    step: int
    resume: str  # the command that continues, "" when nothing is saved


@dataclass(frozen=True, slots=True, kw_only=True)
class Diverged:
    """The loss or a parameter is not finite. Nothing of this call is saved."""

    epoch: int
    step: int
    lr: float
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The last epoch is done."""

    test_accuracy: float | None
    val_accuracy: float | None
    elapsed_s: float
    data: str = ""
    run: str = ""
    test_rmse: float | None = None  # of a regression, in the target's unit
    stop_reason: str = ""  # why before the last planned epoch, as a clause


Event = (
    RunStarted
    | Compiling
    | PeakMeasured
    | StepsDone
    | Progress
    | EpochDone
    | CheckpointSaved
    | Warned
    | Advised
    | Interrupted
    | Diverged
    | RunFinished
)


def as_record(event: Event) -> dict[str, Any]:
    """Return the event as plain values for JSON, its class name first under "event".

    >>> as_record(Warned(message="no cache"))
    {'event': 'Warned', 'message': 'no cache'}
    """
    record: dict[str, Any] = {"event": type(event).__name__}
    for item in fields(event):
        if item.metadata.get("json", True):
            value = getattr(event, item.name)
            record[item.name] = [as_record(v) for v in value] if item.name == "history" else _as_lists(value)
    return record


def from_record(record: dict[str, Any]) -> Event:
    """Return the event that `as_record` wrote; its `snapshot` is gone (empty), and a null loss is NaN again.

    Fields that this version does not know are omitted; an unknown event or missing field is a `ValueError`.

    >>> from_record({"event": "Warned", "message": "no cache"})
    Warned(message='no cache')
    """
    kinds = {kind.__name__: kind for kind in get_args(Event)}
    try:
        kind = kinds[record["event"]]
        values: dict[str, Any] = {}
        for item in fields(kind):
            if not item.metadata.get("json", True):
                values[item.name] = dict  # called, it gives no tensors
            elif item.name in record:
                value = record[item.name]
                if item.name == "history":
                    value = tuple(from_record(row) for row in value)
                elif value is None and item.type is float:  # JSON has no NaN
                    value = math.nan
                else:
                    value = _frozen(value)
                values[item.name] = value
        return kind(**values)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a record of an event: {error}") from None


def _frozen(value: Any) -> Any:
    """JSON's lists as the tuples they were."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _as_lists(value: Any) -> Any:
    """Tuples as the lists that JSON makes of them."""
    return [_as_lists(item) for item in value] if isinstance(value, tuple) else value
