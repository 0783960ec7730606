"""A moving average of the weights in the estimators: what predicts, what trains on, and what is saved."""

import numpy as np
import pytest

import jitnet
from jitnet.cli import main
from jitnet.errors import DivergedError, InputError
from jitnet.run.trained import open_trained

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (60, 6, 6)).astype(np.uint8)
Y = (X.mean(axis=(1, 2)) > 127).astype(int)
WORDS = {"epochs": 2, "optimizer": "sgd", "lr": 0.05, "batch_size": 10, "schedule": "constant", "hidden": (5,)}


def mlp(**changes):
    return jitnet.MLP(**WORDS | {"ema": 0.9} | changes)


def test_the_average_predicts_and_the_history_is_its_own():
    plain, model = mlp(ema=None).fit(X, Y), mlp(val=20).fit(X, Y)
    assert model.settings_.ema == 0.9 and not np.array_equal(plain.network_.params, model.network_.params)
    assert model.score(X[40:], Y[40:]) * 100 == pytest.approx(model.history_[-1].val_accuracy)


def test_training_does_not_see_the_average_from_one_partial_fit_to_the_next():
    plain, model = mlp(ema=None), mlp()
    for _ in range(3):
        plain.partial_fit(X, Y)
        model.partial_fit(X, Y)
        assert [row.train_loss for row in plain.history_] == [row.train_loss for row in model.history_]
    assert np.array_equal(model.network_.params, mlp(epochs=3).fit(X, Y).network_.params)


@pytest.mark.parametrize("name", ["model.safetensors", "model.npz"])
def test_a_file_holds_both_and_training_continues_from_the_raw_ones(tmp_path, name, capsys):
    path, model = tmp_path / name, mlp().fit(X, Y)
    model.save(path)
    assert np.array_equal(open_trained(path).network.params, model.network_.params)
    assert np.array_equal(open_trained(path, weights="raw").network.params, mlp(ema=None).fit(X, Y).network_.params)
    read = jitnet.load(path)
    assert read.ema == 0.9 and np.array_equal(read.predict_proba(X), model.predict_proba(X))
    again = tmp_path / f"again-{name}"
    read.save(again)
    assert np.array_equal(jitnet.load(again).network_.params, model.network_.params)
    read.partial_fit(X, Y)
    assert read.history_[-1].train_loss == mlp(ema=None, epochs=3).fit(X, Y).history_[-1].train_loss
    np.save(tmp_path / "x.npy", X[:1])
    assert main(["predict", str(path), str(tmp_path / "x.npy")]) == 0
    assert "averaged weights" in capsys.readouterr().out


def test_what_is_refused_or_stops_early_leaves_the_average_whole():
    model = mlp(ema=0.5).fit(X, Y)
    params, raw = model.network_.params.copy(), model._raw.copy()
    model.lr = 1e30
    with pytest.raises(DivergedError):
        model.partial_fit(X, Y)
    assert np.array_equal(model.network_.params, params) and np.array_equal(model._raw, raw)
    model.set_params(lr=0.05, ema=None)
    with pytest.raises(InputError, match="state of the optimizer"):
        model.partial_fit(X, Y)
    assert np.array_equal(model.network_.params, params)
    early = mlp(early_stopping=True, patience=1, val=20, epochs=6).fit(X, Y)
    best = max(row.val_accuracy for row in early.history_)
    assert early.score(X[40:], Y[40:]) * 100 == pytest.approx(best)
    assert mlp(ema=None).fit(X, Y)._raw is None
