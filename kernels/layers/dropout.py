"""Dropout: in training, outputs are set to 0 at random, so that no unit can rely on another one.

Which ones depends on (seed, update, layer, image, place) alone: the forward and the backward pass find the same ones
without a mask in memory, and a resumed run continues with the same ones.
"""

from numba import prange

from ..compiler.decorators import kernel
from ..splitmix64 import splitmix64, uniform, unsigned


@kernel
def dropout(
    rate,  # float64, 0 <= rate < 1: the chance that a value is dropped
    seed,  # integer >= 0, of the run
    update,  # integer >= 0, the optimizer's steps so far
    layer,  # integer >= 0, the layer's place in the network
    images,  # (N,) int64: the images' places in the data
    values,  # (N, K) float32 or float64, updated: outputs, or their gradients
):
    """Set each value to 0 with the chance `rate`, and divide the others by 1 - rate, which keeps their mean.

    values[n,k] *= m[n,k] / (1 - rate),   m[n,k] = 1 if u[n,k] >= rate, else 0;   u[n,k] uniform in [0, 1)

    The gradient of an output is the gradient of what is left of it times the same factor: the same call.

    Parallel : over n; one thread owns values[n].
    Work     : N*K hashes and multiplications.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.dropout.
    Source   : Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov (2014), section 4, scaled in training.
    """
    N, K = values.shape
    key = splitmix64(splitmix64(splitmix64(seed) + unsigned(update)) + unsigned(layer))
    kept = values.dtype.type(1 / (1 - rate))
    dropped = values.dtype.type(0)
    for n in prange(N):
        row = splitmix64(key + unsigned(images[n]))
        for k in range(K):
            # A product, not a choice: NaN stays visible.
            values[n, k] *= kept if uniform(splitmix64(row + unsigned(k))) >= rate else dropped
