"""The moving average of the weights: its equation, exact resumes, and every place that says which weights it uses."""

import json

import numpy as np
import pytest
from commands import digits, jitnet, refusal, result, rows, settle, train

from jitnet.cli import main
from jitnet.config import Settings
from jitnet.data.split import Split
from jitnet.errors import InputError
from jitnet.events import EpochDone, StepsDone
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.model.optimizer import AVERAGE, Optimizer
from jitnet.run.trained import open_trained
from jitnet.storage import checkpoint
from jitnet.training import pace
from jitnet.training.averaging import averaged, descend, follow_each
from jitnet.training.glimpses import first_filters
from jitnet.training.loop import Training
from jitnet.training.position import Position

DECAY = "0.9"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


def started(decay: float, kernels: str = "fast", kind: str = "sgd") -> tuple[Network, Optimizer]:
    network, optimizer = Network(parse("dense5 dense3"), (2, 2, 1), kernels=kernels), Optimizer(kind, average=decay)
    network.initialise("he", 1)
    optimizer.start(network.params)
    return network, optimizer


@pytest.mark.parametrize("kernels", ["fast", "simple"])
@pytest.mark.parametrize("size", [1, 4])
def test_the_average_is_its_equation_and_training_does_not_see_it(kernels, size):
    rng = np.random.default_rng(0)
    images, targets = rng.integers(0, 256, (40, 2, 2, 1)).astype(np.uint8), rng.integers(0, 3, 40).astype(np.uint8)
    network, optimizer = started(0.7, kernels, "adam")
    plain, own = started(0.0, kernels, "adam")
    expected, lrs, lost = np.float64(network.params), np.full(10, 0.05), np.zeros(1)

    def train(order, rates, network=network, optimizer=optimizer):
        return network.train_steps(images, targets, order, size, rates, lost, optimizer)

    done, losses = follow_each(train, np.arange(10 * size), size, lrs, network, optimizer)
    for t in range(10):
        batch = np.arange(t * size, (t + 1) * size)
        _, loss = train(batch, lrs[:1], plain, own)
        d = min(0.7, (2 + t) / (11 + t))
        expected = d * expected + (1 - d) * plain.params
        assert loss[0] == losses[t]
    assert done == 10 and np.array_equal(network.params, plain.params)
    assert np.allclose(optimizer.average, expected, rtol=1e-5, atol=1e-6) and own.average.size == 0
    descend(network, np.ones_like(network.params), 0.1, optimizer)
    d = min(0.7, 12 / 21)
    assert np.allclose(optimizer.average, d * expected + (1 - d) * network.params, rtol=1e-5, atol=1e-6)


def test_a_network_has_the_average_for_a_while_only():
    network, optimizer = started(0.5)
    own, optimizer.average[:] = network.params.copy(), 3
    with pytest.raises(ZeroDivisionError), averaged(network, optimizer):
        assert (network.params == 3).all()
        raise ZeroDivisionError
    assert np.array_equal(network.params, own)


def test_a_loss_that_is_not_finite_ends_it_at_its_step():
    network, optimizer = started(0.5)
    network.params[:] = 1e30
    images, targets = np.full((3, 2, 2, 1), 255, np.uint8), np.zeros(3, np.uint8)

    def train(order, rates):
        return network.train_steps(images, targets, order, 1, rates, np.zeros(1), optimizer)

    done, _ = follow_each(train, np.arange(3), 1, np.full(3, 1e30), network, optimizer)
    assert done in (-1, 0)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--batch-size", "7", "--optimizer", "adam", "--label-smoothing", "0.1", "--augment", "light"),
        ("--batch-size", "0", "--optimizer", "momentum"),
        ("--kernels", "simple", "--dropout", "0.3", "--batch-size", "16", "--label-smoothing", "0.2"),
    ],
)
def test_a_resume_gives_the_same_bits(folder, words):
    words = ("--ema", DECAY, "--schedule", "constant", "--val", "40", *words)
    whole, pieces = train("whole", *words, epochs=3), train("pieces", *words, epochs=1)
    assert main(["resume", str(pieces), "--epochs", "3", "--ui", "quiet"]) == 0
    assert result(pieces) == result(whole)
    assert Settings.from_toml(whole / "config.toml").ema == 0.9


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_run_that_dies_inside_an_epoch_ends_with_the_same_bits(monkeypatch, optimizer):
    """Each state that a checkpoint can hold, while calls take one step: what a SIGKILL leaves on the disk is one."""
    monkeypatch.setattr(pace, "FIRST_CALL_MACS", 0)
    monkeypatch.setattr(pace, "CALL_S", 0.0)
    rng = np.random.default_rng(1)
    images, targets = rng.integers(0, 256, (18, 2, 2, 1)).astype(np.uint8), rng.integers(0, 3, 18).astype(np.uint8)
    data = Split("", (images, targets), (images[:0], targets[:0]), (images, targets))
    settings = Settings(optimizer=optimizer, epochs=2, batch_size=4, ema=0.7, lr=0.05, warm_up=7, shuffle=True)

    def begun(state=None):
        network, _ = started(0.0)
        if state is not None:
            network.load_tensors(state, "state")
        return Training(network, settings, data, Position.from_tensors(state, "state") if state is not None else None)

    whole, states = begun(), []
    for event in whole.run():
        if isinstance(event, StepsDone):
            states.append(whole.tensors())
    assert [int(state["position"][2]) for state in states] == list(range(1, 11))  # 5 steps an epoch
    for state in states:
        again = begun(state)
        for _ in again.run():
            pass
        assert checkpoint.content_hash(again.tensors()) == checkpoint.content_hash(whole.tensors())


