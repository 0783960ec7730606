"""NaN goes through every operation of the forward pass: wherever the naive twin has one, the kernel has one too.

The loss then shows it, after any layers. One that is lost on the way would make a broken network train on.
"""

import compiled
import naive
import nets
import numpy as np
import pytest
from canary import assert_unharmed, guarded, unwritten
from hypothesis import assume, example, given
from hypothesis import strategies as st
from shapes import DTYPES, channels, frame, normal, seeds
from test_activation import forward as activated
from test_convolution import forward as convolved
from test_linear_batch import forward as multiplied
from test_pooling import forward as pooled
from test_winograd import convolved as convolved_by_winograd
from twins import SANITIZERS, Program
from twins import compiled as compiled_cpp

from jitnet.export import twin
from jitnet.kernels.layers.loss import output_loss
from jitnet.kernels.table import LINEAR, RELU, SIGMOID, TANH
from jitnet.model import reference

KINDS = (LINEAR, RELU, SIGMOID, TANH)
BAD = (np.nan, np.nan, np.inf, -np.inf)
few = st.integers(1, 2)
extents = st.integers(2, 9)
pytestmark = pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # inf - inf in numpy


def spoilt(x, seed, most=3):
    """Return a copy in which some numbers are NaN, inf or -inf."""
    rng, x = np.random.default_rng([seed, x.size]), x.copy()
    places = rng.integers(0, x.size, rng.integers(1, most + 1))
    x.reshape(-1)[places] = rng.choice(BAD, len(places))
    return x


