"""A network as a scikit-learn classifier: fit, partial_fit, predict, predict_proba, score, save, load."""

import contextlib
import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from jitnet.config import Settings
from jitnet.data.labels import are_in_runs
from jitnet.data.pixels import Scale
from jitnet.data.record import DataRecord
from jitnet.data.split import Split, validation
from jitnet.errors import DivergedError, InputError
from jitnet.estimators import inputs
from jitnet.estimators.sklearn_protocol import DEFAULTS, Conventional
from jitnet.events import Diverged, EpochDone, Event, Warned, as_record
from jitnet.machine import threads
from jitnet.model.architecture import Conv, Layer, parse, to_text
from jitnet.model.build import network_of
from jitnet.model.scores import probabilities
from jitnet.run.describe import describe
from jitnet.run.trained import Trained, open_trained
from jitnet.storage import foreign_weights, model_file
from jitnet.storage.metadata import Description, metadata
from jitnet.training.loop import Training
from jitnet.training.position import Position

threads.configure()  # a container's quota, before numba counts the machine's cores


class Classifier(Conventional, ABC):
    """What CNN and MLP share. The constructor only stores its arguments; what `fit` computes ends in `_`.

    Attributes
    ----------
    classes_ : ndarray, the labels that were seen, sorted
    network_ : jitnet.model.network.Network, its parameters in `network_.tensors()`
    history_ : list of EpochDone, one per epoch
    loss_curve_ : list of float, the mean training loss of each epoch
    validation_loss_curve_ : list of float, the loss of the `val` images after each epoch; empty without
    n_features_in_ : int, numbers per image
    """

    history_: list[EpochDone]
    epochs: int
    on_event: Callable[[Event], Any] | None

    def __init__(self, *, on_event: Callable[[Event], Any] | None = None, **settings: Any):
        for name, default in DEFAULTS.items():
            setattr(self, name, settings.pop(name, default))
        self.on_event = on_event
        if settings:
            raise TypeError(f"{type(self).__name__}() got an unexpected keyword argument {min(settings)!r}")

    @abstractmethod
    def _hidden_layers(self) -> tuple[Layer, ...]:
        """Return the layers between the image and the output layer."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> Self:
        """Train from the start.

        Parameters
        ----------
        x : images (n, H, W) or (n, H, W, C), or flat rows (n, D); whole numbers are divided by their full scale, 255
            unless they show another one, floats with fractions are taken as they are; `predict` follows the same rule
        y : labels (n,), integers or strings

        Raises
        ------
        InputError : shapes or labels do not fit
        DivergedError : the loss is not finite any more; the estimator is as it was before
        """
        settings = self._settings(self.epochs)
        with self._unless_diverged():
            self._start(settings, x, y)
            self._train(settings, x, y)
        return self

    def partial_fit(self, x: np.ndarray, y: np.ndarray, classes: np.ndarray | None = None) -> Self:
        """Train one epoch at the peak learning rate, continuing from the present parameters.

        `classes` lists all labels on the first call, if `y` does not hold them all. Raises as `fit`.
        """
        settings = self._settings(1).replace(schedule="constant")
        with self._unless_diverged():
            if not hasattr(self, "network_"):
                self._start(settings, x, y if classes is None else classes)
            self._train(settings.replace(seed=settings.seed + len(self.history_)), x, y, self._position)
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Return the probability (n, classes) of each class, in the order of `classes_`."""
        return probabilities(self._logits(x))

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the most probable label (n,) of each image."""
        scores = self._logits(x)
        return self.classes_[scores.argmax(axis=1)]

    def score(self, x: np.ndarray, y: np.ndarray) -> float:
        """Return the share of images, from 0 to 1, whose label is predicted."""
        predicted = self.predict(x)
        labels = inputs.labels_of_images(y, len(predicted))
        inputs.require_alike(labels, self.classes_)
        return float((predicted == labels).mean())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network, its recipe and its history, as .npz if `path` ends so, else as safetensors.

        An old file stays until all is written. `load` reads it, as do `jitnet predict` and `jitnet eval`.
        """
        self._fitted()
        described = Description(
            settings=self._settings(self.epochs),
            image=self.network_.image,
            labels=self.classes_,
            history=tuple(_record(row) for row in self.history_),
            record=self._record,
        )
        model_file.save(Path(path), self.network_.tensors(), metadata(described))

    @classmethod
    def load(cls, path: str | os.PathLike[str], runs_dir: str | os.PathLike[str] = "runs") -> Self:
        """Open a trained network with its recipe and history.

        Parameters
        ----------
        path : a model that `save` wrote, a checkpoint, or a run (path, name in `runs_dir`, or "latest")
        runs_dir : folder of the runs

        Raises
        ------
        InputError : there is no such file or run, it is damaged, or it holds another kind of network
        """
        return cls._from_trained(open_trained(path, runs_dir))

    @classmethod
    def _from_trained(cls, trained: Trained) -> Self:
        if trained.settings.target:
            raise InputError(f"{trained.path} cannot be loaded: it is a regression, and estimators classify")
        try:
            estimator = cls._from_layers(parse(trained.settings.architecture))
        except InputError as error:
            raise InputError(f"{trained.path} cannot be loaded: {error}") from None
        for name in DEFAULTS:
            setattr(estimator, name, getattr(trained.settings, name))
        estimator._position = None
        estimator.network_, estimator.classes_ = trained.network, trained.description.labels
        estimator.history_ = list(trained.history())
        estimator._record = trained.description.record
        return estimator

    def import_weights(
        self,
        path: str | os.PathLike[str],
        image: tuple[int, int, int] = (28, 28, 1),
        classes: Sequence[Any] = range(10),
        names: dict[str, str] | None = None,
        layout: str = "auto",
    ) -> Self:
        """Import the parameters of a PyTorch or Keras model of the same shape, from .safetensors or .npz.

        Parameters
        ----------
        path : of the file
        image : (height, width, channels) that it takes
        classes : its labels (n,), ascending as its outputs are
        names : our layers or tensors to theirs, {"conv1": "features.0", "dense1": "fc"}; see
            `jitnet.storage.foreign_weights.convert`
        layout : "torch", "keras", "jitnet" for what `jitnet export weights` wrote, or "auto": what the file states, or
            the only one that its shapes allow

        Raises
        ------
        InputError : the file cannot be read, or its tensors are not those of this network
        """
        labels = inputs.classes_of(np.asarray(classes))
        if labels.tolist() != list(classes):
            raise InputError(f"classes are {list(classes)}: expected each once and ascending, as the outputs are")
        self._build(labels, image)
        theirs, found = model_file.load_foreign(Path(path))
        tensors, _ = foreign_weights.import_tensors(self.network_, theirs, found, names or {}, layout, str(path))
        self.network_.load_tensors(tensors, str(path))
        self.history_ = []
        return self

    @classmethod
    @abstractmethod
    def _from_layers(cls, hidden: tuple[Layer, ...]) -> Self:
        """Return an untrained classifier with these hidden layers; raises `InputError` for those of another kind."""

    @property
    def loss_curve_(self) -> list[float]:
        """Mean training loss of each epoch."""
        return [row.train_loss for row in self.history_]

    @property
    def validation_loss_curve_(self) -> list[float]:
        """Loss of the held-out images after each epoch."""
        return [row.val_loss for row in self.history_ if row.val_loss is not None]

    @property
    def n_features_in_(self) -> int:
        """Numbers per image."""
        return int(np.prod(self.network_.image))

    def _settings(self, epochs: int) -> Settings:
        values = {name: getattr(self, name) for name in DEFAULTS} | {"epochs": epochs}
        architecture = to_text(self._hidden_layers()) or " "  # "" would be those of a preset
        return Settings(architecture=architecture, network=type(self).__name__.lower(), **values)

    def _start(self, settings: Settings, x: np.ndarray, labels: np.ndarray) -> None:
        """Determine the classes and the size of the images, and make a network with initial weights."""
        images, scale = self._images(x)
        self._build(inputs.classes_of(labels), images.shape[1:])
        self._record = inputs.record_of(images, self.classes_, scale)
        self.network_.initialise(settings.init, settings.seed)
        self.history_ = []

    @contextlib.contextmanager
    def _unless_diverged(self) -> Iterator[None]:
        """Let a training that diverges leave the estimator as it was: its parameters and history, or unfitted."""
        before = self.__dict__.copy()
        network, epochs = before.get("network_"), len(before.get("history_", ()))
        params = network.params.copy() if network is not None else None
        try:
            yield
        except DivergedError:
            self.__dict__.clear()
            self.__dict__.update(before)
            if network is not None:
                network.params[:] = params
                del self.history_[epochs:]
            raise

    def _build(self, classes: np.ndarray, image: tuple[int, ...]) -> None:
        self._position: Position | None = None  # the optimizer's state, from one partial_fit to the next
        self.network_ = network_of(self._settings(self.epochs), image, len(classes))
        self.classes_ = classes
        self._record = DataRecord()

    def _images(self, x: np.ndarray, trained: Scale | None = None) -> tuple[np.ndarray, Scale]:
        return inputs.images(x, not any(isinstance(layer, Conv) for layer in self._hidden_layers()), trained)

    def _logits(self, x: np.ndarray) -> np.ndarray:
        self._fitted()
        return self.network_.logits(self._checked(x))

    def _checked(self, x: np.ndarray) -> np.ndarray:
        images, _ = self._images(x, self._record.scale if self._record.kind else None)
        if images.shape[1:] != self.network_.image:
            if np.ndim(x) == 2:
                numbers, name, wanted = np.shape(x)[1], type(self).__name__, self.n_features_in_
                raise InputError(f"X has {numbers} features, but {name} is expecting {wanted} features as input")
            raise InputError(f"x holds images of {images.shape[1:]}: expected {self.network_.image}, as in fit")
        return images

    def _train(self, settings: Settings, x: np.ndarray, y: np.ndarray, position: Position | None = None) -> None:
        images = self._checked(x)
        labels = inputs.labels_of_images(y, len(images))
        targets = np.searchsorted(self.classes_, labels)
        unknown = self.classes_[np.minimum(targets, len(self.classes_) - 1)] != labels
        if unknown.any():
            raise InputError(f"y holds {labels[unknown.argmax()]!r}: expected one of {list(self.classes_)}")
        if settings.val >= len(images):
            raise InputError(f"val is {settings.val}: expected fewer than the {len(images)} images of x")
        targets = targets.astype(np.uint8)
        train, val, _ = validation(images, targets, settings.val)
        data = Split("array", train, val, (images[:0], targets[:0]))
        if not settings.shuffle and are_in_runs(train[1]):
            warnings.warn(
                "the labels are sorted, and a network forgets a class while it sees only others: give shuffle=True",
                stacklevel=3,
            )
        training = Training(self.network_, settings, data, position)
        if self.on_event is not None:
            self.on_event(describe(training, "arrays", type(self).__name__.lower()))
        for event in training.run():
            if isinstance(event, EpochDone):
                self.history_.append(event)
            if self.on_event is not None:
                self.on_event(event)
            if isinstance(event, Warned):
                warnings.warn(event.message, stacklevel=3)
            if isinstance(event, Diverged):
                message = event.message.split(": the last good checkpoint")[0]
                raise DivergedError(f"{message}: the estimator is as it was before, try a smaller lr")
        self._position = Position(step=training.position.step, optimizer=training.optimizer.state())


def _record(row: EpochDone) -> dict[str, Any]:
    """Return an epoch for a file, without what has an entry per class or image."""
    return {name: value for name, value in as_record(row).items() if name not in ("confusion", "sample_predictions")}
