"""The kernels against PyTorch, where it is installed: the same equations, the same conventions, the same bounds."""

import compiled
import naive
import nets
import numpy as np
import pytest
from bounds import assert_within
from shapes import DTYPES, frame, normal

from jitnet.kernels.fast import linear_batch_backward, linear_batch_forward
from jitnet.kernels.fast.dense_pieces import linear_scratch
from jitnet.kernels.layers import activation, convolution, linear, loss, optimizer, pooling
from jitnet.kernels.table import CROSS_ENTROPY, GELU, LEAKY_RELU, MSE, RELU, SIGMOID, TANH
from jitnet.model.optimizer import Optimizer

torch = pytest.importorskip("torch")
F = torch.nn.functional

SHAPES = [(1, 1, 1, 1, 1), (2, 5, 4, 3, 17), (3, 7, 6, 16, 5), (1, 28, 28, 1, 16)]  # N, H, W, C, OC
SIZES = [(1, 1, 1), (3, 70, 33), (65, 300, 10)]  # N, D, K
pytestmark = pytest.mark.parametrize("dtype", DTYPES)


def tensor(array, grad=False):
    return torch.tensor(array, requires_grad=grad)


def within(ours, theirs, roundings, magnitude):
    """Two results that each keep to the bound are at most two bounds apart."""
    assert_within(ours, np.float64(theirs.detach().numpy()), roundings, 2 * magnitude)


@pytest.mark.parametrize("shape", SHAPES)
def test_convolution(dtype, shape):
    N, H, W, C, OC = shape
    x, weight, grad = normal(0, dtype, N, H, W, C), normal(1, dtype, 3, 3, C, OC), normal(2, dtype, N, H, W, OC)
    bias = normal(3, dtype, H, W, OC)
    tx, tw, tb = tensor(x, True), tensor(weight, True), tensor(bias, True)
    out = F.conv2d(tx.permute(0, 3, 1, 2), tw.permute(3, 2, 0, 1), padding=1).permute(0, 2, 3, 1) + tb
    out.backward(tensor(grad))
    magnitudes = (
        naive.conv2d_forward(frame(np.abs(x)), np.abs(weight), np.abs(bias)),
        naive.conv2d_backward_input(frame(np.abs(grad)), np.abs(weight)),
        naive.conv2d_backward_weight(frame(np.abs(x)), frame(np.abs(grad))),
    )
    ours, ours_input, ours_weight = np.empty_like(grad), np.empty_like(x), np.empty_like(weight)
    ours_bias = np.zeros_like(bias)
    ours_weight[:] = 0
    convolution.conv2d_forward(x, weight, bias, ours)
    convolution.conv2d_backward_input(grad, weight, ours_input)
    convolution.conv2d_backward_weight(x, grad, ours_weight, ours_bias)
    within(ours, out, 18 * C + 2, magnitudes[0])
    within(ours_input, tx.grad, 18 * OC + 2, magnitudes[1])
    within(ours_weight, tw.grad, 2 * N * H * W, magnitudes[2])
    within(ours_bias, tb.grad, N, np.abs(grad).sum(axis=0))


