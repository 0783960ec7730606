"""CNN and MLP for Python programs: classifiers that differ in their hidden layers only; and `load` for either."""

import operator
import os
from typing import Any, Self

from jitnet.errors import InputError
from jitnet.estimators.classifier import Classifier
from jitnet.model.architecture import CNN as DOCUMENTS_CNN
from jitnet.model.architecture import Dense, Layer, parse, to_text
from jitnet.run.trained import Trained, open_trained


class CNN(Classifier):
    """The documents' convolutional network, or another of conv blocks and dense layers.

    Parameters
    ----------
    architecture : str, default "conv16 pool conv32 pool conv64 dense100"
        hidden layers as text, in the notation of `jitnet train --arch`
    [settings]

    Examples
    --------
    >>> import numpy as np
    >>> x = np.zeros((8, 6, 6), np.uint8); x[4:] = 255
    >>> model = CNN("conv2 pool dense4", epochs=30, lr=0.3, schedule="constant", init="he").fit(x, [0] * 4 + [1] * 4)
    >>> model.predict(x)
    array([0, 0, 0, 0, 1, 1, 1, 1])
    """

    def __init__(self, architecture: str = to_text(DOCUMENTS_CNN[:-1]), **options: Any):
        super().__init__(**options)
        self.architecture = architecture

    def _hidden_layers(self) -> tuple[Layer, ...]:
        if not isinstance(self.architecture, str):
            raise InputError(f"architecture is {self.architecture!r}: expected a text such as 'conv16 pool dense100'")
        return parse(self.architecture)

    @classmethod
    def _from_layers(cls, hidden: tuple[Layer, ...]) -> Self:
        return cls(to_text(hidden))


class MLP(Classifier):
    """Dense layers with an activation between them.

    Parameters
    ----------
    hidden : tuple of int, default (1000, 100)
        units of each hidden layer
    activation : {"relu", "sigmoid", "tanh", "linear"}, default "relu"
        activation of the hidden layers
    [settings]

    Examples
    --------
    >>> MLP((30,)).get_params()["hidden"]
    (30,)
    """

    def __init__(self, hidden: tuple[int, ...] = (1000, 100), activation: str = "relu", **options: Any):
        super().__init__(**options)
        self.hidden = hidden
        self.activation = activation

    def _hidden_layers(self) -> tuple[Layer, ...]:
        units = [self.hidden] if isinstance(self.hidden, int) else self.hidden
        try:
            sizes = [operator.index(each) for each in units]
        except TypeError:
            sizes = [0]
        if not all(size > 0 for size in sizes):
            raise InputError(f"hidden is {self.hidden!r}: expected the units of each hidden layer, as in (100, 50)")
        return parse(" ".join(f"dense{size}:{self.activation}" for size in sizes))

    @classmethod
    def _from_layers(cls, hidden: tuple[Layer, ...]) -> Self:
        if not all(isinstance(layer, Dense) for layer in hidden):
            raise InputError("it holds a network with conv layers: use CNN.load or jitnet.load")
        dense = [layer for layer in hidden if isinstance(layer, Dense)]
        activations = {layer.activation for layer in dense} or {"relu"}
        if len(activations) > 1:
            raise InputError("its layers have different activations: use CNN.load or jitnet.load")
        return cls(tuple(layer.units for layer in dense), activations.pop())


def load(source: str | os.PathLike[str], runs_dir: str | os.PathLike[str] = "runs") -> CNN | MLP:
    """Open a trained network as the estimator that it fits: a `CNN`, or an `MLP` if it has dense layers only.

    Parameters
    ----------
    source : a run (path, name in `runs_dir`, or "latest"), a checkpoint, or a model that `save` wrote
    runs_dir : folder of the runs

    Raises
    ------
    InputError : there is no such run or file, it is damaged, or it is a regression
    """
    return estimator_of(open_trained(source, runs_dir))


def estimator_of(trained: Trained) -> CNN | MLP:
    """Return a trained network as an estimator; raises `InputError` for a regression."""
    hidden = parse(trained.settings.architecture)
    uniform = len({layer.activation for layer in hidden if isinstance(layer, Dense)}) <= 1
    kind: type[CNN] | type[MLP] = MLP if uniform and all(isinstance(layer, Dense) for layer in hidden) else CNN
    return kind._from_trained(trained)
