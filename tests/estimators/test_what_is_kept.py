"""What an estimator has after `fit`: its settings, its advice, its history; and what it shows and stores of them."""

import re
import warnings

import numpy as np
import pytest

import jitnet
from jitnet import CNN, MLP, CNNRegressor, Conv, Dense, MLPRegressor
from jitnet.errors import DivergedError, InputError, LearningWarning
from jitnet.estimators import estimator as estimators
from jitnet.estimators import insight
from jitnet.estimators.watching import Watchers
from jitnet.events import Advised, EpochDone
from jitnet.model.network import Network
from jitnet.training.coach import BUSY

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::jitnet.errors.LearningWarning"),
]
RNG = np.random.default_rng(0)
Y = np.arange(60) % 3
X = np.clip(RNG.integers(0, 256, (3, 6, 6))[Y] + RNG.normal(0, 60, (60, 6, 6)), 0, 255).astype(np.uint8)


def mlp(**options):
    return MLP((8,), **{"epochs": 1} | options)


def test_held_out_images_are_those_that_are_given_or_a_tenth_for_early_stopping():
    found = [mlp(**options)._held_out() for options in ({}, {"val": 7}, {"val": 0.3}, {"early_stopping": True})]
    assert found == [0, 7, 0.3, 0.1] and mlp(val=7, early_stopping=True)._held_out() == 7
    model = mlp(val=0.3, epochs=None, on_event=lambda event: isinstance(event, EpochDone)).fit(X, Y)
    assert model.settings_.val == 18 and model.settings_.epochs > 1


def test_features_are_the_numbers_of_an_image():
    model = mlp().fit(np.repeat(X[..., None], 3, axis=3), Y)
    assert model.n_features_in_ == 108 and MLPRegressor(epochs=1).fit(X[:, 0], Y).n_features_in_ == 6


def test_names_of_an_earlier_table_are_forgotten():
    class Table:
        columns = ("a", "b", "c", "d", "e", "f")

        def __array__(self, dtype=None, copy=None):
            return X[:, 0].astype(float) / 255

    for model in (mlp(), MLPRegressor((4,), epochs=1)):
        assert model.fit(Table(), Y).feature_names_in_.tolist() == list("abcdef")
        assert not hasattr(model.fit(X[:, 0] / 255, Y), "feature_names_in_")


class Scripted:
    """A training that gives these events and learns nothing."""

    events = ()

    def __init__(self, network, settings, data, position=None):
        real = estimators_training(network, settings, data, position)
        self.__dict__.update(real.__dict__)

    def run(self):
        yield from self.events


estimators_training = estimators.Training


def advised(monkeypatch, *events):
    """Return the advice that is kept and given by a fit with these events."""
    monkeypatch.setattr(estimators, "Training", Scripted)
    monkeypatch.setattr(estimators, "describe", lambda *given, **more: events[-1])
    monkeypatch.setattr(Scripted, "events", events)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = mlp().fit(X, Y)
    return model.advice_, [str(each.message) for each in caught if each.category is LearningWarning]


def test_the_advice_of_a_fit_is_that_after_its_last_epoch(monkeypatch):
    (row,) = mlp().fit(X, Y).history_
    stuck, low, busy = (Advised(kind=kind, message=kind) for kind in ("stuck", "low", BUSY))
    assert advised(monkeypatch, stuck, row, low) == ("low", ["low"])
    assert advised(monkeypatch, row, stuck, row) == ("", [])
    assert advised(monkeypatch, row, stuck, busy) == ("stuck", [BUSY, "stuck"])


def test_every_listener_hears_every_event_and_only_true_ends_the_training():
    heard = []
    listeners = [lambda event: True, heard.append, lambda event: heard.append(event) or 1]
    with Watchers(mlp(on_event=listeners, verbose=0)) as watchers:
        assert watchers.tell("a") is True and heard == ["a", "a"]
    with Watchers(mlp(on_event=listeners[1:], verbose=0)) as watchers:
        assert watchers.tell("b") is False and heard == ["a", "a", "b", "b"]


def test_listeners_hear_the_events_that_are_written_too(capsys):
    heard = []
    mlp(verbose=1, on_event=heard.append).fit(X, Y)
    assert sum(isinstance(event, EpochDone) for event in heard) == 1 and "Epoch" in capsys.readouterr().err
    with pytest.raises(InputError, match="verbose is -1: expected None, 0 or 1"):
        mlp(verbose=-1).fit(X, Y)


