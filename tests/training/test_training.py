"""The loop: its events, and that its result depends on settings, seed and data alone."""

import dataclasses
import itertools
import re

import numpy as np
import pytest

from jitnet.config import Settings
from jitnet.data.dataset import Dataset
from jitnet.data.split import Split, split
from jitnet.errors import InputError
from jitnet.events import Advised, Compiling, Diverged, EpochDone, Progress, RunFinished, StepsDone
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.storage.checkpoint import content_hash
from jitnet.training import loop, pace
from jitnet.training.loop import Training, visiting_order
from jitnet.training.position import Position

MASK = 2**64 - 1


def settings(**changes) -> Settings:
    values = {"architecture": "conv2 pool dense4", "epochs": 3, "lr": 0.1, "init": "he", "bias": "channel"}
    return Settings(**values | changes)


def data(train: int = 60, val: int = 0, test: int = 20) -> Split:
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 256, (3, 6, 6, 1))

    def made(count):
        labels = rng.integers(0, 3, count).astype(np.uint8)
        return np.clip(drawn[labels] + rng.normal(0, 60, (count, 6, 6, 1)), 0, 255).astype(np.uint8), labels

    return Split("made", made(train), made(val), made(test))


def new(chosen: Settings, given: Split, **options) -> Training:
    network = Network(parse(f"{chosen.architecture} dense3"), (6, 6, 1), chosen.bias)
    network.initialise(chosen.init, chosen.seed)
    return Training(network, chosen, given, **options)


def events_of(chosen: Settings, given: Split | None = None) -> list:
    return list(new(chosen, given or data()).run())


def outcome(chosen: Settings, given: Split) -> tuple:
    trained = new(chosen, given)
    epochs = [event for event in trained.run() if isinstance(event, EpochDone)]
    return content_hash(trained.tensors()), [(row.train_loss, row.test_loss, row.test_accuracy) for row in epochs]


def test_events_in_order_and_nothing_printed(capfd):
    events = events_of(settings(), data(val=10))
    kinds = [kind for kind, _ in itertools.groupby(type(event) for event in events if not isinstance(event, Advised))]
    # Labels are random, so there may be advice.
    steps = 3 * [StepsDone, Progress, EpochDone]
    assert kinds == [Compiling, *steps, RunFinished]
    rows = [event for event in events if isinstance(event, EpochDone)]
    assert [row.epoch for row in rows] == [0, 1, 2] and [row.step for row in rows] == [60, 120, 180]
    assert events[-1].test_accuracy == rows[-1].test_accuracy and events[-1].val_accuracy == rows[-1].val_accuracy
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("recipe", [{}, {"batch_size": 7}, {"shuffle": True}, {"batch_size": 13, "shuffle": True}])
def test_calls_of_any_length_give_the_same_bits(monkeypatch, recipe):
    chosen, given = settings(**recipe), data()
    wanted = outcome(chosen, given)
    for seconds, macs in ((1e-9, 1), (1e-9, 1e6), (1e-5, 1e5), (10.0, 1)):
        monkeypatch.setattr(pace, "CALL_S", seconds)
        monkeypatch.setattr(pace, "FIRST_CALL_MACS", macs)
        assert outcome(chosen, given) == wanted


def test_short_calls_are_short(monkeypatch):
    monkeypatch.setattr(pace, "CALL_S", 1e-9)
    monkeypatch.setattr(pace, "FIRST_CALL_MACS", 1)
    events = events_of(settings(epochs=1))
    calls = [event for event in events if isinstance(event, StepsDone)]
    assert [call.step_in_epoch for call in calls] == list(range(1, 61))
    assert calls[-1].epoch_loss == pytest.approx(np.mean([call.call_loss for call in calls]), rel=1e-12)
    assert next(event for event in events if isinstance(event, EpochDone)).train_loss == calls[-1].epoch_loss


@pytest.mark.parametrize("recipe", [{}, {"batch_size": 7, "shuffle": True}, {"batch_size": 0}])
def test_any_snapshot_goes_on_to_the_same_end(monkeypatch, recipe):
    monkeypatch.setattr(pace, "CALL_S", 1e-9)
    monkeypatch.setattr(pace, "FIRST_CALL_MACS", 1e5)
    chosen, given = settings(**recipe), data()
    whole = new(chosen, given)
    snapshots, losses = [], []
    for event in whole.run():
        if isinstance(event, StepsDone | EpochDone):
            snapshots.append(event.snapshot())
        if isinstance(event, EpochDone):
            losses.append(event.train_loss)
    for tensors in snapshots:
        rest = new(chosen, given, position=Position.from_tensors(tensors, "here"))
        rest.network.load_tensors(tensors, "here")
        rest_losses = [event.train_loss for event in rest.run() if isinstance(event, EpochDone)]
        assert content_hash(rest.tensors()) == content_hash(whole.tensors())
        assert rest_losses == losses[len(losses) - len(rest_losses) :]


def test_the_loss_is_summed_in_float64_image_after_image(monkeypatch):
    monkeypatch.setattr(pace, "CALL_S", 1e-9)
    monkeypatch.setattr(pace, "FIRST_CALL_MACS", 1)
    trained = new(settings(epochs=1), data())
    total = 0.0
    for event in trained.run():
        if isinstance(event, StepsDone):
            total += event.call_loss
            assert event.snapshot()["loss_sum"][0] == total


