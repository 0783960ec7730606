"""JAX, compiled: all steps of a run in one `lax.scan`, so that Python takes no part, or one call a step.

The scan is best where a step is small. XLA's convolutions are many times slower inside its loop, so large steps are
better off one by one. The benchmark takes whichever is faster.
"""

import functools
import os
import sys

import numpy as np

# XLA sizes its pool by the cores it may use, and has no environment variable for it.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[2])])

import jax
import jax.numpy as jnp
from jax import lax


class Peer:
    """See bench.peers."""

    @staticmethod
    def variants(network) -> list[dict]:
        """Return the choices to try."""
        return [{"loop": "scan"}, {"loop": "steps"}]

    @staticmethod
    def versions() -> dict:
        """Return what the figures depend on."""
        return {"jax": jax.__version__}

    def __init__(self, network, tensors, threads, loop):
        self.words = tuple(network)
        self.initial = tuple(jnp.asarray(array) for array in tensors.values())
        self.detail = f"compiled {loop}"
        self.scan = loop == "scan"

    def load(self, images, targets, batch):
        """Divide by 255 ahead of time."""
        self.x = jnp.asarray(images, jnp.float32) / 255
        self.targets = jnp.asarray(targets, jnp.int32)

    def reset(self):
        """Nothing to do: training returns new parameters and leaves the initial ones as they are."""

    def train(self, steps, batch, lr):
        """Take SGD steps; return the loss before each."""
        if self.scan:
            losses, params = _scan(self.words, steps, batch, self.initial, self.x, self.targets, lr)
        else:
            losses, params = [], self.initial
            for start in range(0, steps * batch, batch):
                loss, params = _step(self.words, batch, params, self.x, self.targets, start, lr)
                losses.append(loss)
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


def _sgd(words, params, x, targets, lr):
    loss, gradients = jax.value_and_grad(functools.partial(_loss, words))(params, x, targets)
    return tuple(param - lr * gradient for param, gradient in zip(params, gradients)), loss


@functools.partial(jax.jit, static_argnums=(0, 1))
def _step(words, batch, params, x, targets, start, lr):
    part = (lax.dynamic_slice_in_dim(array, start, batch) for array in (x, targets))
    params, loss = _sgd(words, params, *part, lr)
    return loss, params


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _scan(words, steps, batch, params, x, targets, lr):
    count = steps * batch
    batches = (x[:count].reshape(steps, batch, *x.shape[1:]), targets[:count].reshape(steps, batch))
    params, losses = lax.scan(lambda params, part: _sgd(words, params, *part, lr), params, batches)
    return losses, params  # both: otherwise XLA would omit the last update, and for a single step the whole gradient


@functools.partial(jax.jit, static_argnums=0)
def _predict(words, params, x):
    return _forward(words, params, x)
