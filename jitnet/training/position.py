"""The progress of a run: all that a resume needs besides the parameters."""

from dataclasses import dataclass, field

import numpy as np

from jitnet.errors import InputError
from jitnet.events import Tensors
from jitnet.model.optimizer import State, state_of
from jitnet.training.calibration import LARGEST

_MOST = 1 << 53  # epochs or steps: whole numbers that a float64 holds


@dataclass
class Position:
    """The progress of a run: all that a resume needs besides the parameters."""

    epoch: int = 0
    step_in_epoch: int = 0
    step: int = 0  # updates since the start of the run
    loss_sum: np.ndarray = field(default_factory=lambda: np.zeros(1))  # of the epoch's images so far, in order
    sharpness: float = 1.0  # what the scores of the last epoch are multiplied by, see calibration.py
    optimizer: State = field(default_factory=dict)  # the optimizer's state when this position was saved
    train_s: float = 0.0  # of the epoch so far
    elapsed_s: float = 0.0  # of the run, by the processes before this one

    def tensors(self) -> Tensors:
        """Return what of it is a function of settings, seed and data; the times are not."""
        place = np.array([self.epoch, self.step_in_epoch, self.step], np.int64)
        found = {"position": place, "loss_sum": self.loss_sum.copy()}
        return found if self.sharpness == 1 else found | {"sharpness": np.array([self.sharpness])}

    @classmethod
    def from_tensors(cls, tensors: Tensors, where: str) -> "Position":
        """Read a position back; raises `InputError` if `where` holds none."""
        place, loss_sum = tensors.get("position"), tensors.get("loss_sum")
        if (
            place is None
            or place.shape != (3,)
            or place.dtype != np.int64
            or not ((place >= 0) & (place <= _MOST)).all()
        ):
            raise InputError(f"{where} holds no position of a training run, so it is not a checkpoint of one")
        if loss_sum is None or loss_sum.shape != (1,) or loss_sum.dtype != np.float64:
            raise InputError(f"{where} holds no sum of losses, so it is not a checkpoint of a training run")
        sharpness = tensors.get("sharpness", np.ones(1))
        if (
            sharpness.shape != (1,)
            or sharpness.dtype != np.float64
            or not 0.99 < sharpness[0] * LARGEST < 1.01 * LARGEST**2
        ):
            raise InputError(f"{where} holds a damaged sharpness of its scores, so it cannot be used")
        epoch, step_in_epoch, step = (int(value) for value in place)
        return cls(epoch, step_in_epoch, step, loss_sum.copy(), float(sharpness[0]), state_of(tensors))

    def __setstate__(self, state: dict) -> None:
        """Take the sum as an array that kernels may write: a pickle may be mapped from a file, read-only."""
        self.__dict__.update(state, loss_sum=state["loss_sum"].copy())
