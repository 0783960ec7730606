"""A network as an estimator: what classifiers and regressors share, from `fit` to what is inside."""

import contextlib
import math
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from jitnet.config import Settings
from jitnet.data.pixels import Scale
from jitnet.data.record import DataRecord
from jitnet.errors import DivergedError, InputError, LearningWarning
from jitnet.estimators import inputs, insight, weighting
from jitnet.estimators.features import Features
from jitnet.estimators.sklearn_protocol import DEFAULTS
from jitnet.estimators.targets import warn_of_rows
from jitnet.estimators.watching import Watchers, announce
from jitnet.events import Advised, Diverged, EpochDone, Event, Warned
from jitnet.machine import threads
from jitnet.model.architecture import Conv, Layer, to_text
from jitnet.model.build import network_of
from jitnet.run.describe import ARRAYS, describe
from jitnet.training.calibration import predicting
from jitnet.training.coach import BUSY
from jitnet.training.compilation import compile_inference
from jitnet.training.loop import Training
from jitnet.training.position import Position
from jitnet.training.stopping import validation_result

threads.configure()  # a container's quota, before numba counts the machine's cores

_PATIENCE, _HELD_OUT = 10, 0.1  # of early_stopping
Best = tuple[tuple[float, float], np.ndarray]  # the best result on the held-out images, and its parameters (P,)


