"""The arrays of a network, as step.py takes them."""

from typing import NamedTuple

import numpy as np


class Layer(NamedTuple):
    """A layer's arrays, with room for N images. Its `x` is the `out` of the layer before, its `grad_x` the `grad_out`.

    A dense layer has D inputs and K units; (H, W, C) are read as D = H*W*C. A pool has no parameters and no z.
    """

    kind: int  # CONV, DENSE, MAX_POOL or AVERAGE_POOL
    activation: int
    dropout: float  # the chance that an output is dropped in training
    weight: np.ndarray | None  # (3, 3, C, OC) or (D, K)
    bias: np.ndarray | None  # (H, W, OC), (1, 1, OC) or (K,)
    grad_weight: np.ndarray | None  # like weight
    grad_bias: np.ndarray | None  # like bias
    x: np.ndarray  # (N, H, W, C) or (N, D)
    z: np.ndarray | None  # (N, H, W, OC) or (N, K): the sums, before the activation
    out: np.ndarray  # (N, H, W, OC), (N, H//2, W//2, C) or (N, K)
    winner: np.ndarray | None  # (N, H//2, W//2, C) uint8, of a max-pool
    grad_out: np.ndarray  # like out
    grad_z: np.ndarray | None  # like z
    grad_x: np.ndarray | None  # like x; None of the first layer


class Net(NamedTuple):
    """A network's layers and what they share, with room for N images."""

    layers: tuple[Layer, ...]
    loss: int  # CROSS_ENTROPY or MSE
    smoothing: float  # of the labels
    seed: int  # of the dropout
    params: np.ndarray  # (P,) float32 or float64; every weight and bias is a view of it
    grads: np.ndarray  # (P,) every grad_weight and grad_bias is a view of it
    losses: np.ndarray  # (N,) float64, of the images


class Draw(NamedTuple):
    """What decides which outputs are dropped, together with the layer's place and the output's."""

    seed: int
    update: int
    images: np.ndarray  # (N,) int64: their places in the data
