"""A network as a scikit-learn regressor: it approximates a number instead of choosing a class."""

import dataclasses
from typing import Any, Self

import numpy as np

from jitnet.config import Settings
from jitnet.data.pixels import Scale
from jitnet.data.readers import regression
from jitnet.data.record import DataRecord
from jitnet.errors import InputError
from jitnet.estimators import inputs, weighting
from jitnet.estimators.estimator import Estimator
from jitnet.estimators.targets import numbers_of
from jitnet.run.trained import Trained

_AS_THEY_ARE = Scale(1.0, 0.0, 1.0, False)  # numbers of a table


class Regressor(Estimator):
    """What the regressors share. Rows are brought to mean 0 and deviation 1 in each column, and so is the target.

    Attributes
    ----------
    network_ : jitnet.model.network.Network, its parameters in `network_.tensors()`
    settings_ : jitnet.config.Settings, what the recipe and the parameters came to
    history_ : list of EpochDone, one per epoch
    loss_curve_ : list of float, the mean squared error of each epoch in the target's unit
    validation_loss_curve_ : list of float, that of the `val` rows after each epoch; empty without
    advice_ : str, what the curves suggest, "" for nothing; also given as a LearningWarning
    n_iter_ : int, epochs that were trained
    n_features_in_ : int, numbers per row or image
    feature_names_in_ : ndarray, the names of the columns, where x is a table that names them
    """

    _estimator_type = "regressor"
    _without = ("loss", "label_smoothing", "target_accuracy", "class_weight")  # those of classes

    def predict(self, x: Any) -> np.ndarray:
        """Return a number (n,) float64 for each row or image."""
        outputs = self._outputs(x)[:, 0].astype(np.float64)
        return outputs * self._record.deviations[-1] + self._record.means[-1]

    def score(self, x: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the coefficient of determination R^2: 1 is exact, 0 as good as the mean."""
        predicted = self.predict(x)
        wanted = numbers_of(y, len(predicted))
        weights = weighting.of_samples(sample_weight, len(wanted))
        left = np.average((wanted - predicted) ** 2, weights=weights)
        spread = np.average((wanted - np.average(wanted, weights=weights)) ** 2, weights=weights)
        return float(1 - left / spread) if spread else float(left == 0)

    def partial_fit(self, x: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch at the peak learning rate, continuing from the present parameters. Raises as `fit`."""
        if classes is not None:
            raise InputError(f"classes are given to a {type(self).__name__}, which has none: name sample_weight=")
        return super().partial_fit(x, y, None, sample_weight)

    def _settings(self) -> Settings:
        return super()._settings().replace(target="y")

    def _images(self, x: Any, trained: Scale | None = None) -> tuple[np.ndarray, Scale]:
        """Return rows as (n, 1, D, 1) float32 in their columns' units, images as a classifier takes them."""
        if not inputs.is_table(x):
            return super()._images(x, trained)
        rows = inputs.rows_of(x)
        record = self.__dict__.get("_record") if trained is not None else None
        if record is not None and len(record.means) == rows.shape[1] + 1:
            return regression.scaled(rows, record), _AS_THEY_ARE
        return np.ascontiguousarray(rows, np.float32)[:, None, :, None], _AS_THEY_ARE

    def _begin(self, x: Any, y: Any, sample_weight: Any = None) -> None:
        images, scale = self._images(x)
        wanted = numbers_of(y, len(images))
        weights = weighting.of_samples(sample_weight, len(wanted))
        used = slice(None) if weights is None else weights > 0
        self._build(images.shape[1:], 1)
        wanted = wanted[used]
        if len(wanted) > 1 and np.ptp(wanted) == 0:
            inputs.warn(f"all numbers of y are {wanted[0]:g}: there is nothing to learn from them")
        means, deviations = [float(wanted.mean())], [float(wanted.std()) or 1.0]
        if inputs.is_table(x):
            rows = inputs.rows_of(x)[used]
            deviation = rows.std(axis=0)
            means = [*map(float, rows.mean(axis=0)), *means]
            deviations = [*map(float, np.where(deviation > 0, deviation, 1.0)), *deviations]
        self._name_features(x)
        named = self._named_columns()
        named["columns"] = named["columns"] or tuple(str(place + 1) for place in range(len(means) - 1))
        self._record = DataRecord(
            kind="table of numbers" if inputs.is_table(x) else "arrays", label_column="y", means=tuple(means),
            deviations=tuple(deviations), scale=scale, image=images.shape[1:3], **named,
        )  # fmt: skip

    def _targets(self, y: Any, images: int) -> np.ndarray:
        mean, deviation = self._record.means[-1], self._record.deviations[-1]
        return ((numbers_of(y, images) - mean) / deviation).astype(np.float32)[:, None]

    def _unit(self) -> float:
        return self._record.deviations[-1] ** 2

    def _set_labels(self, trained: Trained) -> None:
        if not trained.settings.target:
            raise InputError(f"{trained.path} cannot be loaded: it classifies; use jitnet.load, CNN.load or MLP.load")
        if not trained.description.record.means:
            raise InputError(f"{trained.path} does not state the means of its table: train it again")
        self._record = dataclasses.replace(trained.description.record)
