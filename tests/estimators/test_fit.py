"""What `fit` keeps and reports: the best epoch, how long it waits, the weights, the units of its losses."""

import numpy as np
import pytest

from jitnet import MLP, MLPRegressor
from jitnet.events import EpochDone
from jitnet.recipes.rules import epochs_for

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::jitnet.errors.LearningWarning"),  # few epochs at odd rates
]
RNG = np.random.default_rng(0)
Y = np.arange(90) % 3
X = np.clip(RNG.integers(0, 256, (3, 6, 6))[Y] + RNG.normal(0, 60, (90, 6, 6)), 0, 255).astype(np.uint8)
ROWS = RNG.normal(50, 20, (90, 3))
TARGET = 1000 + 3 * ROWS[:, 0] - ROWS[:, 1] + RNG.normal(0, 5, 90)


def classifier(weights=None, **options):
    return MLP((8,), **options).fit(X, Y, weights)


def regressor(target=TARGET, **options):
    return MLPRegressor((8,), **options).fit(ROWS, target)


def params(model):
    return model.network_.params.tobytes()


def test_weights_of_images_and_of_their_classes_are_multiplied():
    weights, of_classes = np.where(np.arange(90) < 45, 2.0, 1.0), {0: 1.0, 1: 3.0, 2: 1.0}
    both = classifier(weights, class_weight=of_classes, epochs=2)
    assert params(both) == params(classifier(weights * np.where(Y == 1, 3.0, 1.0), epochs=2))
    assert params(both) not in (params(classifier(weights, epochs=2)), params(classifier(epochs=2)))


@pytest.mark.parametrize("lr", [1e-30, 0.01])
@pytest.mark.parametrize("smoothed", [0.0, 0.2])
def test_the_first_of_the_best_epochs_predicts(lr, smoothed):
    """At a rate that changes nothing all epochs are equally good; smoothed labels have sharper scores in each."""
    options = {"lr": lr, "label_smoothing": smoothed, "val": 30, "schedule": "constant"}
    model = classifier(epochs=6, early_stopping=True, patience=2, **options)
    results = [(row.val_accuracy, -row.val_loss) for row in model.history_]
    best = results.index(max(results))
    assert model.n_iter_ == min(6, best + 3) and (len(set(results)) == 1) == (lr < 1e-5)
    assert params(model) == params(classifier(epochs=best + 1, **options))


def test_it_waits_for_ten_epochs_unless_another_patience_is_given():
    still = {"lr": 1e-30, "epochs": 14, "early_stopping": True, "val": 30, "schedule": "constant"}
    assert classifier(**still).n_iter_ == 11 and classifier(patience=3, **still).n_iter_ == 4


def test_epochs_are_counted_by_the_images_that_are_trained_on():
    model = MLP((8,), val=45, on_event=lambda event: isinstance(event, EpochDone)).fit(X, Y)
    assert model.n_iter_ == 1 and model.settings_.epochs == epochs_for(45) != epochs_for(90)


def test_a_regressor_keeps_the_epoch_of_the_lowest_loss():
    noise = RNG.normal(size=90)
    options = {"lr": 0.05, "val": 30, "schedule": "constant"}
    model = regressor(noise, epochs=60, early_stopping=True, patience=3, **options)
    best = int(np.argmin(model.validation_loss_curve_))
    assert model.n_iter_ == best + 4 < 60
    assert params(model) == params(regressor(noise, epochs=best + 1, **options))


def test_losses_of_a_regressor_are_in_the_square_of_the_targets_unit():
    model = regressor(epochs=2, val=30)
    left = (model.predict(ROWS[60:]) - TARGET[60:]) ** 2
    assert model.validation_loss_curve_[-1] == pytest.approx(left.mean(), rel=1e-5)
    larger = regressor(1000 * TARGET, epochs=2, val=30)
    assert larger.loss_curve_ == pytest.approx([1e6 * loss for loss in model.loss_curve_], rel=1e-3)


def test_a_weighted_accuracy_is_that_of_repeated_images():
    model, times = classifier(epochs=1), np.where(Y == 2, 3, 1)
    plain, weighted = model.score(X, Y), model.score(X, Y, times)
    assert weighted == pytest.approx(model.score(X.repeat(times, axis=0), Y.repeat(times))) != pytest.approx(plain)


def test_rows_of_weight_0_are_left_out_of_the_scales_too():
    taken = np.arange(90) % 9 > 0
    rows, target = np.where(taken[:, None], ROWS, 1e6), np.where(taken, TARGET, -1e6)
    model = MLPRegressor((8,), epochs=3).fit(rows, target, taken.astype(float))
    alone = MLPRegressor((8,), epochs=3).fit(rows[taken], target[taken])
    assert params(model) == params(alone) and (model.predict(ROWS) == alone.predict(ROWS)).all()
