"""The features of images, for other programs: what scikit-learn expects of a transformer, kept without scikit-learn."""

import importlib
import sys
from abc import abstractmethod
from typing import Any, Self

import numpy as np

from jitnet.errors import InputError
from jitnet.estimators import insight
from jitnet.estimators.stored import Stored

_TABLES = ("pandas", "polars")  # whose tables `transform` can return


class Features(Stored):
    """What is inside a trained network: the last hidden layer as features, and the maps of all layers."""

    _sklearn_output_config: dict[str, str]  # scikit-learn's `clone` copies what has this name

    @abstractmethod
    def fit(self, x: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train from the start."""

    @abstractmethod
    def _checked(self, x: Any) -> np.ndarray:
        """Return images as the network takes them."""

    @abstractmethod
    def _compiled_for(self, x: Any) -> np.ndarray:
        """Return images as the network takes them, once its predictions are compiled for their type."""

    def transform(self, x: Any) -> Any:
        """Return the outputs (n, units) float32 of the last hidden layer: an array, or a table as by `set_output`."""
        images = self._compiled_for(x)  # before network_, which is there once it is fitted
        found = insight.last_hidden(self.network_, images)
        kind = self._output_kind()
        if kind not in _TABLES:
            return found
        names = list(self.get_feature_names_out())
        if kind == "pandas":
            return importlib.import_module("pandas").DataFrame(found, getattr(x, "index", None), names)
        return importlib.import_module("polars").DataFrame(found, names)

    def fit_transform(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train from the start, and return `transform` of the same images."""
        return self.fit(x, y, sample_weight).transform(x)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what `transform` returns: "default" an array, "pandas" or "polars" a table; None changes nothing."""
        if transform not in (None, "default", *_TABLES):
            raise InputError(f"transform is {transform!r}: expected 'default', 'pandas', 'polars' or None")
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names (units,) of the columns of `transform`: mlp0, mlp1, ..."""
        self._fitted()
        units = self.network_.shapes[-1].inputs
        return np.array([f"{type(self).__name__.lower()}{n}" for n in range(int(np.prod(units)))], object)

    def feature_maps(self, x: Any) -> dict[str, np.ndarray]:
        """Return what every layer makes of some images, by its name: (n, H, W, C) or (n, units), float32.

        In numpy, image after image: for a few of them.
        """
        self._fitted()
        return insight.feature_maps(self.network_, self._checked(x))

    def _output_kind(self) -> str:
        """Return what `set_output` chose, else what scikit-learn is configured to, if that is in use."""
        sklearn = sys.modules.get("sklearn")
        configured = sklearn.get_config()["transform_output"] if sklearn else "default"
        return self.__dict__.get("_sklearn_output_config", {}).get("transform", configured)
