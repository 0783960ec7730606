"""A value that is not finite is never a success: each compiled call reports it in its result."""

import nets
import numpy as np
import pytest

CNN = nets.MAKES[10]
PLAIN_CNN = nets.MAKES[9]  # without a pool
WIDE = nets.MAKES[12]  # whose second block goes backward through the winners of its pool
MLP = nets.MAKES[2]
DRIVERS = {"per-sample": (1, "fast"), "mini-batch": (4, "fast"), "simple": (3, "simple")}
STEPS = 4


def drawn(make, kernels):
    case = nets.case(make, np.float32, images=4)
    case.network.kernels = kernels
    return case


def train(case, batch_size, lr=0.01):
    order = np.arange(STEPS * batch_size) % len(case.images)
    return case.network.train_steps(case.images, case.targets, order, batch_size, np.full(STEPS, lr), np.zeros(1))


@pytest.mark.parametrize("batch_size, kernels", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize("make", [CNN, PLAIN_CNN, WIDE, MLP], ids=["pool", "no pool", "wide", "mlp"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_parameter_is_never_a_success(make, bad, batch_size, kernels):
    """A row that is skipped is not read, ReLU stops -inf: the scan at the end still sees it."""
    names = nets.case(make, np.float32).network.tensors()
    for name in names:
        case = drawn(make, kernels)
        tensor = case.network.tensors()[name]
        tensor.reshape(-1)[tensor.size // 2] = bad
        done, _ = train(case, batch_size)
        assert done < STEPS, f"{bad} in {name} went unseen"


@pytest.mark.parametrize("batch_size, kernels", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize("make", [CNN, PLAIN_CNN, WIDE, MLP], ids=["pool", "no pool", "wide", "mlp"])
@pytest.mark.parametrize("lr", [1e20, 1e30, 3e38, np.inf, np.nan])
def test_a_rate_that_makes_training_explode_is_never_a_success(make, lr, batch_size, kernels):
    case = drawn(make, kernels)
    done, losses = train(case, batch_size, lr)
    assert done < STEPS, losses


@pytest.mark.parametrize("batch_size, kernels", DRIVERS.values(), ids=DRIVERS)
def test_the_step_is_named(batch_size, kernels):
    """The step before which the loss was not finite; its update is not made, and the sum of losses stays clean."""
    order, lrs, after = np.arange(4 * batch_size) % 4, np.array([0.01, np.inf, 0.01, 0.01]), []
    for steps in (2, 4):
        case, totals = drawn(MLP, kernels), np.zeros(1)
        done, losses = case.network.train_steps(
            case.images, case.targets, order[: steps * batch_size], batch_size, lrs[:steps], totals
        )
        after.append((case.network.params.tobytes(), totals[0]))
    assert done == 2 and np.isfinite(losses[:2]).all() and not np.isfinite(losses[2]) and losses[3] == 0
    assert after[0] == after[1] and np.isfinite(totals[0])


@pytest.mark.parametrize("batch_size, kernels", DRIVERS.values(), ids=DRIVERS)
def test_large_but_finite_is_a_success(batch_size, kernels):
    case = drawn(MLP, kernels)
    *_, bias = case.network.tensors().values()
    bias[0] = 1e30
    assert train(case, batch_size)[0] == STEPS


@pytest.mark.parametrize("batch_size, kernels", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize("make", [CNN, PLAIN_CNN, WIDE, nets.MAKES[11]], ids=["pool", "no pool", "wide", "pool last"])
@pytest.mark.parametrize("scale", [1e15, 1e20, 1e25])
def test_activations_that_overflow_are_never_a_success(make, scale, batch_size, kernels):
    """The weights are finite, inf - inf is not: pool and ReLU hand NaN on to the loss."""
    case = drawn(make, kernels)
    for name, tensor in case.network.tensors().items():
        if name.startswith("conv"):
            tensor *= scale
    assert train(case, batch_size)[0] < STEPS
