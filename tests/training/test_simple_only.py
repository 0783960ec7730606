"""What the fast path lacks: the whole network runs through the simple step, and every command knows it."""

import naive
import nets
import numpy as np
import pytest
from commands import digits, refusal, settle

from jitnet.cli import main
from jitnet.config import Settings
from jitnet.model import reference
from jitnet.model.architecture import parse
from jitnet.model.network import Network

NEW = {  # hidden layers, and what the messages call the new part
    "gelu": ("conv3:gelu pool conv2:gelu dense4:gelu", "the activation 'gelu'"),
    "leaky-relu": ("conv3:leaky-relu pool conv2:leaky-relu dense4:leaky-relu", "the activation 'leaky-relu'"),
    "avgpool": ("conv3 avgpool conv2:tanh avgpool dense4", "average pooling"),
}


@pytest.mark.parametrize("kind", NEW)
def test_steps_are_naive_ones(kind):
    text = f"{NEW[kind][0]} dense3"
    case = nets.case((text, (5, 4, 1), "position"), np.float64, 5)
    assert case.network.kernels == "simple"
    order, lrs = np.arange(5), np.full(3, 0.05)
    done, losses = case.network.train_steps(case.images, case.targets, order, 2, lrs, np.zeros(1))
    case2 = nets.case((text, (5, 4, 1), "position"), np.float64, 5)
    means, tensors = naive.train_minibatch(case2.layers, case2.tensors(), case2.inputs, case2.targets, order, 2, lrs)
    assert done == 3 and np.allclose(losses, means, rtol=1e-12)
    nets.assert_close(case.network.tensors(), tensors, 1e-12)


@pytest.mark.parametrize("kind", NEW)
def test_the_reference_of_trace_and_report(kind):
    case = nets.case((f"{NEW[kind][0]} dense3", (5, 4, 1), "position"), np.float64, 1)
    steps = reference.forward(case.network.shapes, case.network.tensors(), case.images[0])
    reference.backward(steps, case.network.tensors(), int(case.targets[0]), "cross-entropy")
    assert np.allclose(steps[-1].out, case.network.logits(case.images)[0], rtol=1e-12)
    gradient = np.zeros_like(case.network.params)
    case.network.accumulate(case.images, case.targets, np.arange(1), 1.0, gradient)
    found = {name: array for step in steps for name, array in step.gradients.items()}
    own = Network(case.layers, case.network.image, "position", np.float64)
    own.params[:] = gradient
    nets.assert_close(own.tensors(), found, 1e-10)


def test_what_the_fast_path_has_stays_fast():
    assert Network(parse("conv2:tanh dense3:sigmoid dense2"), (3, 3, 1)).kernels == "fast"
    assert Network(parse("dense3 dense2:gelu"), (3, 3, 1)).kernels == "fast"  # the last layer has none


@pytest.mark.parametrize("kind", NEW)
def test_commands(tmp_path, monkeypatch, capsys, kind):
    digits(settle(monkeypatch, tmp_path))
    arch, part = NEW[kind]
    words = ("--arch", arch, "--init", "he", "--lr", "0.05", "--data", "digits", "--epochs", "1", "--name", "run")
    assert main(["train", "cnn", *words, "--ui", "plain"]) == 0
    assert "simple kernels" in capsys.readouterr().out
    assert Settings.from_toml("runs/run/config.toml").architecture == arch
    assert main(["eval", "run"]) == 0 and main(["gradcheck", "cnn", "--arch", arch, "--side", "5"]) == 0
    assert main(["summary", "cnn", "--arch", arch, "--kernels"]) == 0
    assert "kernels/step.py" in capsys.readouterr().out.replace("\n", "")
    assert f"{part}, which the C++ program lacks" in refusal(capsys, "export", "cpp", "run", "--out", "twin")


def test_dropout(tmp_path, monkeypatch, capsys):
    digits(settle(monkeypatch, tmp_path))
    words = ("--arch", "conv2 pool dense8", "--data", "digits", "--init", "he", "--epochs", "1", "--dropout", "0.5")
    assert main(["train", "cnn", *words, "--name", "run", "--ui", "plain"]) == 0
    shown = capsys.readouterr().out
    assert "dropout 0.5, simple kernels" in " ".join(shown.split())
    assert Settings.from_toml("runs/run/config.toml").dropout == 0.5 and main(["eval", "run"]) == 0
    assert "dropout, which the C++ program lacks" in refusal(capsys, "export", "cpp", "run", "--out", "twin")
    assert "kernels/step.py" in kernels_shown(capsys, *words[:2], *words[-2:])
    assert "a number from 0 to less than 1" in refusal(capsys, "train", "cnn", "--dropout", "1")
    assert "no hidden dense layer" in refusal(capsys, "train", "cnn", *words[2:], "--arch", "conv2", "--name", "none")


def kernels_shown(capsys, *words):
    assert main(["summary", "cnn", *words, "--kernels"]) == 0
    return capsys.readouterr().out.replace("\n", "")
