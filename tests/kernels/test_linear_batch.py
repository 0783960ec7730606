"""The fast dense layer against its equations: whole batches in blocks, and one image that skips its zeros."""

import compiled
import naive
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, assert_within, central_differences, worst_relative_error
from canary import assert_unharmed, guarded, unwritten
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import DTYPES, batches, channels, normal, seeds

from bench.work_cut import busiest
from jitnet.kernels.compiler.tile import PANEL_BYTES
from jitnet.kernels.fast.dense_pieces import (
    COLUMN_BLOCK,
    DEPTH,
    INPUT_PIECES,
    PACKED_IMAGES,
    PANEL_COLUMNS,
    ROW_BLOCKS,
    STRIP,
    TRANSPOSED_IMAGES,
    UNIT_GROUPS,
    WEIGHT_PIECES,
    by_parts,
    columns_of_block,
    group_count,
    images_of_block,
    linear_scratch,
    part_count,
    piece_range,
    strip_count,
    strip_unit,
    strip_width,
    weight_cut,
)
from jitnet.kernels.fast.linear_batch_backward import linear_batch_backward_input, linear_batch_backward_weight
from jitnet.kernels.fast.linear_batch_forward import linear_batch_forward
from jitnet.kernels.table import LINE, LINEAR, RELU, SIGMOID, TANH

inputs = st.one_of(st.integers(1, 40), st.sampled_from((DEPTH - 1, DEPTH, DEPTH + 1, STRIP + 3, 2 * STRIP + 1)))
batches = st.one_of(batches, st.sampled_from((PACKED_IMAGES - 1, PACKED_IMAGES, ROW_BLOCKS[2] + 1)))
ENOUGH = UNIT_GROUPS * PANEL_COLUMNS  # units that are cut into groups
WIDE = WEIGHT_PIECES * 2 * PANEL_COLUMNS + 3  # inputs that are cut into wide strips
wide = st.sampled_from((ENOUGH - 1, ENOUGH, ENOUGH + PANEL_COLUMNS + 3))
edges = example(N=ROW_BLOCKS[2] + 1, D=DEPTH + 1, K=COLUMN_BLOCK + 1, kind=RELU, seed=0)
kinds = st.sampled_from((LINEAR, RELU, SIGMOID, TANH))


def forward(x, weight, bias, kind, room=None):
    """Multiply with scratch for `room` images, or for as many as there are; 0: in blocks only."""
    out = unwritten((len(x), weight.shape[1]), x.dtype)
    size = linear_scratch(len(x) if room is None else room, *weight.shape) if room != 0 else 0
    scratch = unwritten(size, x.dtype)
    linear_batch_forward(guarded(x), guarded(weight), guarded(bias), kind, scratch, out)
    assert_unharmed(scratch, out)
    return out


def backward_input(grad_output, weight, x, kind):
    scratch, grad_input = unwritten(linear_scratch(len(x), *weight.shape), weight.dtype), unwritten(x.shape, x.dtype)
    linear_batch_backward_input(guarded(grad_output), guarded(weight), guarded(x), kind, scratch, grad_input)
    assert_unharmed(scratch, grad_input)
    return grad_input


def backward_weight(x, grad_output):
    grad_weight = unwritten((x.shape[1], grad_output.shape[1]), x.dtype)
    grad_bias = unwritten(grad_output.shape[1], x.dtype)
    linear_batch_backward_weight(guarded(x), guarded(grad_output), x.dtype.type(1), False, grad_weight, grad_bias)
    assert_unharmed(grad_weight, grad_bias)
    return grad_weight, grad_bias


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=batches, D=inputs, K=channels, kind=kinds, seed=seeds)
@edges
def test_forward(dtype, N, D, K, kind, seed):
    """The sum is stored after each part, which rounds it once more; no activation is steeper than 1."""
    x, weight, bias = normal(seed, dtype, N, D), normal(seed, dtype, D, K), normal(seed, dtype, K)
    magnitude = naive.linear_batch_forward(np.abs(x), np.abs(weight), np.abs(bias), LINEAR) + (kind > RELU)
    expected = naive.linear_batch_forward(x, weight, bias, kind)
    assert_within(forward(x, weight, bias, kind), expected, D + 2 * part_count(D) + 8, magnitude)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=batches, D=inputs, K=channels, kind=kinds, seed=seeds)
