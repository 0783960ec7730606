"""`jitnet gradcheck`: right gradients pass, and one that is wrong is found."""

import re

import nets
import numpy as np
import pytest
from commands import refusal

from jitnet.cli import main
from jitnet.model.gradcheck import TOLERANCE, check
from jitnet.model.memory_plan import parameter_offsets
from jitnet.model.network import Network

SMALL = ("gradcheck", "cnn", "--arch", "conv3 pool conv2:tanh dense4:sigmoid", "--side", "6")


@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
def test_every_tensor_is_within_the_tolerance(capsys, loss):
    assert main([*SMALL, "--samples", "12", "--loss", loss]) == 0
    out = capsys.readouterr().out
    found = re.findall(r"^(\w+\.\w+) .* tried  worst error (\S+)$", out, re.MULTILINE)
    assert [name for name, _ in found] == [
        f"{layer}.{part}" for layer in ("conv1", "conv2", "dense1", "dense2") for part in ("weight", "bias")
    ]
    tried = re.findall(r" ([\d,]+) of ([\d,]+) tried", out)
    assert tried == [(str(min(12, int(size))), size) for _, size in tried]  # of a tensor of fewer entries all
    assert {size for _, size in tried} >= {"27", "4"}
    worst = max(float(error) for _, error in found)
    assert 0 < worst <= TOLERANCE and f"worst relative error {worst:.1e}, within 1e-06" in out


@pytest.mark.parametrize("tensor", ["conv1.weight", "dense1.bias"])
def test_a_wrong_gradient_is_found(capsys, monkeypatch, tensor):
    right = Network.accumulate

    def wrong(self, images, targets, part, scale, grad):
        loss = right(self, images, targets, part, scale, grad)
        places = self.tensors()[tensor]
        start = (places.ctypes.data - self.params.ctypes.data) // 8
        grad[start : start + places.size] *= 1 + 1e-5
        return loss

    monkeypatch.setattr(Network, "accumulate", wrong)
    assert main([*SMALL]) == 1
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines() if line.endswith("WRONG")] == [tensor]
    assert "BEYOND 1e-06" in out


def test_parameters_are_put_back():
    case = nets.case(nets.MAKES[10], np.float64)
    before = case.network.params.copy()
    checked = list(check(case.network, case.images, case.targets, samples=3))
    assert np.array_equal(case.network.params, before) and {tensor.places for tensor in checked} == {3}


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ((), set()),
        (("--seed", "1"), {"weights", "biases", "images", "entries"}),
        (("--bias", "channel"), {"bias", "biases", "images"}),  # fewer biases are drawn before these
        (("--kernels", "simple"), {"kernels"}),
        (("--loss", "mse"), {"loss"}),
        (("--samples", "3"), {"samples"}),
    ],
)
def test_each_option_changes_what_is_checked(monkeypatch, words, changed):
    seen = []

    def checked(network, images, targets, samples, seed):
        tensors = network.tensors()
        seen.append({
            "weights": tensors["dense1.weight"].tolist(), "biases": tensors["dense1.bias"].tolist(),
            "images": images.tolist(), "entries": seed, "bias": network.bias, "kernels": network.kernels,
            "loss": network.loss, "samples": samples,
        })  # fmt: skip
        assert all(array.any() for array in tensors.values())  # no unit without input is on the kink of its activation
        return []

    monkeypatch.setattr("jitnet.commands.gradcheck.check", checked)
    monkeypatch.setattr("jitnet.commands.gradcheck.compile_kernels", lambda *_: [])
    for more in ((), words):
        assert main([*SMALL, *more]) == 0
    before, after = seen
    assert {name for name, value in before.items() if value != after[name]} == changed


def test_what_is_refused(capsys):
    for option, most in (("--samples", 100_000), ("--side", 512)):
        for value in (0, most + 1):
            assert f"{option} is {value}: expected 1 to {most:,}" in refusal(capsys, *SMALL, option, str(value))
    assert "word 1 of the architecture" in refusal(capsys, "gradcheck", "cnn", "--arch", "cov3")


def altered(monkeypatch, change):
    """Let gradients be what `change` makes of the right ones, by the names of their tensors."""
    right = Network.accumulate

    def wrong(self, images, targets, part, scale, grad):
        loss = right(self, images, targets, part, scale, grad)
        for name, (start, shape) in parameter_offsets(self.shapes).items():
            change(name, grad[start : start + int(np.prod(shape))])
        return loss

    monkeypatch.setattr(Network, "accumulate", wrong)


def test_an_error_is_the_worst_of_a_tensor_and_measured_by_its_own_gradient(monkeypatch):
    """Of the size of the gradient there, unless that is below a hundredth of the largest."""
    case, right = nets.case(("dense6:tanh dense3", (4, 3, 1), "position"), np.float64, 5), {}
    altered(monkeypatch, lambda name, grad: right.update({name: grad.copy()}))
    samples = 1000
    assert max(tensor.error for tensor in check(case.network, case.images, case.targets, samples)) < TOLERANCE
    off = {name: grad[np.argsort(np.abs(grad))[len(grad) // 4]] for name, grad in right.items()}
    small = {name: int(np.flatnonzero(grad == off[name])[0]) for name, grad in right.items()}

    def change(name, grad):
        grad[small[name]] *= 1.01

    altered(monkeypatch, change)
    for tensor in check(case.network, case.images, case.targets, samples):
        scale = max(abs(off[tensor.name]), tensor.largest / 100)
        assert tensor.error == pytest.approx(0.01 * abs(off[tensor.name]) / scale, rel=1e-3)
        assert tensor.largest == pytest.approx(np.abs(right[tensor.name]).max(), rel=0.011)


def test_half_of_what_is_tried_has_a_gradient_where_few_have_one(monkeypatch):
    case, tried = nets.case(("dense40 dense3", (4, 4, 1), "position"), np.float64, 3), []
    case.network.tensors()["dense1.bias"][2:] = -1e3  # all but two units are silent
    monkeypatch.setattr(
        "jitnet.model.gradcheck.differences", lambda loss, params, place: tried.append(place) or np.ones(1)
    )
    grad = np.zeros_like(case.network.params)
    case.network.accumulate(case.images, case.targets, np.arange(3), 1 / 3, grad)
    for tensor in check(case.network, case.images, case.targets, samples=8):
        if tensor.name == "dense1.weight":
            assert sum(grad[place] != 0 for place in tried[-8:]) >= 4 and len(set(tried[-8:])) == 8


def test_what_is_tried_is_that_of_the_seed(monkeypatch):
    case, tried = nets.case(("dense40 dense3", (4, 4, 1), "position"), np.float64, 3), []
    monkeypatch.setattr(
        "jitnet.model.gradcheck.differences", lambda loss, params, place: tried.append(int(place)) or np.ones(1)
    )
    for seed in (5, 5, 6):
        list(check(case.network, case.images, case.targets, 8, seed))
    first, again, other = np.split(np.array(tried), 3)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
