"""A network as a scikit-learn classifier: fit, partial_fit, predict, predict_proba, score, save, load."""

import json
import operator
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np

from jitnet import checkpoint, threads
from jitnet import labels as labels_of
from jitnet.architecture import Conv, Dense, Layer, parse, to_text
from jitnet.config import Settings
from jitnet.data.checks import whole_bytes
from jitnet.errors import DivergedError, InputError
from jitnet.events import Diverged, EpochDone, Event
from jitnet.network import Network, probabilities
from jitnet.splitting import Split, with_channels
from jitnet.training import Position, Training

threads.configure()  # a container's quota, before numba counts the machine's cores


class Classifier(ABC):
    """What CNN and MLP share. The constructor only stores its arguments; what `fit` finds out ends in `_`.

    Attributes
    ----------
    classes_ : ndarray, the labels that were seen, sorted
    network_ : jitnet.network.Network, its parameters in `network_.tensors()`
    history_ : list of EpochDone, one per epoch
    loss_curve_ : list of float, the mean training loss of each epoch
    n_features_in_ : int, numbers per image
    """

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
        self.on_event = on_event

    _estimator_type = "classifier"

    def __sklearn_tags__(self) -> Any:
        """Say what this is to scikit-learn, which alone asks: its searches then draw folds of like classes."""
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            transformer_tags=None,
            regressor_tags=None,
        )

    @abstractmethod
    def _hidden_layers(self) -> tuple[Layer, ...]:
        """Return the layers between the image and the output layer."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments by name."""
        return {name: getattr(self, name) for name in self._parameters}

    def set_params(self, **params: Any) -> Self:
        """Change arguments of the constructor; raises `InputError` for an unknown one."""
        for name, value in params.items():
            if name not in self._parameters:
                raise InputError(
                    f"{type(self).__name__} has no parameter {name!r}: expected one of {', '.join(self._parameters)}"
                )
            setattr(self, name, value)
        return self

    def fit(self, x: np.ndarray, y: np.ndarray) -> Self:
        """Train from the start.

        Parameters
        ----------
        x : images (n, H, W) or (n, H, W, C), or flat rows (n, D); whole numbers 0 to 255 are divided by 255, floats are
            taken as they are
        y : labels (n,), integers or strings

        Raises
        ------
        InputError : shapes or labels do not fit
        DivergedError : the loss is not finite any more
        """
        settings = self._settings(self.epochs)
        self._start(settings, x, y)
        self._train(settings, x, y)
        return self

    def partial_fit(self, x: np.ndarray, y: np.ndarray, classes: np.ndarray | None = None) -> Self:
        """Train one epoch at the peak learning rate, going on from the present parameters.

        `classes` lists all labels on the first call, if `y` does not hold them all. Raises as `fit`.
        """
        settings = self._settings(1).replace(schedule="constant")
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
        return float((predicted == labels_of.one_per_image(y, len(predicted))).mean())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the trained network to a safetensors file, safely: the old file stays until the new one is whole."""
        self._fitted()
        metadata = {
            "classes": json.dumps(self.classes_.tolist()),
            "classes_dtype": self.classes_.dtype.str,
            "architecture": to_text(self.network_.layers[:-1]),
            "image": " ".join(map(str, self.network_.image)),
            "bias": self.network_.bias,
        }
        checkpoint.save(Path(path), self.network_.tensors(), metadata)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a network that `save` wrote; raises `InputError` if the file is damaged or holds another kind."""
        tensors, metadata = checkpoint.load(Path(path))
        try:
            height, width, channels = (int(extent) for extent in metadata["image"].split())
            hidden, bias = parse(metadata["architecture"]), metadata["bias"]
            classes = np.array(json.loads(metadata["classes"]), metadata["classes_dtype"])
        except (KeyError, ValueError, TypeError):
            raise InputError(
                f"{path} is not a network that save() wrote; use `jitnet eval` for the run of a train"
            ) from None
        try:
            estimator = cls._of(hidden)
        except InputError as error:
            raise InputError(f"{path} cannot be loaded: {error}") from None
        estimator.bias = bias
        estimator._build(classes, (height, width, channels))
        estimator.network_.load_tensors(tensors, str(path))
        estimator.history_ = []
        return estimator

    @classmethod
    @abstractmethod
    def _of(cls, hidden: tuple[Layer, ...]) -> Self:
        """Return an untrained classifier with these hidden layers; raises `InputError` for another kind's."""

    @property
    def loss_curve_(self) -> list[float]:
        """Mean training loss of each epoch."""
        return [row.train_loss for row in self.history_]

    @property
    def n_features_in_(self) -> int:
        """Numbers per image."""
        return int(np.prod(self.network_.image))

    def _settings(self, epochs: int) -> Settings:
        names = [name for name in Classifier._parameters if name not in ("epochs", "on_event")]
        values = {"epochs": epochs} | {name: getattr(self, name) for name in names}
        for name in ("epochs", "batch_size", "seed"):
            try:
                values[name] = operator.index(values[name])
            except TypeError:
                raise InputError(f"{name} is {values[name]!r}: expected a whole number") from None
        return Settings(network=type(self).__name__.lower(), **values)

    def _start(self, settings: Settings, x: np.ndarray, labels: np.ndarray) -> None:
        """Find out the classes and the images' size, and draw a new network."""
        image = self._images(x).shape[1:]
        self._build(labels_of.classes(labels), image)
        self.network_.initialise(settings.init, settings.seed)
        self.history_: list[EpochDone] = []

    def _build(self, classes: np.ndarray, image: tuple[int, ...]) -> None:
        height, width, channels = image
        layers = (*self._hidden_layers(), Dense(len(classes)))
        self._position: Position | None = None  # what the optimiser remembers from one partial_fit to the next
        self.network_ = Network(layers, (height, width, channels), self.bias, loss=self.loss)
        self.classes_ = classes

    def _images(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x)
        if x.ndim == 2:
            side = int(x.shape[1] ** 0.5)
            if side * side == x.shape[1]:
                x = x.reshape(len(x), side, side)
            elif any(isinstance(layer, Conv) for layer in self._hidden_layers()):
                raise InputError(f"x has rows of {x.shape[1]} numbers, not a square: give images as (n, height, width)")
            else:
                x = x[:, None, :]
        if x.ndim not in (3, 4) or 0 in x.shape:
            raise InputError(f"x has the shape {x.shape}: expected (n, D), (n, H, W) or (n, H, W, C), none of them 0")
        if x.dtype.kind in "iu":
            x = whole_bytes(x, "x")
        elif x.dtype.kind in "fb":
            with np.errstate(over="ignore"):
                x = x.astype(np.float32)
            if not np.isfinite(x).all():
                raise InputError("x holds a number that is not finite in float32: expected finite pixels")
        else:
            raise InputError(f"x is of type {x.dtype}: expected numbers")
        return np.ascontiguousarray(with_channels(x))

    def _logits(self, x: np.ndarray) -> np.ndarray:
        self._fitted()
        return self.network_.logits(self._checked(x))

    def _checked(self, x: np.ndarray) -> np.ndarray:
        images = self._images(x)
        if images.shape[1:] != self.network_.image:
            raise InputError(f"x holds images of {images.shape[1:]}: expected {self.network_.image}, as in fit")
        return images

    def _fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise InputError(f"this {type(self).__name__} is not trained yet: call fit first")

    def _train(self, settings: Settings, x: np.ndarray, y: np.ndarray, position: Position | None = None) -> None:
        images = self._checked(x)
        labels = labels_of.one_per_image(y, len(images))
        targets = np.searchsorted(self.classes_, labels)
        unknown = self.classes_[np.minimum(targets, len(self.classes_) - 1)] != labels
        if unknown.any():
            raise InputError(f"y holds {labels[unknown.argmax()]!r}: expected one of {list(self.classes_)}")
        none = (images[:0], np.zeros(0, np.uint8))
        data = Split("array", (images, targets.astype(np.uint8)), none, none)
        training = Training(self.network_, settings, data, position)
        for event in training.run():
            if isinstance(event, EpochDone):
                self.history_.append(event)
            if self.on_event is not None:
                self.on_event(event)
            if isinstance(event, Diverged):
                raise DivergedError(event.message)
        self._position = Position(step=training.position.step, optimizer=training.optimizer.state())
