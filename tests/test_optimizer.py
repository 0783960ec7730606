"""The SGD step, and the scan for what is not finite."""

import naive
import numpy as np
import pytest
from bounds import assert_within
from canary import assert_unharmed, guarded
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import DTYPES, normal, seeds

from jitnet.kernels.optimizer import all_finite, sgd_step


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=st.integers(1, 300), seed=seeds)
@example(N=4096, seed=0)
@example(N=8193, seed=0)
def test_sgd_step(dtype, N, seed):
    param, grad, lr = normal(seed, dtype, N), normal(seed + 1, dtype, N), dtype(0.1)
    after = guarded(param)
    sgd_step(after, guarded(grad), lr)
    assert_unharmed(after)
    assert_within(after, naive.sgd_step(param, grad, lr), 2, np.abs(param) + np.abs(lr * grad))


def test_a_learning_rate_of_zero_changes_no_bit():
    param = normal(0, np.float32, 5000)
    after = param.copy()
    sgd_step(after, normal(1, np.float32, 5000), np.float32(0))
    assert after.tobytes() == param.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_scan_sees_a_bad_number_wherever_it_is(dtype, bad):
    for size in (1, 7, 64, 1000):
        values = normal(0, dtype, size)
        assert all_finite(values)
        for place in {0, size // 2, size - 1}:
            values[place] = bad
            assert not all_finite(values)
            values[place] = np.finfo(dtype).max  # large is not infinite
            assert all_finite(values)
