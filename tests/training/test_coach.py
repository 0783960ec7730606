"""The coach: each advice is provoked by a training that deserves it, and not given to one that does not."""

import dataclasses
import subprocess
import sys
import warnings

import numpy as np
import pytest

from jitnet import MLP
from jitnet.config import Settings
from jitnet.errors import LearningWarning
from jitnet.events import Advised, EpochDone
from jitnet.machine import load, threads
from jitnet.training import coach
from jitnet.training.coach import advise, advise_early, advise_of_machine, task_of

pytestmark = pytest.mark.usefixtures("one_thread")
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 4, 300)
X = (RNG.normal(0, 1, (4, 10))[Y] + RNG.normal(0, 0.5, (300, 10))).astype(np.float32)
NOISE = RNG.integers(0, 4, 300)


def trained(y=Y, hidden=(16,), **options):
    """Train and return the kinds of advice in turn, and the model."""
    events = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLP(hidden, on_event=events.append, **options).fit(X, y)
    return [event.kind for event in events if isinstance(event, Advised)], model


DESERVED = {
    "learnt nothing": {"recipe": "documents", "epochs": 3, "lr": 1e-7, "val": 60},
    "one class": {"recipe": "documents", "epochs": 4, "lr": 1e-3, "val": 60, "schedule": "constant", "y": Y // 3},
    "stuck": {"recipe": "documents", "epochs": 3, "lr": 1e-6},
    "rate too high": {"optimizer": "sgd", "lr": 60.0, "epochs": 6, "schedule": "constant", "activation": "tanh"},
    "rate too low": {"lr": 1e-5, "epochs": 4, "schedule": "constant"},
    "overfitting": {"y": NOISE, "hidden": (200,), "epochs": 25, "val": 100, "lr": 0.01, "schedule": "constant"},
    "still improving": {"optimizer": "sgd", "lr": 0.02, "epochs": 3, "schedule": "constant"},
}


@pytest.mark.parametrize("kind", DESERVED)
def test_a_training_that_deserves_it_is_advised(kind):
    kinds, model = trained(**DESERVED[kind])
    assert kind in kinds, (kinds, model.loss_curve_)


def test_a_good_training_is_not_advised():
    kinds, model = trained(val=60)
    assert kinds == [] and model.score(X, Y) > 0.95 and model.advice_ == ""


@pytest.mark.parametrize(
    ("kind", "cure"),
    [
        ("learnt nothing", {"lr": None, "recipe": "modern"}),
        ("one class", {"lr": None, "recipe": "modern", "schedule": None}),
        ("stuck", {"lr": None, "recipe": "modern"}),
        ("rate too high", {"lr": 0.05}),
        ("rate too low", {"lr": None}),
        ("overfitting", {"y": Y, "hidden": (16,), "lr": None, "schedule": None}),
        ("still improving", {"epochs": 60, "lr": 0.1}),
    ],
)
def test_what_the_advice_says_is_a_cure(kind, cure):
    kinds, _ = trained(**DESERVED[kind] | cure)
    assert kind not in kinds


def test_each_kind_is_said_once_while_training_and_the_last_at_the_end():
    events = []
    with pytest.warns(LearningWarning, match="learnt nothing"):
        model = MLP((8,), recipe="documents", epochs=9, lr=1e-7, val=60, on_event=events.append).fit(X, Y)
    said = [event for event in events if isinstance(event, Advised)]
    assert len({event.kind for event in said[:-1]}) == len(said) - 1
    assert said[-1].kind == coach.NOTHING and model.advice_ == said[-1].message
    assert events.index(said[0]) < events.index(next(e for e in events if isinstance(e, EpochDone) and e.epoch == 5))


def test_a_busy_machine_is_said_once(monkeypatch):
    import numba

    monkeypatch.setattr(load.OtherPrograms, "cores", lambda self: 2.0)
    assert "machine busy" not in trained(epochs=3, val=60)[0]  # one thread waits for none
    if numba.config.NUMBA_NUM_THREADS > 1:
        numba.set_num_threads(2)
        monkeypatch.setattr(coach.os, "cpu_count", lambda: 2)
        monkeypatch.setattr(threads, "_requested", True)  # a number that nothing changes
        assert trained(epochs=3, val=60)[0].count("machine busy") == 1


def test_when_a_machine_is_busy():
    assert "one thread may be faster" in advise_of_machine(2, (2,), 2, 1.0).message
    assert "uses 1 of 4 threads, which is faster" in advise_of_machine(1, (1, 2, 3, 4), 8, 5.0).message
    quiet = [(1, (1,), 2, 2.0), (2, (2,), 2, 0.2), (2, (2,), 8, 4.0), (2, (2,), 2, 0.0), (1, (1, 2), 8, 1.0)]
    assert not any(advise_of_machine(*case) for case in [*quiet, (2, (1, 2), 2, 1.0)])  # two are faster all the same


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measured by /proc/stat")
def test_other_programs_are_measured(monkeypatch):
    monkeypatch.setattr(load, "_LEAST_S", 0.5)
    others = load.OtherPrograms()
    assert others.cores() == 0  # too soon
    subprocess.run([sys.executable, "-c", "import time; e = time.time() + 1\nwhile time.time() < e: pass"], check=True)
    assert others.cores() > 0.2


def row(epoch, **figures):
    base = dict.fromkeys(("val_loss", "val_accuracy", "test_loss", "test_accuracy"))
    times = dict.fromkeys(("train_s", "eval_s", "images_per_s", "elapsed_s"), 0.0)
    return EpochDone(epoch=epoch, step=epoch, snapshot=dict, **{"lr": 0.1} | base | times | figures)


def test_advice_is_a_function_of_the_history_alone():
    """Nothing but the rows and the task decides: rising held-out losses, only after they have fallen."""
    model = MLP()
    task = task_of(model._settings(), Y, 32)
    assert advise([], task, ended=True) is None
    rows = [row(n, train_loss=1 / (n + 1), val_loss=loss) for n, loss in enumerate([1.0, 0.5, 0.6, 0.7, 0.8])]
    assert advise(rows, task, ended=False).kind == "overfitting"
    assert "since epoch 2 the validation loss has risen from 0.5 to 0.8" in advise(rows, task, ended=False).message
    assert advise(rows[:3], task, ended=False) is None
    peak = [*rows[:3], row(3, train_loss=0.1, val_loss=0.52), row(4, train_loss=0.1, val_loss=0.8)]
    assert advise(peak, task, ended=False) is None
    regression = dataclasses.replace(task_of(task.settings, np.eye(3), 32), largest=0.0)
    assert regression.guessing == pytest.approx(2 / 9)


@pytest.mark.parametrize("targets", [np.array([0, 0, 0, 1, 2]), np.array([[1.0], [1.0], [1.0], [5.0], [7.0]])])
@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
def test_the_loss_of_guessing_is_that_of_the_weighted_targets(targets, loss):
    """A weight of 3 is three such images, for every loss, and accuracies count images."""
    settings, weights = Settings(loss=loss), np.array([1.0, 1.0, 1.0, 3.0, 2.0])
    weighted = task_of(settings, targets, 32, weights=weights)
    repeated = task_of(settings, np.repeat(targets, [1, 1, 1, 3, 2], axis=0), 32)
    assert weighted.guessing == pytest.approx(repeated.guessing)
    assert weighted.largest == task_of(settings, targets, 32).largest


def test_a_rise_in_the_first_half_of_the_plan_has_to_last():
    task = task_of(MLP(epochs=30)._settings(), Y, 32)
    rows = [row(n, train_loss=1 / (n + 1), val_loss=loss) for n, loss in enumerate([1.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.8])]
    assert advise(rows, task, ended=True).kind == advise(rows, task, ended=False).kind == "overfitting"
    assert advise(rows[:6], task, ended=True).kind == "overfitting" and advise(rows[:6], task, ended=False) is None


FALLING, FLAT = (1.8, 1.6, 1.5), (1.5, 1.6, 1.5)  # training losses; that of guessing is about 1.39


@pytest.mark.parametrize(
    ("losses", "figures", "options", "advice"),
    [
        (FALLING, {}, {}, "it still falls: try more epochs"),
        (FALLING, {"val_loss": 1.4}, {"patience": 2, "val": 9}, "it still falls: try a larger patience"),
        (FALLING, {}, {"lr": 60.0}, "too high: try lr 0.002"),
        (FLAT, {"lr": 0.0001}, {}, "it ended in the warm-up, before the learning rate was lr 0.002: try more epochs"),
        (FLAT, {}, {}, "too high: try lr 0.0002"),
        (FLAT, {"val_loss": 1.0}, {}, ""),  # no accuracy, as of a regression: the held-out loss shows it
        (FLAT, {"val_loss": 1.3}, {}, "learnt nothing"),
        (FLAT, {"val_loss": 1.4, "val_accuracy": 60.0}, {}, ""),
    ],
)
def test_a_loss_like_that_of_guessing_has_the_remedy_that_its_curve_suggests(losses, figures, options, advice):
    task = task_of(MLP(epochs=30, **options)._settings(), Y, 32)
    rows = [row(n, train_loss=loss, **figures) for n, loss in enumerate(losses)]
    found = advise(rows, task, ended=True)
    assert (advice in found.message) if advice else found is None, found


def test_a_rate_is_not_judged_by_the_first_steps():
    rows = [row(n, train_loss=loss) for n, loss in enumerate((3.0, 4.0))]
    task = task_of(MLP(epochs=30)._settings(), Y, 32)
    assert advise(rows, task, ended=False) is None
    later = [dataclasses.replace(each, step=300) for each in rows]
    assert advise(later, task, ended=False).kind == "rate too high"


def test_small_initial_weights_get_an_epoch_before_they_are_called_stuck():
    """The documents' MLP on MNIST stays at the loss of guessing for 53,000 images, and then learns."""
    model = MLP(recipe="documents")
    task = task_of(model._settings(), np.arange(10), 1)
    assert advise_early([2.3026] * 20, [task.settings.lr] * 20, 50_000, task) is None
    patient = dataclasses.replace(task, settings=dataclasses.replace(task.settings, init="he"))
    assert advise_early([2.3026] * 20, [task.settings.lr] * 20, 300, patient).kind == "stuck"
    assert advise_early([2.3026] * 20, [task.settings.lr] * 20, 299, patient) is None
    first = {"train_loss": 2.2663, "test_loss": 1.839, "confusion": np.eye(10, dtype=int).tolist()}
    task = dataclasses.replace(task, settings=dataclasses.replace(task.settings, epochs=2))
    assert advise([row(0, **first, test_accuracy=32.17)], task, ended=False) is None
    assert advise([row(0, **first, test_accuracy=9.8)], task, ended=False).kind == "stuck"


def test_guessing_a_number_is_answering_the_mean_in_its_unit():
    target = RNG.normal(3, 7, (90, 1))
    scaled = (target - target.mean()) / target.std()
    assert task_of(MLP()._settings(), scaled, 32, target.var()).guessing == pytest.approx(target.var())
