"""What the events of a training say: rates, times, losses and places, each of what was done since the last one."""

import dataclasses
import math

import numpy as np
import pytest
from test_recipes import given as numbers
from test_recipes import new as new_of_numbers
from test_training import data, new, settings

from jitnet.config import Settings
from jitnet.events import Diverged, EpochDone, Progress, RunFinished, StepsDone, Warned
from jitnet.model.inference import images_of_call
from jitnet.training import loop, pace
from jitnet.training.averaging import follow_each
from jitnet.training.evaluation import evaluate
from jitnet.training.position import Position


@pytest.fixture
def short_calls(monkeypatch):
    monkeypatch.setattr(pace, "CALL_S", 1e-9)
    monkeypatch.setattr(pace, "FIRST_CALL_MACS", 1)


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize(("steps", "images"), [(3, 21), (0, 60), (100, 60)])
def test_a_rate_counts_the_images_that_were_trained_on(steps, images):
    (row,) = of_kind(new(settings(batch_size=7, steps_per_epoch=steps, epochs=1), data()).run(), EpochDone)
    assert row.images_per_s * row.train_s == pytest.approx(images)


def test_the_time_to_change_pictures_is_part_of_the_training(monkeypatch):
    clock = iter(range(10**6))
    monkeypatch.setattr(loop.time, "perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr(loop, "augmented", lambda images, *rest: [next(clock) for _ in range(1000)] and images)
    trained = new(settings(augment="light"), data())
    trained._epoch_data()
    assert trained.position.train_s > 1000


def test_a_pause_is_no_time_of_the_run():
    trained = new(settings(), data())
    before = trained._elapsed()
    trained.leave_out(1000.0)
    assert trained._elapsed() < before - 900


def test_notes_of_the_data_are_given_once_and_not_by_a_resume():
    noted = dataclasses.replace(data(), notes=("sorted",))
    trained = new(settings(epochs=1), noted)
    assert [event.message for event in of_kind(trained.run(), Warned)] == ["sorted"]
    again = new(settings(), noted, position=Position.from_tensors(trained.tensors(), "here"))
    assert not of_kind(again.run(), Warned)


def test_parts_of_a_batch_are_counted_up_to_its_own_images(monkeypatch):
    monkeypatch.setattr(loop, "PART", 8)
    events = of_kind(new(settings(batch_size=20, epochs=1), data(50, test=0)).run(), Progress)
    batch = [(8, 20), (16, 20), (20, 20)]
    assert [(event.images, event.total) for event in events] == [*batch, *batch, (8, 10), (10, 10)]


@pytest.mark.parametrize("options", [{}, {"ema": 0.5}, {"batch_size": 4}], ids=["one by one", "average", "batches"])
def test_a_divergence_is_at_the_step_whose_loss_is_not_finite(monkeypatch, options):
    monkeypatch.setattr(pace, "FIRST_CALL_MACS", 1e12)
    given = data(60)
    images = np.float32(given.train[0]) * 0
    images[40] = 1e30
    trained = new(settings(lr=1e-30, **options), dataclasses.replace(given, train=(images, given.train[1])))
    trained.network.params[:] = np.abs(trained.network.params) * 1e20
    *_, end = trained.run()
    assert isinstance(end, Diverged) and "the loss is" in end.message
    assert end.step == 40 // trained.batch_size and f"at step {end.step} " in end.message


def test_a_divergence_in_parts_is_at_its_step(monkeypatch):
    given = data(60, test=0)
    images = np.float32(given.train[0]) * 0
    images[40] = 1e30
    weighted = dataclasses.replace(given, train=(images, given.train[1]), weights=np.arange(60) % 2 + 1.0)
    monkeypatch.setattr(pace, "CALL_S", 10.0)
    trained = new(settings(lr=1e-30, batch_size=4), weighted)
    trained.network.params[:] = np.abs(trained.network.params) * 1e20
    *_, end = trained.run()
    assert isinstance(end, Diverged) and end.step == 10 and "the loss is" in end.message


def test_a_validation_loss_that_is_not_finite_ends_it():
    given = data(20, val=5)
    held = np.float32(given.val[0])
    held[2] = np.nan
    *_, end = new(settings(epochs=1), dataclasses.replace(given, val=(held, given.val[1]))).run()
    assert isinstance(end, Diverged) and "the validation loss is nan" in end.message


@pytest.mark.parametrize(("val", "test", "counted"), [(8, 9, 9), (8, 0, 8), (0, 9, 9)])
def test_confusions_are_those_of_test_images_or_else_of_validation_images(val, test, counted):
    (row,) = of_kind(new(settings(epochs=1), data(30, val, test)).run(), EpochDone)
    assert np.sum(row.confusion) == counted
    share = 100 * np.trace(row.confusion) / counted
    assert share == pytest.approx(row.test_accuracy if test else row.val_accuracy)


def test_calls_report_the_rate_of_their_last_step():
    chosen = settings(batch_size=7, epochs=1, schedule="cosine-per-step")
    calls = of_kind(new(chosen, data()).run(), StepsDone)
    rates = loop.learning_rates(chosen, 0, 0, 9, 9)
    assert [call.lr for call in calls] == [rates[call.step - 1] for call in calls]


@pytest.mark.usefixtures("short_calls")
@pytest.mark.parametrize("last", [3, 12, 99])
def test_a_regression_ends_with_the_error_of_its_last_weights(monkeypatch, last):
    """Also where the time is over inside an epoch, of 5 steps here, whose weights are not those of the last row."""
    chosen = Settings(architecture="dense4", epochs=3, target="y", batch_size=8, lr=0.05, max_minutes=1.0)
    monkeypatch.setattr(loop.Training, "_elapsed", lambda self: 60.0 * (self.position.step >= last))
    trained = new_of_numbers(chosen, numbers(regression=True))
    *_, end = trained.run()
    x, y = trained.data.test
    wanted = math.sqrt(trained.data.unit * np.mean((trained.network.logits(x) - y) ** 2))
    assert isinstance(end, RunFinished) and len(trained.rows) == min(3, last // 5)
    assert end.test_rmse == pytest.approx(wanted) and end.test_accuracy is None


def test_a_network_has_its_own_weights_whenever_an_event_of_an_evaluation_is_seen():
    trained = new(settings(ema=0.5), data())
    network, optimizer = trained.network, trained.optimizer
    size = images_of_call(network)
    images, targets = data(size * 2 + 5).train
    own = network.params.copy()
    optimizer.average[:] = 0
    steps = evaluate(network, optimizer, images, targets, 3)
    seen = []
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            assert end.value[0] == pytest.approx(math.log(3))
            break
        assert np.array_equal(network.params, own) and (event.epoch, event.total) == (3, len(images))
        seen.append(event.images)
    assert seen == [size, 2 * size, len(images)]


@pytest.mark.parametrize(("bad", "found"), [(0, 5), (-1, -1)])
def test_steps_with_an_average_end_as_the_step_that_failed(bad, found):
    trained = new(settings(ema=0.5), data())

    def train(order, rates):
        return (bad if order[0] == 5 else 1), np.full(1, float(order[0]))

    done, losses = follow_each(train, np.arange(8), 1, np.ones(8), trained.network, trained.optimizer)
    assert done == found and losses.tolist() == [0, 1, 2, 3, 4, 5, 0, 0]


def test_the_coach_knows_the_batch_and_the_unit_and_which_epoch_is_the_last(monkeypatch):
    made, ends, real = [], [], loop.task_of
    monkeypatch.setattr(loop, "task_of", lambda *given: made.append(real(*given)) or made[-1])
    monkeypatch.setattr(loop.Coach, "after_epoch", lambda self, rows, *, ended: ends.append((len(rows), ended)) or ())
    data = numbers(regression=True)
    list(new_of_numbers(Settings(architecture="dense4", epochs=3, target="y", batch_size=0), data).run())
    assert (made[0].batch_size, made[0].guessing) == (40, pytest.approx(4 * data.train[1].var(), rel=1e-6))
    assert ends == [(1, False), (2, False), (3, True)]