def test_a_partial_fit_that_diverges_leaves_the_history_as_it_was():
    model = mlp(batch_size=8, optimizer="sgd", lr=0.01).partial_fit(X, Y).partial_fit(X, Y)
    before, rows = model.network_.params.copy(), list(model.history_)
    model.set_params(
        lr=1e30, on_event=lambda event: model.history_.append(rows[0]) if len(model.history_) < 4 else None
    )
    with pytest.raises(DivergedError):
        model.partial_fit(X, Y)
    assert model.history_ == rows and np.array_equal(model.network_.params, before)


def test_each_partial_fit_has_the_order_of_its_own_epoch():
    options = {"shuffle": True, "batch_size": 8, "schedule": "constant", "lr": 0.01}
    parts = mlp(**options)
    for _ in range(3):
        parts.partial_fit(X, Y)
    assert np.array_equal(parts.network_.params, mlp(**options | {"epochs": 3}).fit(X, Y).network_.params)


def cells(html):
    return dict(re.findall(r"<th[^>]*>([^<]*)</th><td[^>]*>([^<]*)</td>", html))


def test_a_notebook_shows_the_last_epoch_and_no_markup_of_others():
    model = mlp(epochs=9, val=20, on_event=lambda event: isinstance(event, EpochDone) and event.epoch == 1).fit(X, Y)
    model.advice_ = "<b>less</b> & more"
    found, last = cells(model._repr_html_()), model.history_[-1]
    assert found["epochs"] == "2" and found["training loss"] == f"{last.train_loss:.4g}"
    assert found["validation accuracy"] == f"{last.val_accuracy:.2f} %" and found["val"] == "20"
    assert found["advice"] == "&lt;b&gt;less&lt;/b&gt; &amp; more"
    assert found["network"] == "dense8 dense3" and found["parameters of the network"] == "323"


def test_curves_of_a_notebook_begin_at_epoch_1(monkeypatch):
    drawn = {}
    monkeypatch.setattr(insight, "plot", lambda title, curves: drawn.update({title: curves}) or "")
    model = mlp(epochs=2, val=20).fit(X, Y)
    model._repr_html_()
    assert drawn["loss"]["training"] == list(zip((1, 2), model.loss_curve_))
    assert drawn["loss"]["validation"] == list(zip((1, 2), model.validation_loss_curve_))
    assert drawn["accuracy %"]["validation"] == [(row.epoch + 1, row.val_accuracy) for row in model.history_]


def test_a_summary_adds_up_one_image_and_has_no_softmax_of_a_number():
    text = MLP((5,)).summary((4, 3, 1), 2)
    assert text.splitlines()[-1].split() == ["total", "77", "70"] and "softmax" in text
    assert "softmax" not in MLPRegressor((5,)).summary((4, 3, 1), 1)


@pytest.mark.parametrize("bias", ["position", "channel"])
@pytest.mark.parametrize("architecture", ["", "conv2", "conv2 pool conv3", "conv2 dense4:tanh", "dense5 dense4:gelu"])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_features_are_the_outputs_of_the_last_hidden_layer(architecture, bias, kind):
    network = Network(jitnet.model.architecture.parse(f"{architecture} dense3"), (5, 4, 2), bias)
    network.params[:] = RNG.normal(size=network.params.size)
    images = RNG.integers(0, 256, (6, 5, 4, 2)).astype(kind)
    found = insight.last_hidden(network, images)
    maps = insight.feature_maps(network, images)
    wanted = maps[network.shapes[-2].name] if architecture else images / (255 if kind is np.uint8 else 1)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted.reshape(6, -1), rtol=1e-3, atol=1e-3 * np.abs(wanted).max())


@pytest.mark.parametrize(
    ("given", "outputs", "warned"), [((Conv(2), Dense(3)), 3, True), ((Dense(4),), 3, False), ((Conv(3),), 3, False)]
)
def test_an_output_layer_that_is_given_is_mentioned(given, outputs, warned):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CNN(given)._build((6, 6, 1), outputs)
    assert ["leave the output layer out" in str(each.message) for each in caught] == [True] * warned