@edges
@example(N=3, D=STRIP - 1, K=2, kind=RELU, seed=0)  # one strip only
@example(N=TRANSPOSED_IMAGES + 1, D=INPUT_PIECES * 7 * LINE + 5, K=3, kind=RELU, seed=0)  # strips of whole cache lines
def test_backward_input(dtype, N, D, K, kind, seed):
    grad, weight, x = normal(seed, dtype, N, K), normal(seed, dtype, D, K), normal(seed, dtype, N, D, zeros=0.3)
    x = naive.activation_forward(kind, x).astype(dtype)  # as it comes out of the layer before
    magnitude = naive.linear_batch_backward_input(np.abs(grad), np.abs(weight), x, LINEAR)
    expected = naive.linear_batch_backward_input(grad, weight, x, kind)
    assert_within(backward_input(grad, weight, x, kind), expected, K + 6, magnitude)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=batches, D=inputs, K=st.one_of(channels, wide), seed=seeds)
@example(N=PACKED_IMAGES, D=STRIP + 3, K=ENOUGH + 1, seed=0)
@example(N=ROW_BLOCKS[0] + 1, D=WIDE, K=COLUMN_BLOCK + 1, seed=0)  # gradients alone are copied
@example(N=500, D=WIDE, K=70, seed=0)
@example(N=2100, D=WIDE, K=3, seed=0)  # too many images for a panel
def test_backward_weight(dtype, N, D, K, seed):
    x, grad = normal(seed, dtype, N, D), normal(seed, dtype, N, K)
    expected = naive.linear_batch_backward_weight(x, grad)
    magnitude = naive.linear_batch_backward_weight(np.abs(x), np.abs(grad))
    for found, *twin in zip(backward_weight(x, grad), expected, magnitude):
        assert_within(found, twin[0], N + 2, twin[1])


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=batches, D=inputs, K=st.one_of(channels, wide), seed=seeds)
def test_backward_weight_as_the_step_itself(dtype, N, D, K, seed):
    x, grad, lr = normal(seed, dtype, N, D), normal(seed, dtype, N, K), dtype(0.25)
    weight, bias = normal(seed + 1, dtype, D, K), normal(seed + 2, dtype, K)
    found = guarded(weight.copy()), guarded(bias.copy())
    linear_batch_backward_weight(guarded(x), guarded(grad), -lr, True, *found)
    assert_unharmed(*found)
    expected = naive.linear_batch_backward_weight(x, grad)
    magnitude = naive.linear_batch_backward_weight(np.abs(x), np.abs(grad))
    for new, old, gradient, size in zip(found, (weight, bias), expected, magnitude):
        assert_within(new, old - 0.25 * gradient, N + 4, np.abs(old) + 0.25 * size)


@pytest.mark.parametrize("kind", [LINEAR, RELU, SIGMOID, TANH])
def test_central_differences(kind):
    x, weight, bias = normal(0, np.float64, 3, 7), normal(1, np.float64, 7, 5), normal(2, np.float64, 5)
    before, grad = normal(3, np.float64, 3, 7), normal(4, np.float64, 3, 5)
    before[np.abs(before) < 0.1] = 0.1  # x comes out of an activation, and the gradient of its input is needed
    x = naive.activation_forward(kind, before)

    def loss():
        return np.sum(naive.linear_batch_forward(naive.activation_forward(kind, before), weight, bias, LINEAR) * grad)

    grad_weight, grad_bias = backward_weight(x, grad)
    found = backward_input(grad, weight, x, kind), grad_weight, grad_bias
    for result, array in zip(found, (before, weight, bias)):
        assert worst_relative_error(result, central_differences(loss, array, step=0.01)) <= GRADIENT_ERROR


