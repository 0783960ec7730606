"""The update rule of a run, and its state: what it keeps for each parameter."""

import numpy as np

from jitnet.config import Settings
from jitnet.errors import InputError
from jitnet.kernels.table import ADAM, ADAMW, MOMENTUM, NESTEROV, RULE, SGD

KINDS = {"sgd": SGD, "momentum": MOMENTUM, "nesterov": NESTEROV, "adam": ADAM, "adamw": ADAMW}
AVERAGE = "optimizer.average"  # the moving average of the parameters, in a checkpoint
_STATE = (
    "optimizer.first",
    "optimizer.second",
    AVERAGE,
)  # velocity or Adam's mean, Adam's mean square, average: in the order of the parameters

State = dict[str, np.ndarray]


class Optimizer:
    """A rule and its state.

    Parameters
    ----------
    kind : "sgd", "momentum", "nesterov", "adam" or "adamw"; their equations are in kernels/layers/optimizer.py
    momentum : of momentum and nesterov
    weight_decay : of adamw apart from the gradient, else a part of it
    reduction : "mean" or "sum", of the gradients of a batch
    average : decay of a moving average of the parameters, which jitnet/training/averaging.py keeps; 0 = none
    """

    def __init__(
        self,
        kind: str = "sgd",
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        reduction: str = "mean",
        average: float = 0.0,
    ) -> None:
        self.kind = kind
        self.rule = np.zeros(1, RULE)
        self.rule[0] = (KINDS[kind], reduction == "sum", momentum, 0.9, 0.999, 1e-8, weight_decay)
        self.taken = 0  # updates so far
        self.first: np.ndarray = np.empty(0, np.float32)
        self.second: np.ndarray = np.empty(0, np.float32)
        self.decay_of_average = average
        self.average: np.ndarray = np.empty(0, np.float32)

    @classmethod
    def of(cls, settings: Settings) -> "Optimizer":
        """Return the optimizer that settings describe."""
        rule = (settings.optimizer, settings.momentum, settings.weight_decay, settings.reduction)
        return cls(*rule, settings.ema)

    @property
    def is_plain(self) -> bool:
        """Whether an update is the gradient alone, so that at batch size 1 it can be fused with it."""
        return self.kind == "sgd" and self.rule[0]["decay"] == 0 and not self.decay_of_average

    def scale(self, batch_size: int) -> float:
        """Return what the sum of a batch's gradients is multiplied by."""
        return 1.0 if self.rule[0]["summed"] else 1 / batch_size

    def start(self, params: np.ndarray) -> None:
        """Reset the state, for a network with these parameters."""
        moments = {"sgd": 0, "momentum": 1, "nesterov": 1}.get(self.kind, 2)
        self.first, self.second = (np.zeros(params.size if moments > n else 0, params.dtype) for n in range(2))
        self.average = params.copy() if self.decay_of_average else np.empty(0, params.dtype)
        self.taken = 0

    @property
    def _parts(self) -> dict[str, np.ndarray]:
        """Return the arrays of the state by name, those that this optimizer has."""
        parts = zip(_STATE, (self.first, self.second, self.average))
        return {name: part for name, part in parts if part.size}

    def state(self) -> State:
        """Return copies of what a resume needs."""
        return {name: part.copy() for name, part in self._parts.items()}

    def restore(self, state: State, taken: int) -> None:
        """Continue from a state, `taken` updates after the start; raises `InputError` if another optimizer made it."""
        wanted = self._parts
        fits = all(name in state and state[name].shape == part.shape for name, part in wanted.items())
        if set(state) != set(wanted) or not fits or any(state[n].dtype != p.dtype for n, p in wanted.items()):
            raise InputError(
                f"the checkpoint does not hold the state of the optimizer {self.kind!r}: expected "
                f"{', '.join(wanted) or 'none'}, found {', '.join(state) or 'none'}; resume with the run's own settings"
            )
        for name, part in wanted.items():
            part[...] = state[name]
        self.taken = taken


def state_of(tensors: State) -> State:
    """Return the optimizer's tensors of a checkpoint."""
    return {name: array for name, array in tensors.items() if name.startswith("optimizer.")}


def is_fused(batch_size: int, optimizer: Optimizer | None) -> bool:
    """Whether each image's gradient goes straight into the weights, without a gradient to look at."""
    return batch_size == 1 and (optimizer is None or optimizer.is_plain)