@pytest.mark.parametrize(
    ("architecture", "kinds"),
    [
        ("dense4:tanh dense3:tanh", (MLP, MLPRegressor)), ("", (MLP, MLPRegressor)), ("dense4", (MLP, MLPRegressor)),
        ("dense4:tanh dense3", (CNN, CNNRegressor)), ("conv2 dense3", (CNN, CNNRegressor)),
    ],
)  # fmt: skip
def test_a_network_is_opened_as_the_simplest_estimator_that_it_fits(tmp_path, architecture, kinds):
    for make, kind, target in zip((CNN, CNNRegressor), kinds, (Y, Y * 1.0)):
        model = make(architecture, epochs=1).fit(X, target)
        model.save(tmp_path / "m.npz")
        back = jitnet.load(tmp_path / "m.npz")
        assert type(back) is kind and np.array_equal(back.predict(X), model.predict(X))
        assert repr(back).endswith(", epochs=1)") and isinstance(back.history_, list)
        assert not hasattr(back, "feature_names_in_")
        if kind is MLP and not architecture:
            assert (back.hidden, back.activation) == ((), "relu")


def test_what_is_constant_has_the_deviation_1_and_its_unit_is_that_of_the_target():
    rows = np.column_stack([np.full(30, 7.0), np.arange(30.0)])
    with pytest.warns(UserWarning, match="all numbers of y are 5"):
        model = MLPRegressor((4,), epochs=1).fit(rows, np.full(30, 5.0))
    assert model._record.means == (7.0, 14.5, 5.0)
    assert model._record.deviations == (1.0, pytest.approx(np.arange(30).std()), 1.0)
    assert np.isfinite(model.predict(rows)).all() and model.predict(rows).dtype == np.float64
    model.fit(rows, 4.0 * np.arange(30))
    assert model._unit() == pytest.approx((4 * np.arange(30)).var())


def test_rows_without_names_have_none_after_loading_either(tmp_path):
    MLPRegressor((4,), epochs=1).fit(X[:, 0], Y).save(tmp_path / "m.npz")
    assert not hasattr(MLPRegressor.load(tmp_path / "m.npz"), "feature_names_in_")


def test_the_score_of_a_constant_is_1_only_if_it_is_exact(monkeypatch):
    model = MLPRegressor()
    monkeypatch.setattr(model, "predict", lambda x: x)
    assert model.score(np.full(3, 2.0), np.full(3, 2.0)) == 1.0 and model.score(np.arange(3.0), np.full(3, 2.0)) == 0.0


def test_logarithms_of_chances_are_natural(monkeypatch):
    model = MLP()
    monkeypatch.setattr(model, "predict_proba", lambda x: np.array([[1.0, 0.0], [0.5, 0.5]]))
    assert model.predict_log_proba(None).tolist() == [[0.0, -np.inf], [np.log(0.5)] * 2]


@pytest.mark.parametrize("make", [mlp, lambda **options: mlp(optimizer="adam", **options)])
def test_partial_fit_warns_only_where_it_no_longer_learns(make):
    """One epoch a call is too short for advice about the plan; a loss that has risen is not."""
    model, advice = make(batch_size=8, lr=0.01), []
    for _ in range(6):
        model.partial_fit(X, Y)
        advice.append(model.advice_)
    falls = [loss < min(model.loss_curve_[:n], default=np.inf) for n, loss in enumerate(model.loss_curve_)]
    assert falls[:4] == [True] * 4 and advice == [""] * 6
    with pytest.warns(LearningWarning, match="lr 0.9.* is (too )?high"):
        model.set_params(lr=0.9).partial_fit(X, Y).partial_fit(X, Y)


def test_early_stopping_keeps_the_parameters_of_the_lowest_loss_of_the_best_accuracy():
    seen = []
    watch = lambda event: isinstance(event, EpochDone) and seen.append((event, event.snapshot()))  # noqa: E731
    model = mlp(epochs=60, early_stopping=True, val=12, schedule="constant", on_event=watch).fit(X, Y)
    row, tensors = max(seen, key=lambda each: (each[0].val_accuracy, -each[0].val_loss))
    assert sum(each.val_accuracy == row.val_accuracy for each, _ in seen) > 1
    assert all(np.array_equal(tensors[name], kept) for name, kept in model.network_.tensors().items())


def test_a_weighted_loss_is_compared_with_weighted_guessing():
    """Of 5 % in a class, balanced, each image of it counts ten times: guessing has the loss of two equal classes."""
    x, y = RNG.normal(0, 1, (400, 9)), np.arange(400) % 20 == 0
    x[y, 0] += 1.5
    model = MLP((8,), epochs=3, lr=0.02, class_weight="balanced").fit(x, y)
    assert 0.25 < model.loss_curve_[-1] < 0.6 and "learnt nothing" not in model.advice_