def test_other_threads_give_the_same_bits(folder):
    words = ("train", "cnn", "--arch", "conv2 pool dense4", "--recipe", "modern", "--data", "digits", "--epochs", "2")
    words += ("--ema", DECAY, "--label-smoothing", "0.1", "--batch-size", "16", "--ui", "quiet")
    for threads in ("1", "2"):
        done = jitnet(folder, *words, "--name", threads, "--threads", threads, NUMBA_NUM_THREADS="2")
        assert done.returncode == 0, done.stderr
    assert result(folder / "runs" / "1") == result(folder / "runs" / "2")


def test_the_rows_and_the_best_checkpoint_are_those_of_the_average(folder, capsys):
    run = train("run", "--ema", DECAY, "--val", "40")
    best, last = (checkpoint.load(run / f"{kind}.safetensors")[0] for kind in ("best", "last"))
    assert AVERAGE in best and AVERAGE in last
    found = {}
    for weights in ("averaged", "raw"):
        capsys.readouterr()
        assert main(["eval", "run", "--weights", weights, "--json"]) == 0
        found[weights] = json.loads(capsys.readouterr().out)
        assert found[weights]["model"]["weights"] == weights
    assert (
        f"{found['averaged']['loss']:.9f}"
        == f"{float(rows(run)[-1]['test_loss']):.9f}"
        != f"{found['raw']['loss']:.9f}"
    )


def test_every_command_says_which_weights_it_uses(folder, capsys):
    train("run", "--ema", DECAY)
    network = {weights: open_trained("run", weights=weights).network.params for weights in ("averaged", "raw", None)}
    assert np.array_equal(network["averaged"], network[None]) and (network["raw"] != network[None]).any()
    image = folder / "image.npy"
    np.save(image, np.random.default_rng(0).integers(0, 256, (6, 6)).astype(np.uint8))
    commands = [
        ("eval", "run"),
        ("predict", "run", str(image)),
        ("export", "weights", "run", "--out", "weights.npz"),
        ("export", "onnx", "run", "--out", "model.onnx"),
        ("export", "hub", "run", "--out", "hub"),
        ("export", "cpp", "run", "--out", "cpp"),
    ]
    for command in commands:
        for words, named in (((), "averaged"), (("--weights", "averaged"), "averaged"), (("--weights", "raw"), "raw")):
            capsys.readouterr()
            assert main([*command, *words]) == 0
            assert f"{named} weights" in " ".join(capsys.readouterr().out.split()), command
    exported, _ = checkpoint.load("cpp/model.safetensors")
    raw = open_trained("run", weights="raw").network.tensors()
    assert not any(name.startswith("optimizer.") for name in exported)
    assert all(np.array_equal(exported[name], array) for name, array in raw.items())


def test_a_run_without_an_average_has_none_to_choose(folder, capsys):
    train("run")
    assert "has no averaged weights" in refusal(capsys, "eval", "run", "--weights", "averaged")
    assert main(["eval", "run", "--weights", "raw"]) == 0
    assert "weights" not in capsys.readouterr().out
    assert "from 0 to less than 1" in refusal(capsys, "train", "cnn", "--ema", "1")


def test_an_average_of_another_network_is_refused(folder):
    run = train("run", "--ema", DECAY)
    tensors, texts = checkpoint.load(run / "last.safetensors")
    checkpoint.save(run / "last.safetensors", tensors | {AVERAGE: tensors[AVERAGE][:-1]}, texts)
    with pytest.raises(InputError, match="averaged weights of another network"):
        open_trained(run, kind="last")


def test_an_epoch_shows_the_averaged_weights_too():
    rng = np.random.default_rng(1)
    images, targets = rng.integers(0, 256, (18, 2, 2, 1)).astype(np.uint8), rng.integers(0, 3, 18).astype(np.uint8)
    network, _ = started(0.0)
    data = Split("", (images, targets), (images[:0], targets[:0]), (images, targets))
    training = Training(network, Settings(epochs=1, ema=0.99, lr=0.5, schedule="constant", recipe="modern"), data)
    (row,) = (event for event in training.run() if isinstance(event, EpochDone))
    assert row.filters != first_filters(network)
    with averaged(network, training.optimizer):
        assert row.filters == first_filters(network)
        assert row.sample_predictions == tuple(network.logits(images).argmax(axis=1).tolist())
