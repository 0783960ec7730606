"""The sparse form of a pooled convolution's gradient against the dense one, which knows nothing of winners."""

import compiled
import naive
import numpy as np
import pytest
from bounds import assert_within
from canary import assert_unharmed, guarded, unwritten
from hypothesis import given
from hypothesis import strategies as st
from shapes import DTYPES, channels, frame, normal, seeds

from jitnet.kernels.pooling import DEAD

few = st.sampled_from((1, 2, 5, 17))


@pytest.mark.parametrize("dtype", DTYPES)
@given(H=st.integers(2, 9), W=st.integers(2, 15), C=channels, OC=few, seed=seeds)
def test_winners_backward_sample(dtype, H, W, C, OC, seed):
    """Winners as the pool leaves them, ties and dead windows among them; odd images have rows that nobody wins."""
    x = frame(normal(seed, dtype, 1, H, W, C))
    weight = normal(seed, dtype, 3, 3, C, OC)
    _, argmax = naive.max_pool2d_forward(np.round(normal(seed + 1, dtype, 1, H, W, OC)), True)
    grad_out = normal(seed, dtype, 1, H // 2, W // 2, OC)
    by_filter = unwritten((OC, 3, 3, C), dtype)
    compiled.channels_first(guarded(weight), by_filter)
    assert np.array_equal(by_filter, np.moveaxis(weight, 3, 0))

    grad_x, grad_filter = unwritten(x.shape[1:], dtype), unwritten(by_filter.shape, dtype)
    compiled.winners_backward_sample(
        guarded(x[0]), guarded(grad_out[0]), guarded(argmax[0]), by_filter, grad_x, grad_filter
    )
    assert_unharmed(by_filter, grad_x, grad_filter)
    grad_weight = unwritten(weight.shape, dtype)
    compiled.channels_last(grad_filter, grad_weight)
    assert_unharmed(grad_weight)

    grad_map = frame(naive.max_pool2d_backward(grad_out, argmax, H, W))
    absolute = frame(naive.max_pool2d_backward(np.abs(grad_out), argmax, H, W))
    assert_within(
        grad_weight,
        naive.conv2d_backward_weight(x, grad_map),
        (H // 2) * (W // 2) + 4,
        naive.conv2d_backward_weight(np.abs(x), absolute),
    )
    assert_within(
        grad_x[1:-1, 1:-1],
        naive.conv2d_backward_input(grad_map, weight)[0],
        9 * OC + 4,
        naive.conv2d_backward_input(absolute, np.abs(weight))[0],
    )


def test_a_dead_window_gives_nothing():
    x, weight = frame(normal(0, np.float64, 1, 4, 4, 8)), normal(1, np.float64, 2, 3, 3, 8)
    grad_x, grad_filter = np.empty(x.shape[1:]), np.empty(weight.shape)
    dead = np.full((2, 2, 2), DEAD, np.uint8)
    compiled.winners_backward_sample(x[0], np.ones((2, 2, 2)), dead, weight, grad_x, grad_filter)
    assert not grad_x.any() and not grad_filter.any()
