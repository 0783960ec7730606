"""The moving average of the weights: smoother than the weights themselves, which the last batches still pull about.

    a = d * a + (1 - d) * w   after update t,   d = min(decay, (1 + t) / (10 + t))

The smaller d of the first updates lets go of the initial weights. Source: Polyak, Juditsky (1992), an average of the
weights; this one, with its d, is that of TensorFlow's ExponentialMovingAverage. Training itself never reads `a`.
"""

import contextlib
from collections.abc import Callable, Iterator

import numpy as np

from jitnet.model.network import Network
from jitnet.model.optimizer import Optimizer


def follow(
    average: np.ndarray,  # (P,) float32 or float64, updated
    weights: np.ndarray,  # (P,) after the update
    decay: float,  # 0 < decay < 1
    t: int,  # number of the update, from 1
) -> None:
    """Move the average towards the weights, as at the head of this file."""
    d = min(decay, (1 + t) / (10 + t))
    average *= average.dtype.type(d)
    average += weights * average.dtype.type(1 - d)


def follow_each(
    train: Callable[[np.ndarray, np.ndarray], tuple[int, np.ndarray]],  # takes the steps of (order, lrs)
    order: np.ndarray,  # int64, the images of all steps in turn
    batch_size: int,
    lrs: np.ndarray,  # (steps,) float64
    network: Network,
    optimizer: Optimizer,
) -> tuple[int, np.ndarray]:
    """Return what `train` does, which is `Network.train_steps`: in one call, or step by step with the average."""
    if not optimizer.average.size:
        return train(order, lrs)
    losses = np.zeros(len(lrs))
    for step in range(len(lrs)):
        one = slice(step, step + 1)
        done, losses[one] = train(order[step * batch_size : (step + 1) * batch_size], lrs[one])
        if done != 1:
            return (step if done == 0 else done), losses
        follow(optimizer.average, network.params, optimizer.decay_of_average, optimizer.taken)
    return len(lrs), losses


def descend(network: Network, grad: np.ndarray, lr: float, optimizer: Optimizer) -> bool:
    """Take one step as `Network.descend`, with a gradient (P,); the average, if there is one, follows."""
    finite = network.descend(grad, lr, optimizer)
    if optimizer.average.size:
        follow(optimizer.average, network.params, optimizer.decay_of_average, optimizer.taken)
    return finite


@contextlib.contextmanager
def averaged(network: Network, optimizer: Optimizer) -> Iterator[None]:
    """Let a network have the averaged weights meanwhile, if the optimizer keeps an average."""
    if not optimizer.average.size:
        yield
        return
    own = network.params.copy()
    network.params[:] = optimizer.average
    try:
        yield
    finally:
        network.params[:] = own
