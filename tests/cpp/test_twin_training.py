"""The C++ twin computes what Python computes: losses, weights, classes; and both read the weight files of the other."""

import json
import shutil

import nets
import numpy as np
import pytest
from commands import rows
from twins import NATIVE, ROOT, Program, compiled, export

from jitnet import CNN
from jitnet.cli import main
from jitnet.config import CHOICES, Settings
from jitnet.data import load
from jitnet.model import architecture
from jitnet.model.network import Network
from jitnet.model.optimizer import Optimizer, is_fused
from jitnet.model.scores import probabilities
from jitnet.storage import checkpoint
from jitnet.training.position import Position
from jitnet.training.schedule import learning_rate
from jitnet.training.shuffle import visiting_order

AGREE = 1e-4  # C++ and Python sum in different orders


@pytest.mark.parametrize("number", range(len(nets.MAKES)), ids=nets.IDS)
def test_every_make_trains_to_the_same_weights_by_every_rule(cases, number):
    program, made = cases
    it = made[number]
    network, settings, steps = it.case.network, it.settings, -(-it.order.size // it.settings.batch_size)
    optimizer = Optimizer(settings.optimizer, settings.momentum, settings.weight_decay, settings.reduction)
    optimizer.start(network.params)
    checkpoint.save(it.folder / "model.safetensors", network.tensors() | Position().tensors(), {})
    given = None if is_fused(settings.batch_size, optimizer) else optimizer
    rates = (np.full(steps, settings.lr), np.zeros(1))
    done, losses = network.train_steps(it.case.images, it.case.targets, it.order, settings.batch_size, *rates, given)
    found = np.float64(program("train", number, it.folder).split())
    assert done == steps
    assert np.allclose(found, losses, rtol=AGREE, atol=1e-6)
    after, _ = checkpoint.load(it.folder / "after.safetensors")
    nets.assert_close(after, network.tensors() | optimizer.state(), AGREE)
    assert after["position"].tolist() == [0, 0, steps]


def documents_cnn(weights) -> Network:
    """Return the documents' CNN with the weights of a file."""
    network = Network(architecture.CNN, (28, 28, 1))
    network.load_tensors(checkpoint.load(weights)[0], str(weights))
    return network


def losses_of_both(cnn_twin, mnist, tmp_path, lr):
    """Return the losses of the first 1,000 per-sample steps from the initial weights of the reference run."""
    data, files = mnist
    initial = export("reference-cnn", tmp_path / "initial", "--initial") / "model.safetensors"
    words = (
        "--data",
        files,
        "--weights",
        initial,
        "--epochs",
        1,
        "--limit",
        1000,
        "--schedule",
        "constant",
        "--lr",
        lr,
    )
    cnn_twin("train", *words, "--losses", tmp_path / "losses", "--out", tmp_path / "w.safetensors")
    network = documents_cnn(initial)
    images = data.x_train[:1000, :, :, None]
    _, losses = network.train_steps(images, data.y_train[:1000], np.arange(1000), 1, np.full(1000, lr), np.zeros(1))
    return np.loadtxt(tmp_path / "losses"), losses


# At 0.01 they would not: a difference in the last bit grows to 0.1 within 1,000 steps (docs/decisions.md).
@pytest.mark.parametrize("lr", [0.001, 0.003])
def test_the_first_1000_losses_agree_one_by_one(cnn_twin, mnist, tmp_path, lr):
    found, expected = losses_of_both(cnn_twin, mnist, tmp_path, lr)
    assert found.shape == (1000,)
    assert np.max(np.abs(found - expected) / expected) <= AGREE


def test_all_test_images_get_the_same_class_and_logits(cnn_twin, mnist, tmp_path):
    data, files = mnist
    line = cnn_twin("eval", "--data", files, "--logits", tmp_path / "logits")
    found = np.fromfile(tmp_path / "logits", np.float32).reshape(-1, 10)
    network = documents_cnn(ROOT / "runs" / "reference-cnn" / "last.safetensors")
    expected = network.logits(data.x_test[..., None])
    assert found.shape == expected.shape == (10000, 10)
    assert np.max(np.abs(found - expected)) <= AGREE
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()
    accuracy = 100 * (expected.argmax(axis=1) == data.y_test).mean()
    assert line.endswith(f" accuracy = {accuracy:.2f}\n")


def test_predict_says_what_python_says(cnn_twin, mnist, tmp_path):
    data, _ = mnist
    path = tmp_path / "digit.pgm"
    path.write_bytes(b"P5\n# a comment\n28 28\n255\n" + data.x_test[3].tobytes())
    network = documents_cnn(ROOT / "runs" / "reference-cnn" / "last.safetensors")
    chances = probabilities(network.logits(data.x_test[3:4, :, :, None]))[0]
    first, *_, last = line = cnn_twin("predict", path).split()
    assert first == f"{path}:" and last == "%"
    assert int(line[1]) == int(line[2]) == chances.argmax()
    assert float(line[3]) == pytest.approx(100 * chances.max(), abs=0.06)


def test_weights_come_back_to_the_byte(tiny_twin, tmp_path):
    """Python's file, read and written by C++: parameters, optimiser and position, every bit."""
    data = tiny_twin.folder.parent / "digits"
    out = tmp_path / "w.safetensors"
    shown = tiny_twin("train", "--data", data, "--resume", "model.safetensors", "--out", out)
    assert shown.splitlines()[1].startswith("Final accuracy of test set = ")  # both epochs were done
    own, _ = checkpoint.load(tiny_twin.folder.parent / "runs" / "run" / "last.safetensors")
    exported, _ = checkpoint.load(tiny_twin.folder / "model.safetensors")
    returned, metadata = checkpoint.load(out)
    assert {"conv1.weight", "optimizer.second", "position"} <= set(own)
    assert checkpoint.content_hash(own) == checkpoint.content_hash(exported) == checkpoint.content_hash(returned)
    assert metadata["optimizer"] == "adam" and metadata["batch_size"] == "16"


def test_training_goes_on_on_the_other_side_and_back(tiny_twin, tmp_path):
    """Epoch 0, 1 in Python; 2 in C++; 3 in either: the same curves as with Python alone."""
    home = tiny_twin.folder.parent
    shutil.copytree(home / "runs", tmp_path / "runs")
    words = ("--runs-dir", str(tmp_path / "runs"), "--ui", "quiet")
    assert main(["resume", "run", *words, "--epochs", "4"]) == 0
    alone = rows(tmp_path / "runs" / "run")

    there, back = tmp_path / "there.safetensors", tmp_path / "back.safetensors"
    resume = ("train", "--data", home / "digits", "--resume")
    one = tiny_twin(*resume, "model.safetensors", "--epochs", 3, "--out", there)
    two = tiny_twin(*resume, there, "--epochs", 4, "--out", back)
    lines = [line for shown in (one, two) for line in shown.splitlines() if line.startswith("Epoch")]
    assert len(lines) == 2
    for line, row in zip(lines, alone[2:]):
        _, epoch, _, _, lr, *_, loss, _, _, accuracy = line.split()
        assert int(epoch) == int(row["epoch"]) and float(lr) == round(float(row["lr"]), 6)
        assert float(loss) == pytest.approx(float(row["train_loss"]), rel=1e-4)
        assert float(accuracy) == pytest.approx(float(row["test_accuracy"]), abs=2)  # one image of 60 may change

    shutil.copytree(home / "runs", tmp_path / "again")
    shutil.copy(there, tmp_path / "again" / "run" / "last.safetensors")
    assert main(["resume", "run", "--runs-dir", str(tmp_path / "again"), "--ui", "quiet", "--epochs", "4"]) == 0
    in_python, _ = checkpoint.load(tmp_path / "again" / "run" / "last.safetensors")
    in_cpp, _ = checkpoint.load(back)
    assert in_python["position"].tolist() == in_cpp["position"].tolist()
    nets.assert_close(in_cpp, {name: array for name, array in in_python.items() if "." in name}, 1e-4)


def test_cpp_goes_on_inside_an_epoch(tiny_twin, tmp_path):
    """Where Ctrl-C or a kill stopped Python: the rest of the epoch, with the sum of its losses so far."""
    home = tiny_twin.folder.parent
    digits, settings = load(str(home / "digits"), offline=True), Settings(shuffle=True, seed=3)
    network = Network(architecture.parse("conv2 pool dense4:tanh dense3"), (6, 6, 1))
    network.initialise("he", 1)
    order, total, rates = visiting_order(200, settings, 0), np.zeros(1), np.full(200, 0.05)
    arrays = (digits.x_train[..., None], digits.y_train)
    network.train_steps(*arrays, order[:70], 1, rates[:70], total)
    state = network.tensors() | Position(step_in_epoch=70, step=70, loss_sum=total).tensors()
    checkpoint.save(tmp_path / "w.safetensors", state, {})
    network.train_steps(*arrays, order[70:], 1, rates[70:], total)
    words = ("--optimizer", "sgd", "--batch-size", 1, "--lr", 0.05, "--schedule", "constant", "--shuffle", "--seed", 3)
    words += ("--resume", tmp_path / "w.safetensors", "--epochs", 1, "--out", tmp_path / "w.safetensors")
    shown = tiny_twin("train", "--data", home / "digits", *words)
    assert float(shown.splitlines()[1].split()[8]) == pytest.approx(total[0] / 200, rel=1e-5)
    found, _ = checkpoint.load(tmp_path / "w.safetensors")
    assert found["position"].tolist() == [1, 0, 200]
    nets.assert_close(found, network.tensors(), nets.FLOAT32)


def test_python_loads_what_cpp_writes_and_trains_on(tiny_twin, tmp_path):
    data = tiny_twin.folder.parent / "digits"
    out = tmp_path / "w.safetensors"
    tiny_twin("train", "--data", data, "--epochs", 3, "--lr", 0.02, "--seed", 7, "--out", out)
    model = CNN.load(out)
    tensors, metadata = checkpoint.load(out)
    assert model.network_.params.tobytes() == b"".join(tensors[name].tobytes() for name in model.network_.tensors())
    assert model.classes_.tolist() == [0, 1, 2] and json.loads(metadata["lr"]) == 0.02
    digits = load(str(data), offline=True)
    score = float(tiny_twin("eval", "--data", data, "--weights", out).split()[-1])
    assert 100 * model.score(digits.x_test, digits.y_test) == pytest.approx(score, abs=0.01)
    model.lr = 0.01
    model.partial_fit(digits.x_train, digits.y_train)
    assert model.loss_curve_[0] < 1


@pytest.mark.parametrize("schedule", CHOICES["schedule"])
@pytest.mark.parametrize("epochs", [1, 5, 16])
def test_learning_rates_are_pythons(tiny_twin, schedule, epochs):
    words = ("--schedule", schedule, "--epochs", epochs, "--lr", 0.05, "--limit", 4, "--optimizer", "sgd")
    words += ("--batch-size", 1, "--warm-up", 7)
    shown = tiny_twin("train", "--data", tiny_twin.folder.parent / "digits", *words)
    found = [line.split()[4] for line in shown.splitlines() if line.startswith("Epoch")]
    settings = Settings(schedule=schedule, epochs=epochs, lr=0.05, warm_up=7)
    assert found == [f"{learning_rate(settings, epoch, 4):.6f}" for epoch in range(epochs)]


def test_what_an_epoch_sees_is_what_python_shows_it(tiny_twin, tmp_path):
    """Limited, validation images held out, shuffled, ended early: the same images in the same batches."""
    home = tiny_twin.folder.parent
    recipe = (
        "--limit",
        "150",
        "--val",
        "30",
        "--steps-per-epoch",
        "7",
        "--batch-size",
        "9",
        "--shuffle",
        "--seed",
        "3",
    )
    recipe += ("--lr", "0.1", "--schedule", "constant", "--epochs", "2", "--loss", "mse")
    words = ("--arch", "conv2 pool dense4:tanh", "--init", "he", "--data", str(home / "digits"), "--name", "a")
    words = (*words, "--recipe", "documents")
    assert main(["train", "cnn", *words, *recipe, "--runs-dir", str(tmp_path), "--ui", "quiet"]) == 0
    initial = export("a", tmp_path / "out", "--initial", runs_dir=tmp_path) / "model.safetensors"
    words = ("--data", home / "digits", "--weights", initial, "--optimizer", "sgd")
    shown = tiny_twin("train", *words, *recipe, "--out", tmp_path / "w.safetensors")
    losses = [float(line.split()[8]) for line in shown.splitlines() if line.startswith("Epoch")]
    assert losses == pytest.approx([float(row["train_loss"]) for row in rows(tmp_path / "a")], rel=1e-4)
    found, _ = checkpoint.load(tmp_path / "w.safetensors")
    assert found["position"].tolist() == [2, 0, 14]
    own, _ = checkpoint.load(tmp_path / "a" / "last.safetensors")
    nets.assert_close(found, {name: array for name, array in own.items() if "." in name}, nets.FLOAT32)


def test_a_run_in_cpp_is_a_function_of_its_seed(tiny_twin, tmp_path):
    words = ("train", "--data", tiny_twin.folder.parent / "digits", "--epochs", 2, "--shuffle")
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        tiny_twin(*words, "--seed", seed, "--out", tmp_path / name)
    states = [checkpoint.content_hash(checkpoint.load(tmp_path / name)[0]) for name in "abc"]
    assert states[0] == states[1] != states[2]


@pytest.mark.slow
def test_the_run_of_the_document_ends_where_pythons_does(mnist, tmp_path):
    """Nine epochs on MNIST from the weights the reference run began with: 0.15 points of accuracy."""
    data, files = mnist
    if data.name != "mnist":
        pytest.skip("MNIST is not here")
    folder = export("reference-cnn", tmp_path / "twin", "--initial")
    program = Program(compiled(folder / "main.cpp", folder / "jitnet_cpp", *NATIVE), folder)
    shown = program("train", "--data", files, "--weights", "model.safetensors", "--out", "w.safetensors")
    expected = rows(ROOT / "runs" / "reference-cnn")
    lines = [line.split() for line in shown.splitlines() if line.startswith("Epoch")]
    assert len(lines) == len(expected) == 9
    assert float(lines[-1][-1]) == pytest.approx(float(expected[-1]["test_accuracy"]), abs=0.15)
    for line, row in zip(lines, expected):
        assert float(line[4]) == round(float(row["lr"]), 6)
        assert float(line[8]) == pytest.approx(float(row["train_loss"]), rel=0.03)
