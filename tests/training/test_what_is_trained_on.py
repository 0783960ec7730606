"""What an epoch trains on and reports: its own pictures, its own rates, the weights of its images."""

import dataclasses

import numpy as np
import pytest
from test_training import data, new, settings

from jitnet.events import EpochDone, RunFinished, StepsDone
from jitnet.training import loop, pace
from jitnet.training.augmentation import augmented
from jitnet.training.schedule import learning_rates


def weighted(count: int = 60):
    """Return data whose images have the weights 1 and 3 in turn."""
    return dataclasses.replace(data(count, test=0), weights=np.where(np.arange(count) % 2, 3.0, 1.0))


@pytest.mark.parametrize("seed", [0, 5])
def test_pictures_are_changed_by_the_seed_and_the_epoch(seed):
    trained = new(settings(augment="shift=2,rotate=30", seed=seed, shuffle=True), data(30))
    (images, _), seen = trained.data.train, []
    for trained.position.epoch in (0, 1):
        changed, _, order = trained._epoch_data()
        seen.append(changed)
        wanted = augmented(images, order, "shift=2,rotate=30", seed, trained.position.epoch)
        np.testing.assert_array_equal(changed, wanted)
    assert not np.array_equal(*seen) and not np.array_equal(seen[0], images)


def test_held_out_pictures_are_measured_as_they_are(monkeypatch):
    given, measured = data(30, val=8, test=9), []
    real = loop.evaluate

    def evaluate(network, optimizer, images, *more):
        measured.append(images)
        return real(network, optimizer, images, *more)

    monkeypatch.setattr(loop, "evaluate", evaluate)
    list(new(settings(augment="medium", epochs=1), given).run())
    assert [images is part for images, part in zip(measured, (given.val[0], given.test[0]))] == [True, True]


def test_the_loss_of_an_epoch_is_that_of_its_weighted_images():
    """At a rate that moves nothing, the mean over an epoch is the mean of the weights times the losses."""
    given = weighted()
    alone = []
    for image in range(60):
        one = dataclasses.replace(given, train=tuple(part[image : image + 1] for part in given.train), weights=None)
        alone += [event for event in new(settings(lr=1e-30, epochs=1), one).run() if isinstance(event, EpochDone)]
    for size in (1, 7):
        trained = new(settings(lr=1e-30, epochs=1, batch_size=size), given)
        events = list(trained.run())
        (row,) = (event for event in events if isinstance(event, EpochDone))
        wanted = np.mean(given.weights * [each.train_loss for each in alone])
        assert row.train_loss == pytest.approx(wanted, rel=1e-5)
        calls = [event for event in events if isinstance(event, StepsDone)]
        assert sum(call.call_loss * call.images for call in calls) / 60 == pytest.approx(wanted, rel=1e-5)


def test_each_step_of_weighted_images_has_its_own_rate(monkeypatch):
    taken, real = [], loop.descend

    def descend(network, grad, lr, optimizer):
        taken.append(lr)
        return real(network, grad, lr, optimizer)

    monkeypatch.setattr(loop, "descend", descend)
    monkeypatch.setattr(pace, "CALL_S", 10.0)  # so that no call ends before its epoch
    chosen = settings(batch_size=7, epochs=2, schedule="one-cycle-per-step")
    events = list(new(chosen, weighted()).run())
    assert len([event for event in events if isinstance(event, StepsDone)]) == 2
    np.testing.assert_array_equal(taken, np.concatenate([learning_rates(chosen, epoch, 0, 9, 9) for epoch in (0, 1)]))


@pytest.mark.parametrize("size", [7, 8])
def test_the_loss_so_far_is_the_mean_of_the_images_so_far(monkeypatch, size):
    monkeypatch.setattr(pace, "CALL_S", 1e-9)
    monkeypatch.setattr(pace, "FIRST_CALL_MACS", 1)
    total = images = 0
    for event in new(settings(batch_size=size, epochs=1), data(60)).run():
        if isinstance(event, StepsDone):
            total, images = total + event.images * event.call_loss, images + event.images
            assert event.epoch_loss == pytest.approx(total / images, rel=1e-6)
    assert images == 60


def test_a_run_out_of_time_reports_the_weights_that_it_ended_with(monkeypatch):
    monkeypatch.setattr(pace, "CALL_S", 1e-9)
    monkeypatch.setattr(pace, "FIRST_CALL_MACS", 1)
    given = data(60, val=30, test=40)
    trained = new(settings(lr=0.2, max_minutes=1.0), given)
    times = iter(range(10**6))
    monkeypatch.setattr(loop.Training, "_elapsed", lambda self: 60.0 * (next(times) > 200))
    *_, end = trained.run()
    assert isinstance(end, RunFinished) and len(trained.rows) == 1 and trained.position.step_in_epoch
    for (images, targets), accuracy in ((given.val, end.val_accuracy), (given.test, end.test_accuracy)):
        assert accuracy == pytest.approx(100 * np.mean(trained.network.logits(images).argmax(axis=1) == targets))
    assert (end.val_accuracy, end.test_accuracy) != (trained.rows[0].val_accuracy, trained.rows[0].test_accuracy)


@pytest.mark.parametrize("given", [data(60), weighted()], ids=["in one call", "in parts"])
def test_the_running_accuracy_is_that_of_the_images_that_come_next(monkeypatch, given):
    monkeypatch.setattr(pace, "CALL_S", 1e-9)
    monkeypatch.setattr(pace, "FIRST_CALL_MACS", 1)
    measured = []
    monkeypatch.setattr(loop.RunningAccuracy, "measure", lambda self, places: measured.append(places[:7].tolist()))
    chosen = settings(batch_size=7, epochs=2, shuffle=True)
    list(new(chosen, given).run())
    assert measured == [
        loop.visiting_order(60, chosen, epoch)[step * 7 :][:7].tolist() for epoch in (0, 1) for step in range(9)
    ]
