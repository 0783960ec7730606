"""The estimators for Python programs, which differ in their hidden layers and their targets; and `load` for all."""

import operator
import os
from typing import Any, Self

import numpy as np

from jitnet.errors import InputError
from jitnet.estimators import inputs
from jitnet.estimators.classifier import Classifier
from jitnet.estimators.regressor import Regressor
from jitnet.model.architecture import CNN as DOCUMENTS_CNN
from jitnet.model.architecture import Conv, Dense, Layer, Pool, parse, to_text
from jitnet.run.trained import Trained, open_trained


class _Convolutional:
    """Hidden layers of any kind, as text or as a tuple."""

    architecture: str | tuple[Layer, ...]
    network_: Any

    def __init__(self, architecture: str | tuple[Layer, ...] = to_text(DOCUMENTS_CNN[:-1]), **options: Any):
        self._store(options)  # type: ignore[attr-defined]
        self.architecture = architecture

    def _hidden_layers(self) -> tuple[Layer, ...]:
        given = self.architecture
        if isinstance(given, str):
            return parse(given)
        if not isinstance(given, list | tuple) or not all(isinstance(layer, Conv | Pool | Dense) for layer in given):
            raise InputError(
                f"architecture is {given!r}: expected a text such as 'conv16 pool dense100', or a tuple such as "
                "(Conv(16), Pool(), Dense(100))"
            )
        return parse(to_text(tuple(given)))

    def _build(self, image: tuple[int, ...], outputs: int) -> None:
        super()._build(image, outputs)  # type: ignore[misc]
        last = self.architecture[-1] if isinstance(self.architecture, list | tuple) and self.architecture else None
        if isinstance(last, Dense) and last.units == outputs:
            inputs.warn(
                f"architecture ends with Dense({outputs}), and there are {outputs} classes: it is taken for a hidden "
                "layer, and the output layer is added after it; leave the output layer out"
            )

    @classmethod
    def _from_layers(cls, hidden: tuple[Layer, ...]) -> Self:
        return cls(to_text(hidden))


class _Dense:
    """Dense hidden layers with one activation."""

    hidden: tuple[int, ...] | int
    activation: str

    def __init__(self, hidden: tuple[int, ...] | int = (100,), activation: str = "relu", **options: Any):
        self._store(options)  # type: ignore[attr-defined]
        self.hidden = hidden
        self.activation = activation

    def _hidden_layers(self) -> tuple[Layer, ...]:
        units = [self.hidden] if isinstance(self.hidden, int | np.integer) else self.hidden
        try:
            sizes = [operator.index(each) for each in units] if isinstance(units, list | tuple | np.ndarray) else [0]
        except TypeError:
            sizes = [0]
        if not all(size > 0 for size in sizes):
            raise InputError(f"hidden is {self.hidden!r}: expected the units of each hidden layer, as in (100, 50)")
        return parse(" ".join(f"dense{size}:{self.activation}" for size in sizes))

    @classmethod
    def _from_layers(cls, hidden: tuple[Layer, ...]) -> Self:
        other = "CNN.load or jitnet.load" if issubclass(cls, Classifier) else "CNNRegressor.load or jitnet.load"
        if not all(isinstance(layer, Dense) for layer in hidden):
            raise InputError(f"it holds a network with conv layers: use {other}")
        dense = [layer for layer in hidden if isinstance(layer, Dense)]
        activations = {layer.activation for layer in dense} or {"relu"}
        if len(activations) > 1:
            raise InputError(f"its layers have different activations: use {other}")
        return cls(tuple(layer.units for layer in dense), activations.pop())


class CNN(_Convolutional, Classifier):
    """The documents' convolutional network, or another of conv blocks and dense layers.

    Parameters
    ----------
    architecture : str or tuple of Conv, Pool and Dense, default "conv16 pool conv32 pool conv64 dense100"
        hidden layers, as text in the notation of `jitnet train --arch`, or as (Conv(16), Pool(), Dense(100)); the
        output layer is added
    [settings]

    Attributes
    ----------
    [attributes]

    See Also
    --------
    MLP : dense layers alone
    CNNRegressor : approximates a number
    jitnet.load : opens what was trained, by a program or by the command `jitnet train`

    Examples
    --------
    >>> import numpy as np
    >>> x = np.zeros((8, 6, 6), np.uint8); x[4:] = 255
    >>> model = CNN("conv2 pool dense4").fit(x, ["black"] * 4 + ["white"] * 4)
    >>> model.predict(x).tolist()
    ['black', 'black', 'black', 'black', 'white', 'white', 'white', 'white']
    """


class MLP(_Dense, Classifier):
    """Dense layers with an activation between them, for images or rows of numbers.

    Parameters
    ----------
    hidden : tuple of int, default (100,)
        units of each hidden layer
    activation : {"relu", "sigmoid", "tanh", "linear", "leaky-relu", "gelu"}, default "relu"
        activation of the hidden layers
    [settings]

    Attributes
    ----------
    [attributes]

    See Also
    --------
    CNN : convolutions too
    MLPRegressor : approximates a number

    Examples
    --------
    >>> MLP((30,), epochs=5)
    MLP(hidden=(30,), epochs=5)
    """


class CNNRegressor(_Convolutional, Regressor):
    """A network of conv blocks and dense layers that approximates a number for each image.

    Parameters
    ----------
    architecture : str or tuple of Conv, Pool and Dense, default "conv16 pool conv32 pool conv64 dense100"
        hidden layers, as of CNN
    [settings]

    Attributes
    ----------
    [attributes]

    See Also
    --------
    MLPRegressor : dense layers alone

    Examples
    --------
    >>> CNNRegressor("conv4 pool dense10")
    CNNRegressor(architecture='conv4 pool dense10')
    """


class MLPRegressor(_Dense, Regressor):
    """Dense layers that approximate a number for each row of numbers or image.

    Parameters
    ----------
    hidden : tuple of int, default (100,)
        units of each hidden layer
    activation : {"relu", "sigmoid", "tanh", "linear", "leaky-relu", "gelu"}, default "relu"
        activation of the hidden layers
    [settings]

    Attributes
    ----------
    [attributes]

    See Also
    --------
    MLP : chooses classes

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0, 1, 50)[:, None]
    >>> bool(MLPRegressor((20,), epochs=100).fit(x, 3 * x[:, 0] + 1).score(x, 3 * x[:, 0] + 1) > 0.99)
    True
    """


AnyEstimator = CNN | MLP | CNNRegressor | MLPRegressor


def load(source: str | os.PathLike[str], runs_dir: str | os.PathLike[str] = "runs") -> AnyEstimator:
    """Open a trained network as the estimator that it fits: with dense layers only an MLP, else a CNN.

    Parameters
    ----------
    source : a run (path, name in `runs_dir`, or "latest"), a checkpoint, or a model that `save` wrote
    runs_dir : folder of the runs

    Returns
    -------
    CNN or MLP; of a regression CNNRegressor or MLPRegressor

    Raises
    ------
    InputError : there is no such run or file, or it is damaged
    """
    return estimator_of(open_trained(source, runs_dir))


def estimator_of(trained: Trained) -> AnyEstimator:
    """Return a trained network as the estimator that it fits."""
    hidden = parse(trained.settings.architecture)
    uniform = len({layer.activation for layer in hidden if isinstance(layer, Dense)}) <= 1
    dense = uniform and all(isinstance(layer, Dense) for layer in hidden)
    if trained.settings.target:
        return (MLPRegressor if dense else CNNRegressor)._from_trained(trained)
    return (MLP if dense else CNN)._from_trained(trained)
