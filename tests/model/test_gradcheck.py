"""`jitnet gradcheck`: right gradients pass, and one that is wrong is found."""

import re

import nets
import numpy as np
import pytest
from commands import refusal

from jitnet.cli import main
from jitnet.model.gradcheck import TOLERANCE, check
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


def test_what_is_refused(capsys):
    assert "--samples is 0" in refusal(capsys, *SMALL, "--samples", "0")
    assert "--side is 0" in refusal(capsys, *SMALL[:-1], "0")
    assert "word 1 of the architecture" in refusal(capsys, "gradcheck", "cnn", "--arch", "cov3")