@pytest.mark.parametrize("H, W", [(2, 2), (5, 4), (28, 28), (3, 7)])
def test_max_pool(dtype, H, W):
    x, grad = normal(0, dtype, 2, H, W, 17), normal(1, dtype, 2, H // 2, W // 2, 17)
    tx = tensor(x, True)
    padded = F.pad(tx.permute(0, 3, 1, 2), (0, 1, 0, 1), value=-np.inf)
    theirs = F.max_pool2d(padded, 3, 2).permute(0, 2, 3, 1)
    theirs.backward(tensor(grad))
    out, argmax, grad_input = np.empty_like(grad), np.empty(grad.shape, np.uint8), np.empty_like(x)
    pooling.max_pool2d_forward(x, out, argmax)
    pooling.max_pool2d_backward(grad, argmax, grad_input)
    assert np.array_equal(out, theirs.detach().numpy())
    within(grad_input, tx.grad, 3, naive.max_pool2d_backward(np.abs(grad), argmax, H, W))


@pytest.mark.parametrize("H, W", [(2, 2), (5, 4), (28, 28), (3, 7)])
def test_average_pool(dtype, H, W):
    """torch divides by the pixels that exist if a window leaves the image because of ceil_mode."""
    x, grad = normal(0, dtype, 2, H, W, 17), normal(1, dtype, 2, H // 2, W // 2, 17)
    tx = tensor(x, True)
    theirs = F.avg_pool2d(tx.permute(0, 3, 1, 2), 3, 2, ceil_mode=True).permute(0, 2, 3, 1)
    theirs.backward(tensor(grad))
    out, grad_input = np.empty_like(grad), np.empty_like(x)
    pooling.average_pool2d_forward(x, out)
    pooling.average_pool2d_backward(grad, grad_input)
    within(out, theirs, 10, naive.average_pool2d_forward(np.abs(x)))
    within(grad_input, tx.grad, 5, naive.average_pool2d_backward(np.abs(grad), H, W))


@pytest.mark.parametrize("size", SIZES)
def test_linear(dtype, size):
    N, D, K = size
    x, weight, bias = normal(0, dtype, N, D), normal(1, dtype, D, K), normal(2, dtype, K)
    grad = normal(3, dtype, N, K)
    tx, tw, tb = tensor(x, True), tensor(weight, True), tensor(bias, True)
    theirs = F.linear(tx, tw.T, tb)
    theirs.backward(tensor(grad))
    out, grad_input = np.empty((N, K), dtype), np.empty_like(x)
    grad_weight, grad_bias = np.zeros_like(weight), np.zeros_like(bias)
    linear.linear_forward(x, weight, bias, out)
    linear.linear_backward_input(grad, weight, grad_input)
    linear.linear_backward_weight(x, grad, grad_weight, grad_bias)
    magnitude, magnitude_bias = naive.linear_backward_weight(np.abs(x), np.abs(grad))
    within(out, theirs, 2 * D, naive.linear_forward(np.abs(x), np.abs(weight), np.abs(bias)))
    within(grad_input, tx.grad, 2 * K, naive.linear_backward_input(np.abs(grad), np.abs(weight)))
    within(grad_weight, tw.grad, 2 * N, magnitude)
    within(grad_bias, tb.grad, 2 * N, magnitude_bias)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_linear_batch(dtype, size, relu):
    N, D, K = size
    x, weight, bias = normal(0, dtype, N, D), normal(1, dtype, D, K), normal(2, dtype, K)
    grad = normal(3, dtype, N, K)
    before = tensor(x, True)
    tx, tw, tb = F.relu(before) if relu else before, tensor(weight, True), tensor(bias, True)
    theirs = F.linear(tx, tw.T, tb)
    theirs.backward(tensor(grad))
    x = np.maximum(x, 0) if relu else x
    out, grad_input = np.empty((N, K), dtype), np.empty_like(x)
    grad_weight, grad_bias = np.empty_like(weight), np.empty_like(bias)
    scratch = np.empty(linear_scratch(N, D, K), dtype)
    linear_batch_forward.linear_batch_forward(x, weight, bias, 0, scratch, out)
    linear_batch_backward.linear_batch_backward_input(grad, weight, x, int(relu), scratch, grad_input)
    linear_batch_backward.linear_batch_backward_weight(x, grad, dtype(1), False, grad_weight, grad_bias)
    magnitude, magnitude_bias = naive.linear_backward_weight(np.abs(x), np.abs(grad))
    within(out, theirs, D + 6, naive.linear_forward(np.abs(x), np.abs(weight), np.abs(bias)))
    within(grad_input, before.grad, K + 2, naive.linear_backward_input(np.abs(grad), np.abs(weight)))
    within(grad_weight, tw.grad, N + 2, magnitude)
    within(grad_bias, tb.grad, N + 2, magnitude_bias)


@pytest.mark.parametrize(
    "kind, function",
    [(RELU, F.relu), (SIGMOID, torch.sigmoid), (TANH, torch.tanh), (GELU, F.gelu), (LEAKY_RELU, F.leaky_relu)],
)
def test_activations(dtype, kind, function):
    x, grad = normal(0, dtype, 50), normal(1, dtype, 50)
    tx = tensor(x, True)
    function(tx).backward(tensor(grad))
    out, passed = np.empty_like(x), np.empty_like(x)
    activation.activation_forward(kind, x, out)
    activation.activation_backward(kind, x, grad, passed)
    within(out, function(tx), 8, np.abs(out) + 1.0)
    within(passed, tx.grad, 12, np.abs(grad))


@pytest.mark.parametrize("kind", ["cross-entropy", "smoothed", "mse", "numbers"])
def test_losses(dtype, kind):
    logits, targets = normal(2, dtype, 9, 10), np.arange(9)
    tl = tensor(np.float64(logits), True)
    labelled, smoothing = kind in ("cross-entropy", "smoothed"), 0.1 * (kind == "smoothed")
    if labelled:
        theirs = F.cross_entropy(tl, torch.tensor(targets), label_smoothing=smoothing)
    else:
        softmax, one_hot = kind == "mse", np.eye(10)[targets]
        targets = targets if softmax else normal(3, dtype, 9, 10)
        goal = torch.tensor(one_hot if softmax else np.float64(targets))
        theirs = F.mse_loss(F.softmax(tl, 1) if softmax else tl, goal)
    theirs.backward()
    losses, found = np.empty(9), np.empty_like(logits)
    loss.output_loss(
        CROSS_ENTROPY if labelled else MSE, smoothing, logits, targets, np.arange(9), dtype(1 / 9), losses, found
    )
    within(losses.mean(), theirs, 20, 5.0)
    within(found, tl.grad, 20, np.full(found.shape, 1 / 9) + np.abs(found))


THEIRS = {
    "sgd": lambda p, decay: torch.optim.SGD(p, lr=0.05, weight_decay=decay),
    "momentum": lambda p, decay: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=decay),
    "nesterov": lambda p, decay: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=decay),
    "adam": lambda p, decay: torch.optim.Adam(p, lr=0.05, weight_decay=decay),
    "adamw": lambda p, decay: torch.optim.AdamW(p, lr=0.05, weight_decay=decay),
}


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("kind", THEIRS)
def test_optimisers_step_by_step(dtype, kind, decay):
    """Ten steps, each compared. A step of Adam is about lr long, so an error is measured against lr and the weight."""
    param = normal(3, dtype, 50)
    theirs, ours = tensor(param, True), Optimizer(kind, weight_decay=decay)
    ours.start(param)
    optimiser = THEIRS[kind]([theirs], decay)
    for t in range(1, 11):
        grad = normal(10 + t, dtype, 50)
        theirs.grad = tensor(grad)
        optimiser.step()
        optimizer.optimizer_step(ours.rule, param, grad, ours.first, ours.second, 0.05, t)
        within(param, theirs, 40 * t, np.abs(param) + 0.5)