class Estimator(Features):
    """What all estimators share. The constructor only stores its arguments; what `fit` computes ends in `_`."""

    epochs: int | None
    val: int | float
    early_stopping: bool
    patience: int
    verbose: Any

    @abstractmethod
    def _hidden_layers(self) -> tuple[Layer, ...]:
        """Return the layers between the image and the output layer."""

    @abstractmethod
    def _begin(self, x: Any, y: Any, sample_weight: Any = None) -> None:
        """Find out what there is to learn, and make a network for it with `_build`."""

    @abstractmethod
    def _targets(self, y: Any, images: int) -> np.ndarray:
        """Return what the network is trained on: classes (images,) uint8, or numbers (images, 1) float32."""

    def fit(self, x: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train from the start.

        Parameters
        ----------
        x : images (n, H, W) or (n, H, W, C), or rows (n, D), which are images too if D is a square from 25 on. The
            whole numbers of images are divided by their full scale, 255 unless they show another one; fractions and
            the numbers of other rows are taken as they are; `predict` follows the same rule
        y : labels (n,), integers or strings; of a regressor numbers (n,)
        sample_weight : (n,), by which the loss of each image is multiplied, 0 to leave it out; divided by their mean.
            It trains image groups of equal weight one after the other: many different weights are slow

        Raises
        ------
        InputError : shapes, labels or weights do not fit
        DivergedError : the loss is not finite any more; the estimator is as it was before
        """
        settings = self._settings()
        with self._or_as_before():
            self._begin(x, y, sample_weight)
            self.network_.initialise(settings.init, settings.seed)
            self._train(settings, x, y, sample_weight)
        return self

    def partial_fit(self, x: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch at the peak learning rate, continuing from the present parameters.

        `classes` lists all labels on the first call, if `y` does not hold them all. Raises as `fit`.
        """
        settings = self._settings().replace(schedule="constant", epochs=1, patience=0)
        with self._or_as_before():
            if not hasattr(self, "network_"):
                self._begin(x, y if classes is None else classes, sample_weight)
                self.network_.initialise(settings.init, settings.seed)
            elif classes is not None:
                self._require_same(classes)
            position, done = self._position or Position(), len(self.history_)
            position.epoch = done  # the order of the images is that of this epoch
            if self._raw is not None:
                self.network_.params[:] = self._raw
            self._train(settings.replace(until=done + 1), x, y, sample_weight, position)
        return self

    def _require_same(self, classes: Any) -> None:
        """Refuse other classes than those that the network was made for (`InputError`)."""

    def _unit(self) -> float:
        """Return what losses are multiplied by to be in the targets' unit."""
        return 1.0

    def summary(self, image: tuple[int, ...] = (28, 28, 1), classes: int = 10) -> str:
        """Return the network layer by layer, with sizes, parameters and multiply-accumulates.

        Before `fit` that of such an image (height, width, channels) and number of classes.
        """
        given = (*image, 1)[:3] if isinstance(image, list | tuple) else image
        network = self.__dict__.get("network_") or network_of(self._settings(), given, classes)
        return insight.summary(type(self).__name__, network, self._estimator_type == "regressor")

    def _repr_html_(self) -> str:
        """Return what a notebook shows: parameters, and after `fit` the result and the loss curve."""
        return insight.html(self, self._changed())

    @property
    def loss_curve_(self) -> list[float]:
        """Mean training loss of each epoch."""
        return [row.train_loss for row in self.history_]

    @property
    def validation_loss_curve_(self) -> list[float]:
        """Loss of the held-out images after each epoch."""
        return [row.val_loss for row in self.history_ if row.val_loss is not None]

    @property
    def n_iter_(self) -> int:
        """Epochs that were trained."""
        return len(self.history_)

    @property
    def n_features_in_(self) -> int:
        """Numbers per image."""
        return int(np.prod(self.network_.image))

    def _settings(self) -> Settings:
        values = {name: getattr(self, name) for name in DEFAULTS if name not in self._without}
        if not isinstance(self.early_stopping, bool | np.bool_):
            raise InputError(f"early_stopping is {self.early_stopping!r}: expected True or False")
        if self.early_stopping:
            values |= {"patience": self.patience or _PATIENCE, "val": self._held_out()}
        if isinstance(values["val"], float | np.floating):
            if not 0 <= values["val"] < 1:
                raise InputError(f"val is {values['val']!r}: expected a number of images, or a share of them below 1")
            values["val"] = int(values["val"] > 0)  # a share: _train counts the images
        architecture = to_text(self._hidden_layers()) or " "  # "" would be those of a preset
        return Settings(architecture=architecture, network=type(self).__name__.lower(), **values)

    def _held_out(self) -> int | float:
        """Return how many images, or which share of them, are held out."""
        return self.val or (_HELD_OUT if self.early_stopping else 0)

    @contextlib.contextmanager
    def _or_as_before(self) -> Iterator[None]:
        """Let a training that is refused or diverges leave the estimator as it was, with its parameters and history."""
        before = self.__dict__.copy()
        network, epochs = before.get("network_"), len(before.get("history_", ()))
        params = network.params.copy() if network is not None else None
        try:
            yield
        except (DivergedError, InputError):
            self.__dict__.clear()
            self.__dict__.update(before)
            if network is not None:
                network.params[:] = params
                del self.history_[epochs:]
            raise

    def _build(self, image: tuple[int, ...], outputs: int) -> None:
        """Make a network, and forget what an earlier one was trained on."""
        self._position = self._raw = None  # the optimizer's state, from one partial_fit to the next
        self.settings_ = self._settings()
        self.network_ = network_of(self.settings_, image, outputs)
        self._record, self.advice_, self.history_ = DataRecord(), "", []

    def _images(self, x: Any, trained: Scale | None = None) -> tuple[np.ndarray, Scale]:
        # once fitted those of the network, since parameters that were changed are for the next `fit`
        layers = self._hidden_layers() if trained is None else self.network_.layers
        return inputs.images(x, not any(isinstance(layer, Conv) for layer in layers), trained)

    def _name_features(self, x: Any) -> None:
        """Keep the names of the columns of a table, if it has any."""
        names = inputs.column_names(x)
        if names is not None:
            self.feature_names_in_ = names
        else:
            self.__dict__.pop("feature_names_in_", None)

    def _named_columns(self) -> dict[str, Any]:
        """Return what the record of the data has of the columns' names."""
        names = tuple(map(str, getattr(self, "feature_names_in_", ())))
        return {"columns": names, "header": ",".join(names)}

    def _outputs(self, x: Any) -> np.ndarray:
        images = self._compiled_for(x)  # before network_, which is there once it is fitted
        return self.network_.logits(images)

    def _compiled_for(self, x: Any) -> np.ndarray:
        """Return images as the network takes them, once its predictions are compiled for their type."""
        self._fitted()
        images = self._checked(x)
        announce(compile_inference(self.network_, images), self.verbose)
        return images

    def _checked(self, x: Any) -> np.ndarray:
        inputs.require_names(x, getattr(self, "feature_names_in_", None), type(self).__name__)
        images, _ = self._images(x, self._record.scale if self._record.kind else None)
        if images.shape[1:] != self.network_.image:
            if np.shape(x) == self.network_.image[: np.ndim(x)]:
                raise InputError(f"x has the shape {np.shape(x)}, that of one image: expected several, give x[None]")
            if inputs.is_table(x):
                numbers, name, wanted = np.shape(x)[1], type(self).__name__, self.n_features_in_
                raise InputError(f"X has {numbers} features, but {name} is expecting {wanted} features as input")
            raise InputError(f"x holds images of {images.shape[1:]}: expected {self.network_.image}, as in fit")
        inputs.warn_of_polarity(images, self._record)
        return images

    def _weights(self, targets: np.ndarray, sample_weight: Any) -> np.ndarray | None:
        """Return the weights (n,) of the images, None if they have none; `targets` (n,) or (n, 1) are theirs."""
        return weighting.of_samples(sample_weight, len(targets))

    def _train(
        self, settings: Settings, x: Any, y: Any, sample_weight: Any = None, position: Position | None = None
    ) -> None:
        images = self._checked(x)
        targets = self._targets(y, len(images))
        warn_of_rows(x, y)
        weights = self._weights(targets, sample_weight)
        data = weighting.split(images, targets, weights, self._held_out(), settings.shuffle, self._unit())
        chosen, self.settings_ = (
            each.replace(val=len(data.val[0])).for_images(len(data.train[0])) for each in (settings, self._settings())
        )
        training = Training(self.network_, chosen, data, position)
        advice, best = "", ((-np.inf, 0.0), np.empty(0))
        with Watchers(self) as watchers:
            watchers.tell(describe(training, ARRAYS, type(self).__name__.lower(), record=self._record))
            for event in training.run():
                if isinstance(event, EpochDone):
                    self.history_.append(event)
                    if chosen.patience:
                        best = _better(best, event, self._predicting(training))
                    advice = ""
                self._react(event)
                if isinstance(event, Advised) and event.kind != BUSY:
                    advice = event.message
                if watchers.tell(event):
                    break
        self._position = Position(step=training.position.step, optimizer=training.optimizer.state())
        found = self._predicting(training)
        self._raw = None if found is self.network_.params else self.network_.params.copy()
        self.network_.params[:] = best[1] if len(best[1]) else found
        losses = self.loss_curve_
        if position is not None and losses[-1:] <= [min(losses[:-1], default=math.inf)]:
            advice = ""  # an epoch by `partial_fit`: it learns, and whether to go on is the caller's matter
        self.advice_ = advice
        inputs.warn(advice, LearningWarning)

    def _predicting(self, training: Training) -> np.ndarray:
        return predicting(self.network_, training.optimizer, training.position.sharpness)

    def _react(self, event: Event) -> None:
        """Pass warnings on, and raise where training cannot continue."""
        if isinstance(event, Warned):
            inputs.warn(event.message)
        if isinstance(event, Advised) and event.kind == BUSY:
            inputs.warn(event.message, LearningWarning)
        if isinstance(event, Diverged):
            message = event.message.split(": the last good checkpoint")[0]
            raise DivergedError(f"{message}: the estimator is as it was before, try a smaller lr")


def _better(best: Best, row: EpochDone, params: np.ndarray) -> Best:
    """Return the best result on the held-out images and its parameters (P,), where training stops by them."""
    if row.val_loss is None:
        return best
    result = validation_result(row)
    return (result, params.copy()) if result > best[0] else best