@given(N=batches, D=inputs, K=st.one_of(channels, wide), kind=kinds, more=st.integers(0, 100), seed=seeds)
@example(N=5, D=4 * DEPTH + 1, K=3, kind=RELU, more=0, seed=0)  # two parts for each piece of the smallest count
@example(N=1, D=DEPTH + 1, K=ENOUGH, kind=RELU, more=1, seed=0)  # groups of units
@example(N=21, D=DEPTH + 1, K=1003, kind=RELU, more=0, seed=0)  # more scratch than the input gradient needs
def test_pieces_of_one_part_have_the_bits_of_blocks(N, D, K, kind, more, seed):
    """Whether a batch of any size uses scratch for itself or for a larger one."""
    x, weight, bias = normal(seed, np.float32, N, D), normal(seed, np.float32, D, K), normal(seed, np.float32, K)
    assert np.array_equal(forward(x, weight, bias, kind, N + more), forward(x, weight, bias, kind, room=0))


@given(N=batches, D=inputs, K=channels, seed=seeds)
def test_an_image_has_the_same_bits_in_any_batch(N, D, K, seed):
    x, weight, bias = normal(seed, np.float32, N, D), normal(seed, np.float32, D, K), normal(seed, np.float32, K)
    out = forward(x, weight, bias, RELU)
    for n in {0, N // 2, N - 1}:
        assert np.array_equal(forward(x[n : n + 1], weight, bias, RELU)[0], out[n])


@pytest.mark.parametrize("dtype", DTYPES)
@given(D=inputs, K=channels, zeros=st.sampled_from((0.0, 0.5, 0.8, 1.0)), kind=kinds, every=st.booleans(), seed=seeds)
def test_one_image_skips_zeros_without_a_difference(dtype, D, K, zeros, kind, every, seed):
    x, weight, bias = normal(seed, dtype, D, zeros=zeros), normal(seed, dtype, D, K), normal(seed, dtype, K)
    rows, factors, out = guarded(np.zeros(D, np.int64)), unwritten(D, dtype), unwritten(K, dtype)
    count = compiled.linear_forward_sample(guarded(x), guarded(weight), guarded(bias), kind, every, rows, factors, out)
    assert_unharmed(rows, factors, out)
    active = np.flatnonzero((x != 0) | every)
    assert np.array_equal(rows[:count], active) and np.array_equal(factors[:count], x[active])
    magnitude = naive.linear_batch_forward(np.abs(x), np.abs(weight), np.abs(bias), LINEAR) + (kind > RELU)
    assert_within(out, naive.linear_batch_forward(x, weight, bias, kind), D + 8, magnitude)

    grad, lr = normal(seed, dtype, K), dtype(0.1)
    new_weight, new_bias, grad_input = guarded(weight), guarded(bias), unwritten(D, dtype)
    compiled.linear_sgd_sample(guarded(grad), rows, factors, count, lr, new_weight, new_bias, grad_input)
    assert_unharmed(new_weight, new_bias, grad_input)
    grad_weight, grad_bias = naive.linear_batch_backward_weight(x[None], grad[None])
    assert_within(new_weight, weight - float(lr) * grad_weight, 3, np.abs(weight) + np.abs(lr * grad_weight))
    assert_within(new_bias, bias - float(lr) * grad_bias, 3, np.abs(bias) + np.abs(lr * grad_bias))
    expected = naive.linear_batch_backward_input(grad, weight, None, LINEAR)
    magnitude = naive.linear_batch_backward_input(np.abs(grad), np.abs(weight), None, LINEAR)
    assert_within(grad_input[active], expected[active], K + 2, magnitude[active])

    idle = x == 0
    assert new_weight[idle].tobytes() == weight[idle].tobytes(), "a row that was to be skipped has changed"
    assert every or (grad_input[idle] == 0).all()


def largest_share(sizes, threads):
    """Return the work of the busiest thread over an equal share."""
    return busiest(sizes, threads) / (sum(sizes) / threads)


@pytest.mark.parametrize("threads", [2, 4, 8])
@pytest.mark.parametrize("pieces", [INPUT_PIECES, WEIGHT_PIECES])
@pytest.mark.parametrize("D", [256, 300, 512, 784, 1000, 1024, 3072, 3136])
def test_the_strips_of_a_layer_are_equal_shares_of_the_threads(D, pieces, threads):
    strips = strip_count(D, pieces)
    widths = [stop - first for first, stop in (piece_range(D, strips, n, 1) for n in range(strips))]
    assert sum(widths) == D and max(widths) <= STRIP and max(widths) - min(widths) <= 1
    assert largest_share(widths, threads) < 1.02


@pytest.mark.parametrize("threads", [2, 4, 8])
@pytest.mark.parametrize("D", [256, 300, 512, 784, 1000, 1024, 3072, 3136])
def test_the_strips_of_an_input_gradient_are_nearly_equal_and_begin_at_cache_lines_if_wide(D, threads):
    strips = strip_count(D, INPUT_PIECES)
    ranges = [piece_range(D, strips, n, strip_unit(D, strips)) for n in range(strips)]
    assert ranges[0][0] == 0 and ranges[-1][1] == D
    assert [first for first, _ in ranges[1:]] == [stop for _, stop in ranges[:-1]]
    widths = [stop - first for first, stop in ranges]
    assert max(widths) <= strip_width(D, strips) and largest_share(widths, threads) < 1.03
    assert D // strips < 7 * LINE or all(first % LINE == 0 for first, _ in ranges)


@pytest.mark.parametrize("threads", [2, 4])
@pytest.mark.parametrize("K", [10, 100, 512, 1000])
@pytest.mark.parametrize("D", [257, 300, 512, 784, 1000, 1024, 3072, 3136])
def test_the_parts_of_a_sum_are_equal_shares_and_those_of_the_weight_gradient(D, K, threads):
    """So each thread reads the weights that it updates, but for those of an input or two."""
    parts, groups, strips = part_count(D), group_count(K, part_count(D)), strip_count(D, WEIGHT_PIECES)
    assert by_parts(16, D, parts) and not by_parts(128, D, parts)
    ranges = [piece_range(D, parts, n, 1) for n in range(parts)]
    columns = [stop - first for first, stop in (piece_range(K, groups, n, LINE) for n in range(groups))]
    shares = [(stop - first) * units for first, stop in ranges for units in columns]
    assert sum(shares) == D * K and max(stop - first for first, stop in ranges) <= DEPTH
    assert largest_share(shares, threads) < 1.02
    for thread in range(threads):
        updated = piece_range(D, strips, strips * thread // threads, 1)[0]
        assert abs(ranges[parts * thread // threads][0] - updated) <= 1


@pytest.mark.parametrize("N", [16, 32, 64, 128, 512])
@pytest.mark.parametrize("K", [30, 256, 300, 512, 784, 1000, 1024])
def test_the_blocks_of_a_layer_are_equal_shares_of_two_threads(N, K):
    rows = images_of_block(N, K)
    heights = [min(rows, N - n) for n in range(0, N, rows)]
    most = COLUMN_BLOCK if rows == ROW_BLOCKS[0] else PANEL_COLUMNS
    columns = columns_of_block(N, K, rows)
    assert columns <= most
    widths = [min(columns, K - j) for j in range(0, K, columns)]
    pieces = [height * width for height in heights for width in widths]
    assert sum(pieces) == N * K and largest_share(pieces, 2) < 1.1


@pytest.mark.parametrize("threads", [2, 4, 8])
@pytest.mark.parametrize("N", [16, PACKED_IMAGES - 1, PACKED_IMAGES, 128, 512])
@pytest.mark.parametrize("K", [10, 100, 256, 300, 512, 1000])
@pytest.mark.parametrize("D", [100, 512, 784, 3136])
def test_a_weight_gradient_is_cut_into_equal_shares_that_fit_their_panels(D, K, N, threads):
    room = PANEL_BYTES // 4
    strips, groups, packed = weight_cut(
        N, D, K, room, *(strip_count(D, n) for n in (WEIGHT_PIECES // UNIT_GROUPS, WEIGHT_PIECES))
    )
    widths = [stop - first for first, stop in (piece_range(D, strips, n, 1) for n in range(strips))]
    columns = [stop - first for first, stop in (piece_range(K, groups, n, LINE) for n in range(groups))]
    assert sum(widths) == D and sum(columns) == K and min(columns) > 0
    assert packed or groups == 1, "without copies nothing is gained by groups"
    assert not packed or N * (max(widths) + LINE) <= room
    shares = [width * units for width in widths for units in columns]
    assert len(shares) < threads or largest_share(shares, threads) < 1.15