def assert_shown(found, expected):
    """What is NaN in the twin is NaN, and what is infinite is not finite: tiles and sums may make NaN of it."""
    assert found.shape == expected.shape
    assert np.isnan(found[np.isnan(expected)]).all() and not np.isfinite(found[~np.isfinite(expected)]).any()


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=few, H=extents, W=st.integers(2, 12), C=channels, seed=seeds)
def test_pooling(dtype, N, H, W, C, seed):
    """As in PyTorch: the largest of a window with NaN is NaN. Its winner may be any of its pixels."""
    x = spoilt(normal(seed, dtype, N, H, W, C), seed, most=1 + N * H * W * C // 4)
    (out, argmax), (expected, winners) = pooled(x), naive.max_pool2d_forward(x, False)
    assert np.array_equal(out, expected, equal_nan=True)
    assert np.array_equal(argmax[~np.isnan(out)], winners[~np.isnan(out)]) and (argmax[np.isnan(out)] < 9).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("others", [-1.0, 1.0, np.inf, -np.inf])
def test_one_nan_at_each_place_of_a_window(dtype, relu, others):
    for place in range(9):
        for channel in (0, 16):
            x = np.full((3, 3, 17), others, dtype)
            x[place // 3, place % 3, channel] = np.nan
            out, argmax = unwritten((1, 17), dtype), unwritten((1, 17), np.uint8)
            compiled.max_pool2d_row(*(guarded(row) for row in x), int(relu), 0, 17, out, argmax)
            assert_unharmed(out, argmax)
            assert np.array_equal(np.flatnonzero(np.isnan(out)), [channel]), place
            simple, _ = pooled(x[None])
            assert np.array_equal(np.flatnonzero(np.isnan(simple)), [channel]), place


@pytest.mark.parametrize("dtype", DTYPES)
@given(W=st.integers(2, 20), C=channels, relu=st.booleans(), last=st.booleans(), seed=seeds, cut=st.integers(0, 40))
def test_a_row_of_some_channels(dtype, W, C, relu, last, seed, cut):
    rows = [guarded(spoilt(normal(seed + n, dtype, W, C), seed + n)) for n in range(3)]
    rows[2] = rows[0] if last else rows[2]
    first, stop = min(cut, C) // 2, min(cut, C)
    out, argmax = guarded(np.zeros((W // 2, C), dtype)), guarded(np.zeros((W // 2, C), np.uint8))
    compiled.max_pool2d_row(*rows, int(relu), first, stop, out, argmax)
    assert_unharmed(out, argmax)
    assert np.array_equal(out[:, first:stop], naive.max_pool2d_row(*rows, relu, first, stop)[0], equal_nan=True)
    assert (out[:, :first] == 0).all() and (out[:, stop:] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
@given(N=st.integers(1, 100), seed=seeds)
def test_activation(kind, dtype, N, seed):
    x = spoilt(normal(seed, dtype, N, zeros=0.2), seed, most=N)
    assert np.array_equal(np.isnan(activated(kind, x)), np.isnan(naive.activation_forward(kind, x)))


def convolved_by_rows(x, weight, bias):
    """Return the convolution of images with their border, row by row; few channels have their own kernel."""
    N, H, W, C, OC = len(x), x.shape[1] - 2, x.shape[2] - 2, *weight.shape[2:]
    row = compiled.conv2d_row_few_channels if C <= 3 else compiled.conv2d_row
    out = np.zeros((N, H, W, OC), x.dtype)
    for n in range(N):
        for y in range(H):
            one = unwritten(W * OC, x.dtype)
            row(guarded(x[n]), guarded(weight), guarded(bias), y, 0, OC, one)
            assert_unharmed(one)
            out[n, y] = one.reshape(W, OC)
    return out


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    N=few, H=extents, W=extents, C=st.sampled_from((1, 3, 5, 16, 17)), OC=channels, per=st.booleans(),
    where=st.sampled_from(("x", "weight", "bias")), way=st.sampled_from(("page", "rows", "winograd")), seed=seeds,
)  # fmt: skip
def test_convolution(dtype, N, H, W, C, OC, per, where, way, seed):
    """By the page of layers/, by rows and in tiles; where most pixels are blank too."""
    given = {
        "x": normal(seed, dtype, N, H, W, C, zeros=0.7),
        "weight": normal(seed + 1, dtype, 3, 3, C, OC),
        "bias": normal(seed + 2, dtype, *(H, W, OC) if per else (1, 1, OC)),
    }
    given[where] = spoilt(given[where], seed)
    x, weight, bias = frame(given["x"]), given["weight"], given["bias"]
    if way == "page":  # which reads no border: there, 0 * inf is nothing
        assume(np.isfinite(weight).all() or not np.isinf(weight).any())
        found = convolved(given["x"], weight, bias)
    else:
        found = (convolved_by_winograd if way == "winograd" else convolved_by_rows)(x, weight, bias)
    assert_shown(found, naive.conv2d_forward(x, weight, bias))


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    N=few, D=st.integers(1, 40), K=channels, kind=st.sampled_from(KINDS),
    where=st.sampled_from(("x", "weight", "bias")), seed=seeds,
)  # fmt: skip
def test_dense_layer(dtype, N, D, K, kind, where, seed):
    given = {
        "x": normal(seed, dtype, N, D, zeros=0.5),
        "weight": normal(seed + 1, dtype, D, K),
        "bias": normal(seed + 2, dtype, K),
    }
    given[where] = spoilt(given[where], seed)
    expected = naive.linear_batch_forward(*given.values(), kind)
    assert np.isnan(multiplied(*given.values(), kind)[np.isnan(expected)]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@given(D=st.integers(1, 40), K=channels, kind=st.sampled_from(KINDS), every=st.booleans(), seed=seeds)
@example(D=1, K=1, kind=RELU, every=False, seed=0)
def test_dense_layer_of_one_image(dtype, D, K, kind, every, seed):
    """NaN is an input that is not zero. (A row of weights that is skipped is not seen: the scan of parameters is.)"""
    x, weight, bias = spoilt(normal(seed, dtype, D, zeros=0.5), seed), normal(seed, dtype, D, K), normal(seed, dtype, K)
    rows, factors, out = guarded(np.zeros(D, np.int64)), unwritten(D, dtype), guarded(np.zeros(K, dtype))
    count = compiled.linear_forward_sample(x, weight, bias, kind, every, rows, factors, out)
    assert_unharmed(rows, factors, out)
    assert set(np.flatnonzero(x != 0)) <= set(rows[:count])
    assert np.isnan(out[np.isnan(naive.linear_batch_forward(x[None], weight, bias, kind)[0])]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", [0, 1, "numbers"])
def test_loss(dtype, kind):
    for place in range(5):
        logits = normal(place, dtype, 3, 5)
        logits[1, place] = np.nan
        targets = normal(9, dtype, 3, 5) if kind == "numbers" else np.array([4, 0, 2], np.uint8)
        losses, grad = np.zeros(3), np.zeros_like(logits)
        output_loss(0 if kind == "numbers" else kind, 0.1, logits, targets, np.arange(3), dtype(1), losses, grad)
        assert np.array_equal(np.isnan(losses), [False, True, False])


@pytest.mark.parametrize("make", nets.MAKES, ids=nets.IDS)
def test_the_first_loss_of_a_network_shows_it(make):
    """NaN in any bias, so in any number before an activation: both drivers, inference, and the reference pass."""
    for name, tensor in nets.case(make, np.float32).network.tensors().items():
        for place in {0, tensor.size // 2, tensor.size - 1} if name.endswith(".bias") else ():
            for batch_size in (1, 4, 0):
                case = nets.case(make, np.float32, images=4)
                case.network.tensors()[name].reshape(-1)[place] = np.nan
                if batch_size:
                    order, lrs = np.arange(2 * batch_size) % 4, np.full(2, 0.01)
                    done, losses = case.network.train_steps(
                        case.images, case.targets, order, batch_size, lrs, np.zeros(1)
                    )
                    assert done == 0 and np.isnan(losses[0]), (name, place, batch_size)
                else:
                    logits = case.network.logits(case.images[:1])[0]
                    expected = naive.predict_logits(case.layers, case.tensors(), case.inputs[:1])[0]
                    steps = reference.forward(case.network.shapes, case.tensors(), case.images[0])
                    assert np.isnan(expected).any()
                    for found in (logits, steps[-1].out):
                        assert np.array_equal(np.isnan(found), np.isnan(expected)), (name, place)


CPP = """
#include <cstdio>
#include <limits>
#include "jitnet.hpp"

int main() {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  int lost = 0;
  for (int place = 0; place < 9; place++) {
    for (const float others : {-1.0f, 1.0f}) {
      float x[9], out[1];
      std::int32_t argmax[1], rows[9];
      std::fill_n(x, 9, others);
      x[place] = nan;
      jitnet::max_pool2d_forward(x, 3, 3, 1, out, argmax);
      lost += out[0] == out[0] || argmax[0] != place;
      lost += jitnet::active_inputs(x, 9, false, rows) != 9;
      const double norm = jitnet::log_sum_exp(x, 9);
      lost += norm == norm;
    }
  }
  using jitnet::Activation;
  for (const auto kind : {Activation::linear, Activation::relu, Activation::sigmoid, Activation::tanh}) {
    float x[1] = {nan};
    jitnet::activation_forward(kind, 1, x);
    lost += x[0] == x[0];
  }
  std::printf("%d\\n", lost);
}
"""


@pytest.mark.parametrize("flags", [("-O0", *SANITIZERS), ("-O3", "-ffp-contract=fast")], ids=["sanitized", "optimised"])
def test_the_twin_in_cpp_loses_none(tmp_path, flags):
    (tmp_path / "jitnet.hpp").write_text(twin.source("jitnet.hpp"))
    source = tmp_path / "not_finite.cpp"
    source.write_text(CPP)
    assert Program(compiled_cpp(source, tmp_path / "not_finite", *flags), tmp_path)() == "0\n"
