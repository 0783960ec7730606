"""Smoothed labels in a run: recorded, the same for every driver, refused where there are none to smooth."""

import nets
import numpy as np
import pytest
from bounds import GRADIENT_ERROR, central_differences, worst_relative_error
from commands import digits, refusal, result, rows, settle, train

from jitnet import MLP, MLPRegressor
from jitnet.cli import main
from jitnet.config import SETTINGS, Settings
from jitnet.errors import InputError
from jitnet.export import twin
from jitnet.model.network import Network

WORDS = ("--label-smoothing", "0.2")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


@pytest.mark.parametrize("kernels", ["fast", "simple"])
def test_the_gradient_of_a_network_is_that_of_its_smoothed_loss(kernels):
    case = nets.case(("conv3:tanh pool dense8:tanh dense4", (5, 4, 1), "position"), np.float64, 4)
    network = Network(case.layers, (5, 4, 1), dtype=np.float64, kernels=kernels, label_smoothing=0.3)
    network.params[:] = case.network.params

    def loss():
        return network.accumulate(case.images, case.targets, np.arange(4), 1.0, np.zeros_like(network.params))

    found, unsmoothed = np.zeros_like(network.params), np.zeros_like(network.params)
    network.accumulate(case.images, case.targets, np.arange(4), 1.0, found)
    case.network.accumulate(case.images, case.targets, np.arange(4), 1.0, unsmoothed)
    expected = central_differences(loss, network.params, step=1e-5)
    assert worst_relative_error(found, expected) <= 10 * GRADIENT_ERROR
    assert np.abs(found - unsmoothed).max() > 1e-3 * np.abs(unsmoothed).max()


@pytest.mark.parametrize("words", [(), ("--batch-size", "7"), ("--batch-size", "0", "--optimizer", "adam")])
def test_fast_and_simple_kernels_train_alike_and_a_resume_has_the_same_bits(folder, words):
    words = (*WORDS, "--schedule", "constant", *words)
    whole, simple = train("whole", *words, epochs=2), train("simple", *words, "--kernels", "simple", epochs=2)
    pieces, plain = train("pieces", *words, epochs=1), train("plain", *words[2:], epochs=2)
    assert main(["resume", str(pieces), "--epochs", "2", "--ui", "quiet"]) == 0
    assert result(pieces) == result(whole) != result(plain)
    for ours, theirs in zip(rows(simple), rows(whole)):
        assert float(ours["train_loss"]) == pytest.approx(float(theirs["train_loss"]), rel=1e-3)


def test_it_is_recorded_and_named_and_refused(folder, capsys):
    train("run", *WORDS, epochs=1)
    assert Settings.from_toml("runs/run/config.toml").label_smoothing == 0.2
    assert main(["train", "cnn", "--data", "digits", *WORDS, "--epochs", "1", "--ui", "plain"]) == 0
    assert "labels smoothed by 0.2" in " ".join(capsys.readouterr().out.split())
    assert "expected the loss cross-entropy" in refusal(capsys, "train", "cnn", *WORDS, "--loss", "mse")
    assert "from 0 to less than 1" in refusal(capsys, "train", "cnn", "--label-smoothing", "1")


def test_estimators_have_it_and_a_regressor_refuses_it():
    x, y = np.random.default_rng(0).random((40, 6)).astype(np.float32), np.arange(40) % 2
    sure, unsure = (MLP((4,), epochs=60, lr=0.1, label_smoothing=share, seed=1).fit(x, y) for share in (0.0, 0.5))
    assert unsure.predict_proba(x).max() < sure.predict_proba(x).max()
    with pytest.raises(TypeError, match="label_smoothing"):
        MLPRegressor(label_smoothing=0.1)
    with pytest.raises(InputError, match="no smoothed"):
        MLP((4,), label_smoothing=0.1, loss="mse").fit(x, y)


def test_a_cpp_program_trains_only_what_it_can():
    """Every setting that changes the weights is one of C++, or makes its training refuse, or the export."""
    elsewhere = {"recipe", "reduction", "dropout", "kernels"}  # sets others, rule.summed, refused, the same result
    for name, item in SETTINGS.items():
        if item.group == "optimization":
            assert bool(item.cpp) + (name in twin.ONLY_PYTHON) + (name in elsewhere) == 1, name


def test_a_cpp_program_is_told_what_it_lacks(folder):
    train("run", *WORDS, "--augment", "light", epochs=1)
    assert main(["export", "cpp", "run", "--out", "out"]) == 0
    assert 'only_python = "--augment and --label-smoothing";' in (folder / "out" / "model.hpp").read_text()
