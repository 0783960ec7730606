"""A network as a scikit-learn classifier: predict, predict_proba, score, and weights from other frameworks."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from jitnet.errors import InputError
from jitnet.estimators import inputs, weighting
from jitnet.estimators.estimator import Estimator
from jitnet.estimators.targets import classes_of, labels_of_images, require_alike
from jitnet.model.scores import probabilities
from jitnet.run.trained import Trained
from jitnet.storage import foreign_weights, model_file


class Classifier(Estimator):
    """What CNN and MLP share. The constructor only stores its arguments; what `fit` computes ends in `_`.

    Attributes
    ----------
    classes_ : ndarray (classes,), the labels that were seen, sorted
    network_ : jitnet.model.network.Network, its parameters in `network_.tensors()`
    settings_ : jitnet.config.Settings, what the recipe and the parameters came to
    history_ : list of EpochDone, one per epoch
    loss_curve_ : list of float, the mean training loss of each epoch
    validation_loss_curve_ : list of float, the loss of the `val` images after each epoch; empty without
    advice_ : str, what the curves suggest, "" for nothing; also given as a LearningWarning
    n_iter_ : int, epochs that were trained
    n_features_in_ : int, numbers per image
    feature_names_in_ : ndarray, the names of the columns, where x is a table that names them
    """

    classes_: np.ndarray
    class_weight: Any

    def predict_proba(self, x: Any) -> np.ndarray:
        """Return the probability (n, classes) of each class, in the order of `classes_`."""
        return probabilities(self._outputs(x))

    def predict_log_proba(self, x: Any) -> np.ndarray:
        """Return the logarithm (n, classes) of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(x))

    def predict(self, x: Any) -> np.ndarray:
        """Return the most probable label (n,) of each image."""
        scores = self._outputs(x)
        return self.classes_[scores.argmax(axis=1)]

    def score(self, x: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of images, from 0 to 1, whose label is predicted; weighted by sample_weight (n,)."""
        predicted = self.predict(x)
        labels = labels_of_images(y, len(predicted))
        require_alike(labels, self.classes_)
        right = predicted == labels
        return float(np.average(right, weights=weighting.of_samples(sample_weight, len(right))))

    def import_weights(
        self,
        path: str | Path,
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
        labels = classes_of(np.asarray(classes))
        if labels.tolist() != list(classes):
            raise InputError(f"classes are {list(classes)}: expected each once and ascending, as the outputs are")
        self._build(image, len(labels))
        self.classes_ = labels
        theirs, found = model_file.load_foreign(Path(path))
        tensors, _ = foreign_weights.import_tensors(self.network_, theirs, found, names or {}, layout, str(path))
        self.network_.load_tensors(tensors, str(path))
        return self

    def _begin(self, x: Any, y: Any, sample_weight: Any = None) -> None:
        images, scale = self._images(x)
        classes = classes_of(y)
        self._build(images.shape[1:], len(classes))
        self.classes_ = classes
        self._name_features(x)
        self._record = dataclasses.replace(inputs.record_of(images, classes, scale), **self._named_columns())

    def _targets(self, y: Any, images: int) -> np.ndarray:
        labels = labels_of_images(y, images)
        targets = np.searchsorted(self.classes_, labels)
        unknown = self.classes_[np.minimum(targets, len(self.classes_) - 1)] != labels
        if unknown.any():
            strange = labels[unknown].tolist()[0]
            raise InputError(f"y holds {strange!r}: expected one of {inputs.some(self.classes_)}")
        return targets.astype(np.uint8)

    def _weights(self, targets: np.ndarray, sample_weight: Any) -> np.ndarray | None:
        parts = (
            weighting.of_samples(sample_weight, len(targets)),
            weighting.of_classes(self.class_weight, targets, self.classes_),
        )
        found = [part for part in parts if part is not None]
        return np.prod(found, axis=0) if found else None

    def _require_same(self, classes: Any) -> None:
        if not np.array_equal(classes_of(classes), self.classes_):
            raise InputError(f"classes differ from those of before: expected {inputs.some(self.classes_)}, or none")

    def _labels(self) -> np.ndarray:
        return self.classes_

    def _set_labels(self, trained: Trained) -> None:
        if trained.settings.target:
            raise InputError(f"{trained.path} cannot be loaded: it is a regression; use jitnet.load or a regressor")
        self.classes_ = trained.description.labels