def splitmix64(x: int) -> int:
    z = (x + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


@pytest.mark.parametrize(("seed", "epoch"), [(0, 0), (0, 1), (1, 0), (2**63 - 1, 7), (12345, 1000)])
def test_the_shuffle_is_that_of_splitmix64(seed, epoch):
    key = splitmix64((splitmix64(seed) + epoch) & MASK)
    order = sorted(range(1000), key=lambda i: splitmix64((key + i) & MASK))
    assert visiting_order(1000, settings(shuffle=True, seed=seed), epoch).tolist() == order


def test_the_first_numbers_of_the_shuffle():
    assert splitmix64(0) == 0xE220A8397B1DCDAF  # the generator's published first output
    assert visiting_order(8, settings(shuffle=True), 0).tolist() == [4, 0, 1, 7, 6, 2, 5, 3]


def test_each_image_once_an_epoch_and_epochs_differ():
    orders = [visiting_order(500, settings(shuffle=True), epoch).tolist() for epoch in range(5)]
    assert all(sorted(order) == list(range(500)) for order in orders)
    assert len({tuple(order) for order in orders}) == 5
    assert visiting_order(500, settings(), 3).tolist() == list(range(500))


def dataset(train: int = 50) -> Dataset:
    x = np.arange(train * 4, dtype=np.uint8).reshape(train, 2, 2)
    y = np.arange(train, dtype=np.uint8) % 3
    return Dataset("made", x, y, x[:5], y[:5], 3, "here", "0")


def test_validation_images_are_the_last_and_never_trained_on():
    parts = split(dataset(), settings(limit=40, val=10))
    assert len(parts.train[0]) == 30 and len(parts.val[0]) == 10 and len(parts.test[0]) == 5
    assert not {image.tobytes() for image in parts.train[0]} & {image.tobytes() for image in parts.val[0]}
    assert np.array_equal(parts.val[0][..., 0], dataset().x_train[30:40])
    assert parts.train[0].shape == (30, 2, 2, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"limit": 51}, "--limit is 51"), ({"val": 50}, "--val is 50"), ({"limit": 10, "val": 10}, "--val is 10")],
)
def test_splits_that_leave_nothing_are_refused(changes, said):
    with pytest.raises(InputError, match=said):
        split(dataset(), settings(**changes))


def test_validation_does_not_change_what_is_learnt_from_the_rest():
    given = data(train=60, val=15)
    without = dataclasses.replace(given, val=data().val)
    assert outcome(settings(), given)[0] == outcome(settings(), without)[0]


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"position": np.zeros(3, np.int64)},
        {"position": np.zeros(2, np.int64), "loss_sum": np.zeros(1)},
        {"position": np.zeros(3), "loss_sum": np.zeros(1)},
        {"position": np.array([0, -1, 0]), "loss_sum": np.zeros(1)},
        {"position": np.zeros(3, np.int64), "loss_sum": np.zeros(2)},
        {"position": np.zeros(3, np.int64), "loss_sum": np.zeros(1, np.float32)},
    ],
)
def test_positions_that_are_none_are_refused(tensors):
    with pytest.raises(InputError, match=r"here holds no (position|sum)"):
        Position.from_tensors(tensors, "here")


def test_a_position_beyond_the_epoch_is_refused():
    with pytest.raises(InputError, match="step 61 of an epoch"):
        new(settings(), data(), position=Position(step_in_epoch=61))


@pytest.mark.parametrize("batch_size", [1, 7, 0])
def test_a_loss_that_is_not_finite_ends_it(batch_size):
    events = events_of(settings(lr=1e30, schedule="constant", batch_size=batch_size))
    end = events[-1]
    assert isinstance(end, Diverged) and re.search("is not finite|loss is (nan|inf)", end.message)
    assert end.epoch == 0 and not any(isinstance(event, EpochDone | RunFinished) for event in events)


@pytest.mark.parametrize("batch_size", [1, 7, 0])
@pytest.mark.parametrize("name", ["conv1.weight", "conv1.bias", "dense1.weight", "dense2.bias"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_divergence_names_step_rate_and_layer(batch_size, name, bad):
    """Found in the call in which it arises, which is the first."""
    trained = new(settings(batch_size=batch_size, lr=0.125, schedule="constant"), data())
    trained.network.tensors()[name].reshape(-1)[0] = bad
    *before, end = trained.run()
    assert isinstance(end, Diverged) and not any(isinstance(event, StepsDone) for event in before)
    named = "" if bad == -np.inf else f"{name})"  # after ReLU it is silent, and spreads before the call's end
    assert f"(epoch 1, learning rate 0.125, first seen in {named}" in end.message and f"step {end.step} " in end.message


def test_finite_parameters_whose_outputs_overflow_are_named():
    trained = new(settings(), data())
    trained.network.tensors()["dense1.weight"][...] = 1e38
    trained.network.tensors()["dense1.weight"][:, ::2] = -1e38
    *_, end = trained.run()
    assert isinstance(end, Diverged) and re.search(r"first seen in dense[12]'s outputs\)", end.message), end.message


def test_a_test_loss_that_is_not_finite_ends_it():
    chosen = settings(lr=1e30, schedule="constant", batch_size=0)  # one step: a finite loss, then huge parameters
    *before, end = events_of(chosen)
    assert isinstance(end, Diverged) and "the test loss is nan" in end.message
    assert all(
        np.isfinite(array).all()
        for event in before
        if isinstance(event, StepsDone)
        for array in event.snapshot().values()
    )


@pytest.mark.parametrize(
    ("rate", "said"), [(1e30, "the loss is (nan|inf)"), (np.finfo(np.float32).max, "a parameter is not finite")]
)
def test_a_divergence_in_batches_of_several_parts(monkeypatch, rate, said):
    monkeypatch.setattr(loop, "PART", 8)
    *before, end = events_of(settings(lr=float(rate), schedule="constant", batch_size=20, reduction="sum"))
    assert isinstance(end, Diverged) and re.search(said, end.message), end.message
    assert [event.images for event in before if isinstance(event, Progress) and event.epoch == 0][:3] == [8, 16, 20]
