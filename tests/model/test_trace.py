"""`jitnet trace`: the reference pass agrees with the kernels, and the command shows every layer twice."""

import nets
import numpy as np
import pytest
from commands import digits, refusal, settle, train

from jitnet.cli import main
from jitnet.model.memory_plan import parameter_offsets
from jitnet.model.reference import backward, forward


@pytest.mark.parametrize("make", nets.MAKES, ids=nets.IDS)
@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
def test_the_reference_is_what_the_kernels_do(make, loss):
    case = nets.case(make, np.float64, images=1)
    case.network.loss = loss
    steps = forward(case.network.shapes, case.network.tensors(), case.images[0])
    backward(steps, case.network.tensors(), int(case.targets[0]), loss)
    assert np.allclose(steps[-1].out, case.network.logits(case.images)[0], rtol=1e-9, atol=1e-12)
    gradient = np.zeros_like(case.network.params)
    case.network.accumulate(case.images, case.targets, np.arange(1), 1.0, gradient)
    found = {name: array for step in steps for name, array in step.gradients.items()}
    offsets = parameter_offsets(case.network.shapes)
    expected = {name: gradient[start : start + int(np.prod(e))].reshape(e) for name, (start, e) in offsets.items()}
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].shape == array.shape
        assert np.allclose(found[name], array, rtol=1e-9, atol=1e-12 + 1e-9 * np.abs(array).max()), name


@pytest.mark.parametrize("make", nets.MAKES[10:12])
def test_fractions_are_taken_as_they_are(make):
    case = nets.case(make, np.float64, images=1)
    tensors = case.network.tensors()
    of_bytes, of_fractions = (forward(case.network.shapes, tensors, x[0]) for x in (case.images, case.inputs))
    for step, same in zip(of_bytes, of_fractions):
        assert np.allclose(step.x, same.x, rtol=1e-12) and np.allclose(step.out, same.out, rtol=1e-12)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "linear"])
def test_of_equal_numbers_the_same_one_wins_as_in_the_kernels(activation):
    case = nets.case((f"conv2:{activation} pool dense3", (7, 6, 1), "position"), np.float64, images=1)
    case.network.tensors()["conv1.bias"][:] = 0.25
    images = np.zeros_like(case.images)
    steps = forward(case.network.shapes, case.network.tensors(), images[0])
    backward(steps, case.network.tensors(), int(case.targets[0]), "cross-entropy")
    gradient = np.zeros_like(case.network.params)
    case.network.accumulate(images, case.targets, np.arange(1), 1.0, gradient)
    start, extents = parameter_offsets(case.network.shapes)["conv1.bias"]
    expected = gradient[start : start + int(np.prod(extents))].reshape(extents)
    assert np.count_nonzero(expected) == 2 * 9  # one place in each window
    assert np.allclose(steps[0].gradients["conv1.bias"], expected, rtol=1e-9)


def test_every_layer_is_shown_there_and_back(tmp_path, monkeypatch, capsys):
    digits(settle(monkeypatch, tmp_path))
    train("run", epochs=1)
    capsys.readouterr()
    assert main(["trace", "run", "--image", "7"]) == 0
    there, back = capsys.readouterr().out.split("\nbackward")
    names = ["conv1", "pool1", "dense1", "dense2"]
    assert [line.split()[0] for line in there.splitlines() if " out " in line] == names
    assert [line.split()[0] for line in back.splitlines() if " grad " in line] == names[::-1]
    assert "6x6x1 -> 6x6x2" in there and "dense1.weight" in back and "3x3x1x2" in back and " true" in there
    assert "--image is 60: expected 0 to 59" in refusal(capsys, "trace", "run", "--image", "60")
    assert "--image is -1" in refusal(capsys, "trace", "run", "--image", "-1")
