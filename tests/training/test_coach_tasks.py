"""What the coach compares with: the loss of guessing, the usual rate; and which figures and words its advice has."""

import numpy as np
import pytest
from sample_run import epoch_done, steps

from jitnet.config import Settings
from jitnet.events import Advised
from jitnet.machine.load import OtherPrograms
from jitnet.model.scores import score
from jitnet.recipes.rules import rate_for
from jitnet.training.coach import Coach, Task, advise, advise_early, advise_of_machine, task_of
from jitnet.training.pace import Pace

LABELS = np.array([0] * 6 + [1] * 3 + [3] * 3)  # class 2 has none


def modern(**changes):
    return Settings(recipe="modern", **{"epochs": 10, "init": "he"} | changes)


def task(guessing=2.0, largest=25.0, **changes):
    return Task(guessing, largest, modern(**changes), 32)


def rows(*losses, **figures):
    held = dict.fromkeys(("val_loss", "val_accuracy", "test_loss", "test_accuracy"))
    return [epoch_done(n, step=n, lr=1.0, train_loss=loss, **held | figures) for n, loss in enumerate(losses)]


def kind_of(found):
    return found.kind if found else ""


@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
def test_guessing_is_the_loss_of_the_shares_of_the_classes(loss):
    shares = np.bincount(LABELS) / len(LABELS)
    scores = np.log(np.maximum(shares, 1e-300))[None].repeat(len(LABELS), axis=0)
    found = task_of(modern(loss=loss), LABELS, 32)
    assert found.guessing == pytest.approx(score(scores, LABELS, loss)[0]) and found.largest == pytest.approx(50.0)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_usual_rate_is_that_of_the_batch_its_reduction_and_the_optimizer(reduction):
    for optimizer in ("sgd", "adam"):
        made = task_of(modern(batch_size=0, reduction=reduction, optimizer=optimizer), LABELS, 128)
        assert made.usual_rate == rate_for("modern", "", optimizer, 128, reduction)


def test_nothing_is_stuck_inside_an_epoch_while_the_rate_is_still_low():
    made, stuck = task(lr=0.1), [2.0] * 4
    assert kind_of(advise_early(stuck, [0.06, 0.08, 0.1, 0.1], 300, made)) == "stuck"
    assert advise_early(stuck, [0.04, 0.08, 0.1, 0.1], 300, made) is None
    assert advise_early([1.9] * 4, [0.1] * 4, 300, made) is None  # it is below that of guessing


@pytest.mark.parametrize(("loss", "kind"), [(2.09, "stuck"), (2.11, ""), (1.97, "stuck"), (1.95, "")])
def test_a_loss_is_stuck_close_to_that_of_guessing(loss, kind):
    assert kind_of(advise_early([loss], [0.1], 300, task(lr=0.1))) == kind


def test_the_newest_twenty_calls_decide_inside_an_epoch():
    coach = Coach(task(lr=0.1), Pace((1,), 1.0))
    for number in range(40):
        event = steps(0, 300 + number, step=300 + number, lr=0.1, call_loss=9.0 if number < 19 else 2.0)
        assert [found.kind for found in coach.after_call(event)] == (["stuck"] if number == 38 else [])


def test_the_second_half_of_the_plan_is_late():
    for planned, kind in ((4, "stuck"), (5, "")):
        assert kind_of(advise(rows(2.0, 2.0), task(epochs=planned), ended=False)) == kind


def test_numbers_have_learnt_something_below_the_loss_of_guessing_and_classes_clearly_below():
    for loss, kind in ((1.99, "stuck"), (2.0, "learnt nothing")):
        assert kind_of(advise(rows(loss, loss), task(), ended=True)) == kind
    for loss, kind in ((1.97, "learnt nothing"), (1.95, "")):
        assert kind_of(advise(rows(loss, loss, test_accuracy=30.0), task(), ended=True)) == kind


def test_test_images_say_whether_something_is_learnt_where_there_are_some():
    for test, val, kind in ((30.0, 60.0, "learnt nothing"), (60.0, 30.0, ""), (None, 60.0, "")):
        found = advise(rows(2.0, 2.0, test_accuracy=test, val_accuracy=val), task(), ended=True)
        assert kind_of(found) == kind


@pytest.mark.parametrize("figures", [{"test_accuracy": 40.0}, {"test_accuracy": 40.0, "val_accuracy": 40.0}])
def test_one_answer_is_named_with_the_images_that_it_is_for(figures):
    table = ((0, 0, 3), (0, 0, 4), (0, 0, 5))
    found = advise(rows(1.0, 0.9, confusion=table, **figures), task(), ended=False)
    assert found is None
    found = advise(rows(*[1.0] * 6, confusion=table, **figures), task(), ended=False)
    assert found.kind == "one class" and "class 2 for all 12 test images so far" in found.message
    found = advise(rows(1.0, 0.9, confusion=table, val_accuracy=40.0), task(), ended=True)
    assert found.kind == "learnt nothing" and "class 2 for all 12 validation images" in found.message


@pytest.mark.parametrize("table", [((3, 4), (0, 0)), ((0, 3), (0, 0)), ((0, 3), (1, 0))])
def test_images_of_one_class_may_have_one_answer(table):
    assert advise(rows(1.0, 0.9, 0.89, confusion=table, test_accuracy=60.0), task(), ended=True) is None


@pytest.mark.parametrize(
    ("losses", "options", "words"),
    [
        ((2.1, 2.06, 2.0), {}, "it still falls"),
        ((2.02, 2.01, 2.0), {}, "look at the labels"),  # it hardly falls
        ((2.0, 2.0), {"init": "normal"}, "the initial weights (normal) are small"),
        ((2.0, 2.0), {"lr": 1e-5}, "is too low: try lr 0.002"),
        ((2.0, 2.0), {}, "look at the labels"),
        ((2.2, 2.2), {}, "is too high: try lr 0.0002"),
        ((2.0, 2.0), {"lr": 0.5}, "is too high: try lr 0.002"),
    ],
)
def test_what_to_try_against_a_loss_like_that_of_guessing(losses, options, words):
    assert words in advise(rows(*losses), task(**{"lr": 0.002} | options), ended=True).message


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ((0.5, 0.3, 0.35, 0.41), "the training loss rises, to 0.41"),  # from its smallest value
        ((2.0, 2.3), "the training loss stays at 2.3"),
    ],
)
def test_a_rate_is_high_where_the_loss_rises_or_stays(losses, words):
    made = rows(*losses, test_accuracy=60.0)
    found = advise(made, task(lr=0.002), ended=True)
    assert found.kind == "rate too high" and words in found.message
    falling = rows(*losses[:-1], losses[-2] - 0.01, test_accuracy=60.0)
    assert kind_of(advise(falling, task(lr=0.002), ended=True)) != "rate too high"


@pytest.mark.parametrize(("others", "busy"), [(2.4, False), (2.6, True)])
def test_a_machine_is_busy_where_half_a_core_too_many_is_wanted(others, busy):
    assert bool(advise_of_machine(2, (2,), 4, others)) == busy


def test_the_last_advice_of_a_run_is_given_once_more_and_alone(monkeypatch):
    monkeypatch.setattr(OtherPrograms, "cores", lambda self: 99.0)
    coach = Coach(task(), Pace((2,), 1.0))
    first, again, end = (list(coach.after_epoch(rows(*[2.0] * 6), ended=ended)) for ended in (False, False, True))
    assert [found.kind for found in first] == ["stuck", "machine busy"] and again == []
    assert [found.kind for found in end] == ["learnt nothing"] and all(isinstance(each, Advised) for each in first)
