"""The optimizers against their equations, and the scan for values that are not finite."""

import naive
import numba
import numpy as np
import pytest
from bounds import assert_within
from canary import assert_unharmed, guarded
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import DTYPES, normal, seeds

from jitnet.errors import InputError
from jitnet.kernels.layers.optimizer import all_finite, optimizer_step
from jitnet.model.optimizer import KINDS, Optimizer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
@given(
    N=st.integers(1, 300), seed=seeds, decay=st.sampled_from((0.0, 0.1)), t=st.sampled_from((1, 2, 10, 10**6))
)  # fmt: skip
@example(N=4096, seed=0, decay=0.0, t=3)
@example(N=8193, seed=0, decay=0.1, t=3)
@example(N=3, seed=0, decay=1.0, t=3)
def test_optimizer_step(dtype, kind, N, seed, decay, t):
    """Adam divides by its root, so its error is measured against the step, which is at most about ten lr long."""
    param, grad, lr = normal(seed, dtype, N), normal(seed + 1, dtype, N), 0.1
    optimizer = Optimizer(kind, 0.9, decay)
    optimizer.start(param)
    first, second = guarded(optimizer.first), guarded(optimizer.second)
    first[...], second[...] = normal(seed + 2, dtype, first.size), normal(seed + 3, dtype, second.size) ** 2
    rule = {"kind": kind, "momentum": 0.9, "decay": decay}
    padded = [np.float64(part) if part.size else np.zeros(N) for part in (first, second)]
    expected = naive.optimizer_step(rule, param, grad, *padded, lr, t)
    after = guarded(param)
    optimizer_step(optimizer.rule, after, guarded(grad), first, second, lr, t)
    assert_unharmed(after, first, second)
    step = np.abs(expected[0] - param) + np.abs(param) + np.abs(grad) * lr
    if kind.startswith("adam"):
        g = np.abs(grad) + decay * np.abs(param)
        mean = (0.9 * np.abs(padded[0]) + 0.1 * g) / (1 - 0.9**t)
        step += lr * mean / (np.sqrt(expected[2] / (1 - 0.999**t)) + 1e-8)
    else:
        step += lr * (np.abs(padded[0]) + np.abs(grad) + decay * np.abs(param)) * 2
    assert_within(after, expected[0], 30, step)
    for found, twin, size in zip(
        (first, second), expected[1:], (np.abs(padded[0]) + np.abs(grad) + np.abs(param), None)
    ):
        if found.size:
            assert_within(found, twin, 12, np.abs(twin) if size is None else size)


def test_what_a_rule_is_made_of():
    assert Optimizer("adam").rule[0].item() == (KINDS["adam"], 0, 0.9, 0.9, 0.999, 1e-8, 0.0)
    assert Optimizer("nesterov", 0.7, 0.2, "sum").rule[0].item() == (KINDS["nesterov"], 1, 0.7, 0.9, 0.999, 1e-8, 0.2)
    assert [Optimizer(kind).is_plain for kind in KINDS] == [True, False, False, False, False]
    assert not Optimizer("sgd", weight_decay=0.1).is_plain
    assert Optimizer(reduction="sum").scale(8) == 1 and Optimizer(reduction="mean").scale(8) == 1 / 8


@pytest.mark.parametrize("kind", KINDS)
def test_an_optimiser_begins_with_nothing(kind):
    optimizer, params = Optimizer(kind), normal(0, np.float64, 7)
    assert (optimizer.taken, optimizer.first.size, optimizer.second.size) == (0, 0, 0)
    optimizer.start(params)
    sizes = {"sgd": (0, 0), "momentum": (7, 0), "nesterov": (7, 0), "adam": (7, 7), "adamw": (7, 7)}[kind]
    assert (optimizer.first.size, optimizer.second.size) == sizes and optimizer.first.dtype == np.float64
    optimizer.restore(optimizer.state(), 3)
    optimizer.first[:] = optimizer.second[:] = 1
    optimizer.start(params)
    assert optimizer.taken == 0 and not optimizer.first.any() and not optimizer.second.any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_goes_on_where_it_was(kind):
    whole, params = Optimizer(kind), normal(0, np.float32, 7)
    whole.start(params)
    whole.first[:], whole.second[:] = 1, 2
    state = whole.state()
    assert len(state) == {"sgd": 0, "momentum": 1, "nesterov": 1, "adam": 2, "adamw": 2}[kind]
    whole.first[:], whole.second[:] = 8, 9  # what was saved is not what comes later
    again = Optimizer(kind)
    again.start(params)
    again.restore(state, 5)
    assert again.taken == 5 and (again.first == 1).all() and (again.second == 2).all()
    for bad in (
        {**state, "optimizer.third": params},
        {name: part[1:] for name, part in state.items()} or {"a": params},
        {name: np.float64(part) for name, part in state.items()} or {"a": params},
    ):
        names = [", ".join(names) or "none" for names in (state, bad)]
        with pytest.raises(
            InputError, match=f"state of the optimizer '{kind}': expected {names[0]}, found {names[1]};"
        ):
            again.restore(bad, 5)


def test_a_learning_rate_of_zero_changes_no_bit():
    param, optimizer = normal(0, np.float32, 5000), Optimizer()
    optimizer.start(param)
    after = param.copy()
    gradient = normal(1, np.float32, 5000)
    optimizer_step(optimizer.rule, after, gradient, optimizer.first, optimizer.second, 0.0, 1)
    assert after.tobytes() == param.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_scan_sees_a_bad_number_wherever_it_is(dtype, bad):
    scan = numba.njit(lambda values: all_finite(values))
    for size in (1, 7, 64, 1000):
        values = normal(0, dtype, size)
        assert scan(values)
        for place in {0, size // 2, size - 1}:
            values[place] = bad
            assert not scan(values)
            values[place] = np.finfo(dtype).max  # large, but finite
            assert scan(values)
