"""`jitnet trace`: the reference pass agrees with the kernels, and the command shows every layer twice."""

import re

import nets
import numpy as np
import pytest
from commands import digits, refusal, settle, train

from jitnet.cli import main
from jitnet.data import load
from jitnet.display.pictures import as_bytes
from jitnet.model.memory_plan import parameter_offsets
from jitnet.model.reference import backward, forward
from jitnet.model.scores import probabilities
from jitnet.run.trained import open_trained


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


RANGE = re.compile(r"(\S+) to +(\S+), mean +(\S+), +(\d+) % zero$")


@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
def test_the_ranges_and_pictures_are_those_of_the_image_that_is_named(tmp_path, monkeypatch, capsys, loss):
    digits(settle(monkeypatch, tmp_path))
    train("run", "--arch", "conv6 pool dense4", "--loss", loss, epochs=1)
    network, data, place = open_trained("run").network, load("digits"), 7
    assert data.y_test[place] != data.y_test[0]  # else it would not matter whose label is taken
    steps = forward(network.shapes, network.tensors(), data.x_test[place][..., None])
    backward(steps, network.tensors(), int(data.y_test[place]), loss)
    expected, pictures = {}, []
    for step in steps:
        expected[f"{step.shape.name} out"], expected[f"{step.shape.name} grad"] = step.out, step.grad_out
        expected |= step.gradients
    for values, shown in [(s.out, s.out) for s in steps] + [(s.grad_out, abs(s.grad_out)) for s in steps[::-1]]:
        if values.ndim == 3:  # the four maps with the largest values, in their order
            largest = sorted(sorted(range(6), key=lambda c: -abs(values[..., c]).max())[:4])
            pictures += [as_bytes(shown[..., c]) for c in largest]
    drawn = []
    monkeypatch.setattr("jitnet.commands.trace.draw_image", lambda pixels, *_: drawn.append(pixels) or [])
    capsys.readouterr()
    assert main(["trace", "run", "--image", str(place)]) == 0
    out = capsys.readouterr().out
    assert f"test image {place} of digits, true {data.y_test[place]}\n" in out
    lines = {line[:14].strip(): RANGE.search(line) for line in out.splitlines() if RANGE.search(line)}
    assert lines.keys() == expected.keys()
    for name, values in expected.items():
        found = [float(number) for number in lines[name].groups()]
        wanted = [values.min(), values.max(), values.mean(), 100 * (values == 0).mean()]
        assert found[:3] == pytest.approx(wanted[:3], rel=0.006) and abs(found[3] - wanted[3]) <= 0.5, name
    assert len(drawn) == len(pictures) == 16 and all(map(np.array_equal, drawn, pictures))
    chances = 100 * probabilities(steps[-1].out[None])[0]
    assert re.findall(r"([\d.]+) %(?: predicted)?(?: true)?$", out, re.MULTILINE) == [f"{p:.1f}" for p in chances]