def test_primitives(dtype):
    a, b, init = normal(0, dtype, 2, 3, 4, 9), normal(1, dtype, 2, 3, 4, 20), normal(2, dtype, 2, 9, 20)
    out = np.empty_like(init)
    compiled.contract(a, b, init, dtype(0.5), out)
    theirs = tensor(init) + 0.5 * torch.einsum("rtki,rtkj->rij", tensor(a), tensor(b))
    within(out, theirs, 14, naive.contract(np.abs(a), np.abs(b), np.abs(init), 0.5))


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("make", [nets.MAKES[2], nets.MAKES[8], nets.MAKES[10]])
def test_a_network_learns_the_same(dtype, make, batch_size):
    """Both drivers against torch.optim.SGD over a network built from torch's own layers, step after step."""
    case = nets.case(make, dtype, images=11)
    parameters = {name: tensor(array.astype(np.float64), True) for name, array in case.network.tensors().items()}
    optimiser = torch.optim.SGD(parameters.values(), lr=0.02)
    order, steps = np.arange(11), -(-11 // batch_size)
    means = []
    for step in range(steps):
        batch = order[step * batch_size : (step + 1) * batch_size]
        x = tensor(case.inputs[batch]).permute(0, 3, 1, 2)
        for name, pooled in naive.blocks(case.layers):
            bias = parameters[f"{name}.bias"].permute(2, 0, 1)
            x = F.relu(F.conv2d(x, parameters[f"{name}.weight"].permute(3, 2, 0, 1), padding=1) + bias)
            x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-np.inf), 3, 2) if pooled else x
        x = x.permute(0, 2, 3, 1).flatten(1)
        for place, name in enumerate(naive.heads(case.layers)):
            x = F.relu(x) if place else x
            x = F.linear(x, parameters[f"{name}.weight"].T, parameters[f"{name}.bias"])
        mean = F.cross_entropy(x, torch.tensor(np.int64(case.targets[batch])))
        optimiser.zero_grad()
        mean.backward()
        optimiser.step()
        means.append(mean.item())
    lrs = np.full(steps, 0.02)
    done, losses = case.network.train_steps(case.images, case.targets, order, batch_size, lrs, np.zeros(1))
    tolerance = nets.FLOAT32 if dtype == np.float32 else 1e-10
    assert done == steps and np.allclose(losses, means, rtol=tolerance)
    nets.assert_close(case.network.tensors(), {name: p.detach().numpy() for name, p in parameters.items()}, tolerance)
