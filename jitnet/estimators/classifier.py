"""A network as a scikit-learn classifier: fit, partial_fit, predict, predict_proba, score, save, load."""

import contextlib
import operator
import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from jitnet.config import CHOICES, Settings
from jitnet.data.labels import are_in_runs
from jitnet.data.pixels import Scale
from jitnet.data.split import Split, validation
from jitnet.errors import DivergedError, InputError
from jitnet.estimators import inputs
from jitnet.estimators import labels as labels_of
from jitnet.estimators.sklearn_protocol import Conventional
from jitnet.events import Diverged, EpochDone, Event, Warned
from jitnet.machine import threads
from jitnet.model.architecture import Conv, Dense, Layer
from jitnet.model.network import Network, probabilities
from jitnet.run.describe import describe
from jitnet.storage import foreign_weights, model_file
from jitnet.training.loop import Position, Training

threads.configure()  # a container's quota, before numba counts the machine's cores


class Classifier(Conventional, ABC):
    """What CNN and MLP share. The constructor only stores its arguments; what `fit` finds out ends in `_`.

    Attributes
    ----------
    classes_ : ndarray, the labels that were seen, sorted
    network_ : jitnet.model.network.Network, its parameters in `network_.tensors()`
    history_ : list of EpochDone, one per epoch
    loss_curve_ : list of float, the mean training loss of each epoch
    validation_loss_curve_ : list of float, the loss of the `val` images after each epoch; empty without
    n_features_in_ : int, numbers per image
    scale_ : jitnet.data.pixels.Scale, what the numbers of the images were divided by
    """

    history_: list[EpochDone]

    _parameters: tuple[str, ...] = (
        "epochs",
        "batch_size",
        "lr",
        "schedule",
        "loss",
        "optimizer",
        "momentum",
        "weight_decay",
        "init",
        "bias",
        "shuffle",
        "seed",
        "val",
        "on_event",
    )

    def __init__(
        self,
        *,
        epochs: int = 9,
        batch_size: int = 1,
        lr: float = 1e-3,
        schedule: str = "documents",
        loss: str = "cross-entropy",
        optimizer: str = "sgd",
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        init: str = "documents",
        bias: str = "position",
        shuffle: bool = False,
        seed: int = 0,
        val: int = 0,
        on_event: Callable[[Event], Any] | None = None,
    ):
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.schedule = schedule
        self.loss = loss
        self.optimizer = optimizer
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.init = init
        self.bias = bias
        self.shuffle = shuffle
        self.seed = seed
        self.val = val
        self.on_event = on_event

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
        before = self.__dict__.copy()
        with self._back_to(before):
            self._start(settings, x, y)
            self._train(settings, x, y)
        return self

    def partial_fit(self, x: np.ndarray, y: np.ndarray, classes: np.ndarray | None = None) -> Self:
        """Train one epoch at the peak learning rate, going on from the present parameters.

        `classes` lists all labels on the first call, if `y` does not hold them all. Raises as `fit`.
        """
        settings = self._settings(1).replace(schedule="constant")
        before = self.__dict__.copy()
        with self._back_to(before):
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
        labels = labels_of.one_per_image(y, len(predicted))
        labels_of.require_alike(labels, self.classes_)
        return float((predicted == labels).mean())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network, as .npz if `path` ends so, else as safetensors; an old file stays until all is written."""
        self._fitted()
        model_file.save(Path(path), self.network_, self.classes_, self.scale_)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a network that `save` wrote; raises `InputError` if the file is damaged or holds another kind."""
        saved = model_file.load(Path(path))
        try:
            estimator = cls._of(saved.hidden)
        except InputError as error:
            raise InputError(f"{path} cannot be loaded: {error}") from None
        estimator.bias = saved.bias
        estimator._build(saved.classes, saved.image)
        estimator.network_.load_tensors(saved.tensors, str(path))
        estimator.scale_ = saved.scale
        estimator.history_ = []
        return estimator

    def import_weights(
        self,
        path: str | os.PathLike[str],
        image: tuple[int, int, int] = (28, 28, 1),
        classes: Sequence[Any] = range(10),
        names: dict[str, str] | None = None,
        layout: str = "torch",
    ) -> Self:
        """Take over the parameters of a PyTorch or Keras model of the same shape, from .safetensors or .npz.

        Parameters
        ----------
        path : of the file
        image : (height, width, channels) that it takes
        classes : its labels (n,), ascending as its outputs are
        names : our layers or tensors to theirs, {"conv1": "features.0", "dense1": "fc"}; see
            `jitnet.storage.foreign_weights.convert`
        layout : "torch", "keras", or "jitnet" for what `jitnet export weights` wrote

        Raises
        ------
        InputError : the file cannot be read, or its tensors are not those of this network
        """
        labels = labels_of.classes(np.asarray(classes))
        if labels.tolist() != list(classes):
            raise InputError(f"classes are {list(classes)}: expected each once and ascending, as the outputs are")
        self._build(labels, image)
        theirs = foreign_weights.read(Path(path))
        tensors, _ = foreign_weights.convert(self.network_, theirs, names or {}, layout, str(path))
        self.network_.load_tensors(tensors, str(path))
        self.history_ = []
        return self

    @classmethod
    @abstractmethod
    def _of(cls, hidden: tuple[Layer, ...]) -> Self:
        """Return an untrained classifier with these hidden layers; raises `InputError` for another kind's."""

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
        names = [name for name in Classifier._parameters if name not in ("epochs", "on_event")]
        values = {"epochs": epochs} | {name: getattr(self, name) for name in names}
        for name in ("lr", "momentum", "weight_decay"):
            if isinstance(values[name], str | bytes | bool) or not np.isscalar(values[name]):
                raise InputError(f"{name} is {values[name]!r}: expected a number")
            values[name] = float(values[name])
        for name in ("schedule", "loss", "optimizer", "init", "bias"):
            if not isinstance(values[name], str):
                raise InputError(f"{name} is {values[name]!r}: expected a text, one of {', '.join(CHOICES[name])}")
        for name in ("epochs", "batch_size", "seed", "val"):
            try:
                values[name] = operator.index(values[name])
            except TypeError:
                raise InputError(f"{name} is {values[name]!r}: expected a whole number") from None
        return Settings(**values)  # its architecture is not looked at: the network is built here

    def _start(self, settings: Settings, x: np.ndarray, labels: np.ndarray) -> None:
        """Find out the classes and the images' size, and draw a new network."""
        images, scale = self._images(x)
        self._build(labels_of.classes(labels), images.shape[1:])
        self.scale_: Scale | None = scale
        self.network_.initialise(settings.init, settings.seed)
        self.history_ = []

    @contextlib.contextmanager
    def _back_to(self, before: dict[str, Any]) -> Iterator[None]:
        """Let a training that diverges leave the estimator as it was `before`: its parameters, history, or unfitted."""
        network = before.get("network_")
        kept = network.params.copy() if network is not None else None
        epochs = len(before.get("history_", ()))
        try:
            yield
        except DivergedError:
            self.__dict__.clear()
            self.__dict__.update(before)
            if network is not None:
                network.params[:] = kept
                del self.history_[epochs:]
            raise

    def _build(self, classes: np.ndarray, image: tuple[int, ...]) -> None:
        height, width, channels = image
        layers = (*self._hidden_layers(), Dense(len(classes)))
        self._position: Position | None = None  # what the optimiser remembers from one partial_fit to the next
        self.network_ = Network(layers, (height, width, channels), self.bias, loss=self.loss)
        self.classes_ = classes
        self.scale_ = None

    def _images(self, x: np.ndarray, trained: Scale | None = None) -> tuple[np.ndarray, Scale]:
        rows = not any(isinstance(layer, Conv) for layer in self._hidden_layers())
        return inputs.images(x, rows, trained)

    def _logits(self, x: np.ndarray) -> np.ndarray:
        self._fitted()
        return self.network_.logits(self._checked(x))

    def _checked(self, x: np.ndarray) -> np.ndarray:
        images, _ = self._images(x, self.scale_)
        if images.shape[1:] != self.network_.image:
            if np.ndim(x) == 2:
                numbers, name, wanted = np.shape(x)[1], type(self).__name__, self.n_features_in_
                raise InputError(f"X has {numbers} features, but {name} is expecting {wanted} features as input")
            raise InputError(f"x holds images of {images.shape[1:]}: expected {self.network_.image}, as in fit")
        return images

    def _train(self, settings: Settings, x: np.ndarray, y: np.ndarray, position: Position | None = None) -> None:
        images = self._checked(x)
        labels = labels_of.one_per_image(y, len(images))
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
                raise DivergedError(f"{message}: the parameters from before are back, try a smaller lr")
        self._position = Position(step=training.position.step, optimizer=training.optimizer.state())
