"""JAX in its best form for small steps: all steps of a run in one compiled `lax.scan`, so that Python takes no part."""

import functools
import os
import sys

import numpy as np

# XLA sizes its pool by the cores it may use, and has no environment variable of its own for it.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[2])])

import jax
import jax.numpy as jnp
from jax import lax


class Peer:
    """See bench.peers."""

    VARIANTS = ({},)

    @staticmethod
    def versions() -> dict:
        """Return what the figures depend on."""
        return {"jax": jax.__version__}

    def __init__(self, network, tensors, threads):
        self.words = tuple(network)
        self.initial = tuple(jnp.asarray(array) for array in tensors.values())
        self.detail = "compiled"

    def load(self, images, targets, batch):
        """Divide by 255 ahead of time."""
        self.x = jnp.asarray(images, jnp.float32) / 255
        self.targets = jnp.asarray(targets, jnp.int32)

    def reset(self):
        """Nothing to do: training returns new parameters and leaves the initial ones as they are."""

    def train(self, steps, batch, lr):
        """Take SGD steps; return the loss before each."""
        losses, params = _train(self.words, steps, batch, self.initial, self.x, self.targets, lr)
        jax.block_until_ready(params)
        return np.asarray(losses)

    def predict(self, images, batch):
        """Return logits, in batches."""
        parts = [
            _predict(self.words, self.initial, self.x[n : min(n + batch, images)]) for n in range(0, images, batch)
        ]
        return np.concatenate(parts)


def _forward(words, params, x):
    params = iter(params)
    for place, word in enumerate(words):
        if word == "pool":
            edge = ((0, 0), (0, 1), (0, 1), (0, 0))
            x = jax.nn.relu(lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), edge))
        elif word.startswith("conv"):
            layout = ("NHWC", "HWIO", "NHWC")
            x = lax.conv_general_dilated(x, next(params), (1, 1), "SAME", dimension_numbers=layout) + next(params)
            x = x if words[place + 1] == "pool" else jax.nn.relu(x)
        else:
            x = x.reshape(len(x), -1) @ next(params) + next(params)
            x = jax.nn.relu(x) if place < len(words) - 1 else x
    return x


def _loss(words, params, x, targets):
    scores = jax.nn.log_softmax(_forward(words, params, x))
    return -jnp.take_along_axis(scores, targets[:, None], axis=1).mean()


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _train(words, steps, batch, params, x, targets, lr):
    def step(params, part):
        loss, gradients = jax.value_and_grad(functools.partial(_loss, words))(params, *part)
        return tuple(param - lr * gradient for param, gradient in zip(params, gradients)), loss

    count = steps * batch
    batches = (x[:count].reshape(steps, batch, *x.shape[1:]), targets[:count].reshape(steps, batch))
    params, losses = lax.scan(step, params, batches)
    return losses, params  # both: XLA would leave out the last update, and of a single step the whole gradient


@functools.partial(jax.jit, static_argnums=0)
def _predict(words, params, x):
    return _forward(words, params, x)
