"""Open a trained network: of a run, of one of its checkpoints, or of a model that `save()` wrote."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jitnet.config import AVERAGED, CALIBRATED, RAW, Settings
from jitnet.errors import InputError
from jitnet.events import EpochDone, from_record
from jitnet.model.network import Network
from jitnet.model.optimizer import AVERAGE
from jitnet.run.describe import description
from jitnet.run.folder import RunFolder
from jitnet.run.metrics import read_epochs
from jitnet.storage import metadata, model_file
from jitnet.storage.checkpoint import Tensors
from jitnet.storage.metadata import Description
from jitnet.training.calibration import sharpened
from jitnet.training.position import Position

SUFFIXES = (".safetensors", ".npz")


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained network with its recipe and history."""

    path: Path  # of the run folder, or of a file that is in none
    network: Network
    description: Description
    tensors: Tensors  # all of the file: parameters, state of the optimizer, position
    position: Position
    meta: dict[str, Any]  # meta.json of the run; of a file its title, data and data_sha256
    notices: list[str]  # a sentence for each newer checkpoint that is damaged
    weights: str = ""  # AVERAGED, CALIBRATED or RAW of a training that has others than the raw ones

    @property
    def settings(self) -> Settings:
        """Return the recipe."""
        return self.description.settings

    def history(self) -> tuple[EpochDone, ...]:
        """Return the epochs up to the position, empty for a checkpoint outside its run folder.

        Raises `InputError` if metrics.csv or the metadata of the file are damaged.
        """
        if self.path.is_dir():
            return read_epochs(self.path / "metrics.csv", self.position.epoch, self.meta["data"])
        try:
            rows = [from_record(record) for record in self.description.history]
        except ValueError as error:
            raise InputError(f"{self.path} has a damaged history ({error}): save it again") from None
        return tuple(row for row in rows if isinstance(row, EpochDone))


def open_trained(
    source: str | os.PathLike[str],
    runs_dir: str | os.PathLike[str] = "runs",
    kind: str | None = None,
    weights: str | None = None,
) -> Trained:
    """Open a trained network.

    Parameters
    ----------
    source : a run (path, name in `runs_dir`, or "latest"), a checkpoint (.safetensors), or a model that `save()` wrote
        (.safetensors or .npz)
    runs_dir : folder of the runs
    kind : "last", "previous" or "best" checkpoint of a run; default: the newest that is valid
    weights : "averaged" or "raw" weights; default: the averaged ones of a training with `--ema`, and of one with
        `--label-smoothing` those with calibrated scores

    Raises
    ------
    InputError : there is no such run or file, it is damaged, or it does not describe its network
    """
    path = Path(source)
    named_as_file = path.suffix in SUFFIXES and not path.is_dir() and not Path(runs_dir, path).is_dir()
    if not path.is_file() and not named_as_file:
        return _of_run(source, runs_dir, kind, weights)
    if kind is not None:
        raise InputError(f"the {kind} checkpoint of {path} is requested, which is a file: expected a run")
    if (path.parent / "meta.json").is_file() and path.stem in ("last", "previous", "best"):
        return _of_run(path.parent, runs_dir, path.stem, weights)
    return _of_file(path, weights)


def _of_run(
    source: str | os.PathLike[str], runs_dir: str | os.PathLike[str], kind: str | None, weights: str | None
) -> Trained:
    folder = RunFolder.open(source if isinstance(source, str) else Path(source), Path(runs_dir))
    notices: list[str] = []
    if kind is None:
        tensors, _, path, notices = folder.load_newest()
    else:
        (tensors, _), path = folder.load(kind), folder.path / f"{kind}.safetensors"
    found = description(folder.settings, folder.meta)
    position = Position.from_tensors(tensors, str(path))
    network, weights = _network(found, tensors, path, weights, position.sharpness)
    return Trained(folder.path, network, found, tensors, position, folder.meta, notices, weights)


def _of_file(path: Path, weights: str | None) -> Trained:
    tensors, texts = model_file.load(path)
    found = metadata.describe(texts, str(path))
    position = Position.from_tensors(tensors, str(path)) if "position" in tensors else Position(len(found.history))
    meta = {"title": found.title, "data": found.data, "data_sha256": found.data_sha256}
    network, weights = _network(found, tensors, path, weights, position.sharpness)
    return Trained(path, network, found, tensors, position, meta, [], weights)


def _network(
    found: Description, tensors: Tensors, path: Path, weights: str | None, sharpness: float
) -> tuple[Network, str]:
    """Return the network with the weights that predict, or its raw ones, and which they are; "" if it has one kind."""
    network, average = found.network(tensors, str(path)), tensors.get(AVERAGE)
    if weights == AVERAGED and (average is None or not found.settings.ema):
        raise InputError(f"{path} has no averaged weights: expected a training with --ema, or no --weights")
    if average is None and sharpness == 1:
        return network, ""
    if weights == RAW:
        return network, RAW
    if average is not None:
        if average.shape != network.params.shape or average.dtype != network.params.dtype:
            raise InputError(
                f"{path} has averaged weights of another network, {average.dtype} {average.shape}: expected "
                f"{network.params.dtype} {network.params.shape}; use the raw ones"
            )
        network.params[:] = average
    network.params[:] = sharpened(network.shapes, network.params, sharpness)
    if not np.isfinite(network.params).all():
        raise InputError(f"{path} has parameters too large for their calibration: use the raw ones, --weights raw")
    return network, AVERAGED if found.settings.ema else CALIBRATED
