"""What Python programs expect: weights, early stopping, listeners that stop, what is inside, regressors."""

import pickle

import numpy as np
import pytest

import jitnet
from jitnet import CNN, MLP, CNNRegressor, Conv, Dense, MLPRegressor, Pool
from jitnet.errors import InputError
from jitnet.events import EpochDone

pytestmark = pytest.mark.usefixtures("one_thread")
RNG = np.random.default_rng(0)
Y = np.arange(90) % 3
X = np.clip(RNG.integers(0, 256, (3, 6, 6))[Y] + RNG.normal(0, 60, (90, 6, 6)), 0, 255).astype(np.uint8)


def fitted(weights=None, **options):
    return MLP((8,), **{"epochs": 3} | options).fit(X, Y, sample_weight=weights)


def params(model):
    return model.network_.params.tobytes()


def test_an_epoch_is_printed_in_a_few_lines():
    assert len(repr(fitted(val=9).history_[-1])) < 600


def test_weights_that_are_equal_are_none_and_zeros_leave_images_out():
    assert params(fitted(np.full(90, 7.0))) == params(fitted()) == params(fitted(class_weight={0: 1, 1: 1, 2: 1}))
    half = np.arange(90) < 45
    assert params(fitted(half * 2.0)) == params(MLP((8,), epochs=3).fit(X[half], Y[half]))


def test_a_weight_multiplies_the_loss_of_its_image():
    """One full-batch step of plain SGD: the change is the weighted mean of the images' own changes."""
    plain = {"epochs": 1, "optimizer": "sgd", "schedule": "constant", "lr": 0.1, "batch_size": 0}
    weights = np.where(Y == 1, 3.0, 1.0)
    start = MLP((8,), **plain | {"lr": 1e-30}).fit(X, Y).network_.params.astype(np.float64)
    change = fitted(weights, **plain).network_.params - start
    alone = [MLP((8,), **plain).fit(X, Y, np.where(k == Y, 1.0, 1e-12)).network_.params - start for k in range(3)]
    wanted = np.average(alone, axis=0, weights=[1, 3, 1])
    np.testing.assert_allclose(change, wanted, atol=1e-5)
    assert params(fitted(weights)) == params(fitted(class_weight={1: 3.0})) != params(fitted())


@pytest.mark.parametrize(
    ("weights", "said"),
    [(np.ones(5), r"shape \(5,\)"), (-np.ones(90), "negative"), (np.zeros(90), "zeros alone"), ("many", "numbers")],
)
def test_weights_that_are_refused(weights, said):
    with pytest.raises(InputError, match=said):
        fitted(weights)
    with pytest.raises(InputError, match="names the label 9"):
        fitted(class_weight={9: 1.0})


def test_early_stopping_keeps_the_best_parameters():
    model = fitted(epochs=60, early_stopping=True, patience=3, lr=0.05, schedule="constant")
    best = max(row.val_accuracy for row in model.history_)
    assert model.n_iter_ <= 60 and model.settings_.val == 9
    held = slice(81, 90)
    assert 100 * model.score(X[held], Y[held]) == pytest.approx(best)


@pytest.mark.parametrize("end", ["true", "stop"])
def test_listeners_may_stop(end):
    def listen(event):
        if isinstance(event, EpochDone) and event.epoch == 1:
            if end == "true":
                return True
            raise StopIteration
        return None

    seen = []
    assert fitted(epochs=30, on_event=[seen.append, listen]).n_iter_ == 2 and seen
    with pytest.raises(InputError, match="on_event is 3"):
        fitted(on_event=3)


def test_what_is_inside():
    model = CNN((Conv(2), Pool(), Dense(4, "tanh")), epochs=2).fit(X, Y)
    maps = model.feature_maps(X[:5])
    assert {name: each.shape for name, each in maps.items()} == {
        "conv1": (5, 6, 6, 2), "pool1": (5, 3, 3, 2), "dense1": (5, 4), "dense2": (5, 3)
    }  # fmt: skip
    np.testing.assert_allclose(model.transform(X[:5]), maps["dense1"], atol=1e-5)
    np.testing.assert_allclose(model.network_.logits(X[:5, ..., None]), maps["dense2"], atol=1e-4)
    assert "conv2 pool dense4:tanh dense3" in model.summary() and repr(model.summary()) == str(model.summary())
    assert repr(model).startswith("CNN(architecture=(Conv(filters=2,") and repr(model).endswith("), epochs=2)")
    assert repr(MLP((4,), lr=0.1)) == "MLP(hidden=(4,), lr=0.1)"
    assert "<svg" in model._repr_html_() and "not trained yet" in CNN()._repr_html_()
    assert pickle.loads(pickle.dumps(model)).predict(X).tolist() == model.predict(X).tolist()


def test_verbose_writes_a_line_per_epoch(capsys):
    fitted(verbose=1)
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("Epoch") == 3
    fitted(verbose=0)
    assert capsys.readouterr() == ("", "")


def test_regressors_learn_numbers_and_stop_by_their_loss(tmp_path):
    rows = RNG.normal(50, 20, (200, 3))
    target = 1000 + 3 * rows[:, 0] - rows[:, 1]
    model = MLPRegressor((16,), epochs=60).fit(rows, target)
    assert model.score(rows, target) > 0.95
    model.save(tmp_path / "m.safetensors")
    assert np.array_equal(jitnet.load(tmp_path / "m.safetensors").predict(rows), model.predict(rows))
    stopped = MLPRegressor((16,), epochs=200, early_stopping=True, patience=2, lr=0.05).fit(rows, RNG.normal(size=200))
    assert stopped.n_iter_ < 200
    dark = (X * np.linspace(0, 1, 90)[:, None, None]).astype(np.uint8)
    bright = dark.mean(axis=(1, 2))
    assert CNNRegressor("conv8 pool dense16", epochs=60).fit(dark, bright).score(dark, bright) > 0.8


def test_the_package_lists_its_names():
    assert set(jitnet.__all__) <= set(dir(jitnet)) and all(getattr(jitnet, name) for name in jitnet.__all__)


@pytest.mark.parametrize(
    ("x", "y"), [(X, np.eye(3)[Y]), (X, Y[:5]), (X.astype(float) * np.nan, Y), (X[:, None], Y), (X, Y * 0)]
)
def test_a_fit_that_is_refused_leaves_the_estimator_as_it_was(x, y):
    model = fitted()
    before, answers = params(model), model.predict(X)
    with pytest.raises(InputError):
        model.fit(x, y)
    assert params(model) == before and model.n_iter_ == 3 and (model.predict(X) == answers).all()
    fresh = MLP((8,))
    with pytest.raises(InputError):
        fresh.fit(x, y)
    assert not hasattr(fresh, "network_")
