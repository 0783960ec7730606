"""Losses and optimisers in whole networks: against naive training, central differences, and their own resumes."""

import dataclasses

import naive
import nets
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, central_differences, worst_relative_error

from jitnet import MLP
from jitnet.config import Settings
from jitnet.data.split import Split
from jitnet.errors import InputError
from jitnet.events import Diverged, EpochDone, StepsDone
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.model.optimizer import KINDS, Optimizer
from jitnet.model.scores import score
from jitnet.storage.checkpoint import content_hash
from jitnet.training import loop, pace
from jitnet.training.loop import Training
from jitnet.training.position import Position

SAME = 1e-9  # of the largest number of a tensor, after a few steps of float64
MAKES = [("dense6:tanh dense3", (4, 3, 1), "position"), nets.MAKES[10]]
LOSSES = {"cross-entropy": 0, "mse": 1, "numbers": 1}


def case_of(make, loss, images=11):
    """Return a network with a loss, and its targets: labels, or as many numbers as it has outputs."""
    case = nets.case(make, np.float64, images)
    case.network.loss = "cross-entropy" if loss == "cross-entropy" else "mse"
    if loss == "numbers":
        case.targets = np.random.default_rng(5).standard_normal((images, case.network.classes))
    return case


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("make", MAKES, ids=["mlp", "cnn"])
def test_losses_train_as_naive_ones(make, loss, batch_size):
    case = case_of(make, loss)
    steps = -(-11 // batch_size)
    order, lrs = np.arange(11), np.linspace(0.1, 0.05, steps)
    expected, tensors = naive.train_minibatch(
        case.layers, case.tensors(), case.inputs, case.targets, order, batch_size, lrs, LOSSES[loss]
    )
    done, losses = case.network.train_steps(case.images, case.targets, order, batch_size, lrs, np.zeros(1))
    assert done == steps and np.allclose(losses, expected, rtol=SAME)
    nets.assert_close(case.network.tensors(), tensors, SAME)


@pytest.mark.parametrize("loss", ["mse", "numbers"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_the_gradient_of_a_loss(loss, batch_size):
    """(w - w') / lr against central differences of the naive loss."""
    case = case_of(("dense6:tanh dense5:sigmoid dense3", (4, 3, 1), "position"), loss, batch_size)
    tensors = {name: array.copy() for name, array in case.network.tensors().items()}
    before = {name: array.copy() for name, array in tensors.items()}
    case.network.train_steps(case.images, case.targets, np.arange(batch_size), batch_size, np.array([0.5]), np.zeros(1))
    for name, array in tensors.items():
        expected = central_differences(
            lambda: naive.losses(case.layers, tensors, case.inputs, case.targets, 1).mean(), array
        )
        found = (before[name] - case.network.tensors()[name]) / 0.5
        assert worst_relative_error(found, expected) <= GRADIENT_ERROR, name


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_optimisers_train_as_naive_ones(kind, batch_size, decay, reduction):
    case = nets.case(MAKES[0], np.float64, 11)
    steps = -(-11 // batch_size)
    order, lrs = np.arange(11), np.linspace(0.02, 0.01, steps)
    rule = {"kind": kind, "momentum": 0.8, "decay": decay, "sum": reduction == "sum"}
    expected, tensors = naive.train_minibatch(
        case.layers, case.tensors(), case.inputs, case.targets, order, batch_size, lrs, rule=rule
    )
    optimizer = Optimizer(kind, 0.8, decay, reduction)
    optimizer.start(case.network.params)
    done, losses = case.network.train_steps(case.images, case.targets, order, batch_size, lrs, np.zeros(1), optimizer)
    assert done == steps and np.allclose(losses, expected, rtol=SAME)
    nets.assert_close(case.network.tensors(), tensors, SAME)


@pytest.mark.parametrize("kind", ["momentum", "adam"])
def test_a_bad_state_is_never_a_success(kind):
    case = nets.case(MAKES[0], np.float32, 4)
    optimizer = Optimizer(kind)
    optimizer.start(case.network.params)
    optimizer.first[3] = np.nan
    done, _ = case.network.train_steps(case.images, case.targets, np.arange(4), 4, np.zeros(1), np.zeros(1), optimizer)
    assert done == -1


def given(regression=False) -> Split:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (60, 4, 3, 1)).astype(np.uint8)
    y = rng.integers(0, 3, 60).astype(np.uint8)
    if regression:
        x = rng.standard_normal((60, 1, 5, 1)).astype(np.float32)
        y = x[:, 0, :2, 0].sum(axis=1, keepdims=True)
    return Split("made", (x[:40], y[:40]), (x[:0], y[:0]), (x[40:], y[40:]), 4.0 if regression else 1.0)


def new(settings: Settings, data: Split, **options) -> Training:
    outputs = "dense1" if data.train[1].ndim == 2 else "dense3"
    layers = parse(f"{settings.architecture} {outputs}")
    network = Network(layers, data.train[0].shape[1:], loss=settings.loss, kernels=settings.kernels)
    network.initialise(settings.init, settings.seed)
    return Training(network, settings, data, **options)


@pytest.mark.parametrize("kernels", ["fast", "simple"])
@pytest.mark.parametrize("batch_size", [1, 7, 0])
@pytest.mark.parametrize("kind", KINDS)
def test_any_snapshot_goes_on_to_the_same_end(monkeypatch, kind, batch_size, kernels):
    """The optimiser's state and its count of updates are part of a checkpoint. 0: several calls for each batch."""
    monkeypatch.setattr(pace, "CALL_S", 1e-9)
    monkeypatch.setattr(pace, "FIRST_CALL_MACS", 1)
    monkeypatch.setattr(loop, "PART", 16)
    chosen = Settings(
        architecture="dense6", init="he", lr=0.01, epochs=2, batch_size=batch_size, optimizer=kind, weight_decay=0.01,
        kernels=kernels,
    )  # fmt: skip
    whole = new(chosen, given())
    snapshots = [event.snapshot() for event in whole.run() if isinstance(event, StepsDone | EpochDone)]
    end = content_hash(whole.tensors())
    assert len(snapshots) >= 4
    for tensors in snapshots[:: max(1, len(snapshots) // 4)]:
        rest = new(chosen, given(), position=Position.from_tensors(tensors, "here"))
        rest.network.load_tensors(tensors, "here")
        assert not any(isinstance(event, Diverged) for event in rest.run())
        assert content_hash(rest.tensors()) == end


def test_a_checkpoint_of_another_optimiser_is_refused():
    adam = new(Settings(architecture="dense6", epochs=1, optimizer="adam", lr=0.01), given())
    *_, last = (event for event in adam.run() if isinstance(event, EpochDone))
    with pytest.raises(InputError, match="state of the optimizer 'momentum'"):
        new(
            Settings(architecture="dense6", epochs=2, optimizer="momentum"),
            given(),
            position=Position.from_tensors(last.snapshot(), "here"),
        )


def test_an_epoch_may_end_after_some_steps():
    chosen = Settings(architecture="dense6", epochs=2, batch_size=8, steps_per_epoch=3, shuffle=True, lr=0.1)
    trained = new(chosen, given())
    events = list(trained.run())
    rows = [event for event in events if isinstance(event, EpochDone)]
    assert [row.step for row in rows] == [3, 6]
    calls = [event for event in events if isinstance(event, StepsDone)]
    assert sum(call.images for call in calls) == 48
    first = [call for call in calls if call.epoch == 0]
    assert rows[0].train_loss == pytest.approx(sum(call.call_loss * call.images for call in first) / 24)
    assert new(chosen.replace(steps_per_epoch=100), given()).steps_per_epoch == 5


def test_regression_learns_and_reports_in_the_targets_unit():
    chosen = Settings(
        network="table", architecture="dense16:tanh", epochs=60, lr=0.01, optimizer="adam", batch_size=8, init="lecun",
        target="y", schedule="constant",
    )  # fmt: skip
    assert chosen.loss == "mse"
    trained = new(chosen, given(regression=True))
    *_, last = (event for event in trained.run() if isinstance(event, EpochDone))
    x, y = trained.data.test
    found = trained.network.logits(x)
    assert last.test_accuracy is None and last.test_loss == pytest.approx(4 * np.mean((found - y) ** 2), rel=1e-6)
    assert last.test_loss < 0.5 and np.var(y) > 1.0


def test_the_score_of_the_softmax():
    logits, targets = np.random.default_rng(0).standard_normal((5, 4)), np.arange(5) % 4
    wanted = naive.output_loss(1, logits, targets, np.arange(5), 1)[0].mean()
    assert score(logits, targets, "mse") == (pytest.approx(wanted), 100.0 * np.mean(logits.argmax(axis=1) == targets))


@pytest.mark.parametrize("kind", KINDS)
def test_bits_do_not_depend_on_the_length_of_calls(monkeypatch, kind):
    chosen = Settings(architecture="dense6", init="he", lr=0.01, epochs=2, batch_size=4, optimizer=kind)
    ends = set()
    for seconds, macs in ((10.0, 1e9), (1e-9, 1)):
        monkeypatch.setattr(pace, "CALL_S", seconds)
        monkeypatch.setattr(pace, "FIRST_CALL_MACS", macs)
        trained = new(chosen, given())
        list(trained.run())
        ends.add(content_hash(trained.tensors()))
    assert len(ends) == 1


@pytest.mark.filterwarnings("ignore:the network has learnt nothing")  # the labels are random
@pytest.mark.parametrize("kind", KINDS)
def test_partial_fits_remember_what_the_optimiser_does(kind):
    """Two of them are the two epochs of a fit, to the bit."""
    options = {
        "optimizer": kind,
        "lr": 0.01,
        "schedule": "constant",
        "init": "he",
        "batch_size": 8,
        "activation": "tanh",
    }
    x, y = given().train
    whole = MLP((6,), epochs=2, **options).fit(x, y)
    parts = MLP((6,), **options).partial_fit(x, y).partial_fit(x, y)
    assert np.array_equal(whole.network_.params, parts.network_.params)


def test_every_loss_is_in_the_targets_unit():
    found = []
    for data in (given(regression=True), dataclasses.replace(given(regression=True), unit=1.0)):
        chosen = Settings(architecture="dense6", epochs=2, batch_size=8, target="y")
        events = list(new(chosen, dataclasses.replace(data, val=data.test)).run())
        calls = [(event.call_loss, event.epoch_loss) for event in events if isinstance(event, StepsDone)]
        epochs = [(row.train_loss, row.val_loss, row.test_loss) for row in events if isinstance(row, EpochDone)]
        found.append(np.concatenate([np.ravel(calls), np.ravel(epochs)]))
    np.testing.assert_allclose(found[0], 4 * found[1])
