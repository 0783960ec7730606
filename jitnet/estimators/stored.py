"""Estimators in files: `save` and `load`."""

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np

from jitnet.config import AVERAGED, BY_RECIPE, CALIBRATED, Settings
from jitnet.data.record import DataRecord
from jitnet.errors import InputError
from jitnet.estimators.sklearn_protocol import DEFAULTS, Conventional
from jitnet.events import EpochDone, as_record
from jitnet.model.architecture import Layer, parse
from jitnet.model.memory_plan import tensors_of
from jitnet.model.network import Network
from jitnet.model.optimizer import AVERAGE
from jitnet.run.own_files import require_other
from jitnet.run.trained import SUFFIXES, Trained, open_trained
from jitnet.storage import model_file
from jitnet.storage.metadata import Description, metadata
from jitnet.training.position import Position


class Stored(Conventional, ABC):
    """What is trained, written to a file and read back."""

    network_: Network
    settings_: Settings
    history_: list[EpochDone]
    advice_: str
    _position: Position | None  # the optimizer's state, from one partial_fit to the next
    _raw: np.ndarray | None = None  # the parameters (P,) to continue from, if network_ predicts with others
    _record: DataRecord
    feature_names_in_: np.ndarray

    @abstractmethod
    def _settings(self) -> Settings:
        """Return the settings that the parameters come to."""

    @classmethod
    @abstractmethod
    def _from_layers(cls, hidden: tuple[Layer, ...]) -> Self:
        """Return an untrained estimator with these hidden layers; raises `InputError` for those of another kind."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network, its recipe and its history, which `load`, `jitnet predict` and `jitnet eval` read.

        With `ema` or `label_smoothing` the file holds the parameters that predict and those that `partial_fit`
        continues from.

        Parameters
        ----------
        path : ends in .npz for numpy's format, else in .safetensors or in no suffix; an old file stays until all is
            written

        Raises
        ------
        InputError : the name ends like another format's or is a checkpoint of a run, or the estimator is not trained
        SaveError : the file cannot be written
        """
        self._fitted()
        suffix = Path(path).suffix
        if suffix not in ("", *SUFFIXES):
            raise InputError(
                f"{os.fspath(path)!r} ends in {suffix}: expected a name in .safetensors or .npz, the formats of saved "
                "models; `jitnet.integrations.torch` and `jitnet export` write others"
            )
        require_other(path, "path")
        described = Description(
            settings=self.settings_,
            image=self.network_.image,
            labels=self._labels(),
            history=tuple(_record(row) for row in self.history_),
            record=self._record,
        )
        tensors = self.network_.tensors()
        if self._raw is not None:
            tensors = tensors_of(self.network_.shapes, self._raw) | {AVERAGE: self.network_.params}
        model_file.save(Path(path), tensors, metadata(described))

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
        try:
            estimator = cls._from_layers(parse(trained.settings.architecture))
        except InputError as error:
            raise InputError(f"{trained.path} cannot be loaded: {error}") from None
        names = [name for name in DEFAULTS if name not in cls._without]
        for name in names:
            setattr(estimator, name, getattr(trained.settings, name))
        by_others = {"loss"} | BY_RECIPE
        for name in sorted(by_others.intersection(names)):  # the default where it comes to the same, as if not given
            value = getattr(trained.settings, name)
            setattr(estimator, name, DEFAULTS[name])
            if getattr(estimator._settings(), name) != value:
                setattr(estimator, name, value)
        estimator._position = None
        if trained.weights in (AVERAGED, CALIBRATED):
            own = trained.description.network(trained.tensors, str(trained.path))
            estimator._raw = own.params
        estimator.network_, estimator.settings_ = trained.network, trained.settings
        estimator.history_, estimator.advice_ = list(trained.history()), ""
        record = estimator._record = trained.description.record
        if record.columns and record.header:
            estimator.feature_names_in_ = np.array(record.columns, object)
        estimator._set_labels(trained)
        return estimator

    def _labels(self) -> np.ndarray:
        """Return what the outputs (K,) stand for, for a file."""
        return np.arange(self.network_.classes)

    def _set_labels(self, trained: Trained) -> None:
        """Adopt what the outputs of a trained network stand for."""


def _record(row: EpochDone) -> dict[str, Any]:
    """Return an epoch for a file, without what has an entry per class or image."""
    return {name: value for name, value in as_record(row).items() if name not in ("confusion", "sample_predictions")}
