"""Scores of a training on smoothed labels: how sharp they become, everywhere alike; training does not see it."""

import json

import numpy as np
import pytest
from commands import digits, refusal, result, settle, train

from jitnet import CNN, MLP
from jitnet.cli import main
from jitnet.data import load
from jitnet.data.split import Split
from jitnet.errors import InputError
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.model.optimizer import AVERAGE
from jitnet.model.scores import probabilities
from jitnet.report.measure import reliability
from jitnet.run.trained import open_trained
from jitnet.storage import checkpoint
from jitnet.training import calibration
from jitnet.training.calibration import calibrate, evenly, sharpened, sharpness

SMOOTH = ("--label-smoothing", "0.3")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


def drawn(factor: float, n: int = 20_000, classes: int = 4):
    """Return scores (n, K), and labels drawn with the probabilities that `factor` times the scores give."""
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(n, classes))
    return scores, np.array([rng.choice(classes, p=row) for row in probabilities(factor * scores)])


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_factor_is_the_one_by_which_the_labels_were_drawn(factor):
    assert sharpness(*drawn(factor)) == pytest.approx(factor, rel=0.05)


@pytest.mark.parametrize("n", [1, 2, 7, 300])
def test_the_factor_is_the_best_one_of_its_equation(n):
    scores, labels = drawn(2.0, n)
    wanted = np.full(scores.shape, 1 / (n + 2) / 3)
    wanted[np.arange(n), labels] = (n + 1) / (n + 2)

    def loss(c):
        return -(wanted * np.log(probabilities(c * scores))).sum()

    grid = np.geomspace(0.01, 100, 20_001)
    assert sharpness(scores, labels) == pytest.approx(grid[np.argmin([loss(c) for c in grid])], rel=1e-3)


def test_scores_that_are_always_right_become_no_sharper_than_their_number_allows():
    labels = np.arange(50) % 5
    found = probabilities(sharpness(np.eye(5)[labels], labels) * np.eye(5)[labels]).max(axis=1)
    assert found == pytest.approx(51 / 52)


def test_one_class_and_equal_scores_are_nothing_to_be_sure_of():
    assert np.isfinite(sharpness(np.zeros((3, 1)), np.zeros(3, int)))
    assert np.isfinite(sharpness(np.zeros((3, 4)), np.zeros(3, int)))


@pytest.mark.parametrize("count", [1, 3, calibration.MOST, calibration.MOST + 1, 60_000])
def test_images_are_taken_from_all_over_the_file(count):
    places = evenly(count)
    assert len(places) == min(count, calibration.MOST) == len(set(places)) and places[0] == 0 and places[-1] < count
    steps = np.diff(np.append(places, count))
    assert steps.max() - steps.min() <= 1


def test_only_the_last_layer_is_changed_and_the_answers_stay():
    network = Network(parse("conv2 pool dense3 dense4"), (6, 6, 1))
    network.initialise("he", 0)
    images = np.random.default_rng(0).integers(0, 256, (9, 6, 6, 1)).astype(np.uint8)
    before, own = network.logits(images).copy(), network.params.copy()
    assert sharpened(network.shapes, network.params, 1.0) is network.params
    network.params[:] = sharpened(network.shapes, network.params, 2.5)
    assert network.logits(images) == pytest.approx(2.5 * before, rel=1e-5)
    last = 3 * 4 + 4
    assert (network.params[:-last] == own[:-last]).all() and (network.params[-last:] != own[-last:]).any()


def test_every_command_predicts_with_the_calibrated_weights_or_the_raw_ones(folder, capsys):
    train("run", *SMOOTH, "--init", "he", "--lr", "0.01", epochs=3)
    data = load("digits")
    images, errors = data.x_test[..., None], {}
    for weights in (None, "raw"):
        scores = open_trained("run", weights=weights).network.logits(images)
        chances = probabilities(scores)
        _, errors[weights] = reliability(chances.max(axis=1), chances.argmax(axis=1) == data.y_test)
        words = ("eval", "run", *(("--weights", weights) if weights else ()))
        capsys.readouterr()
        assert main([*words, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["model"]["weights"] == (weights or "calibrated")
        assert answer["calibration_error"] == pytest.approx(errors[weights])
        assert main([*words]) == 0
        assert f"{weights or 'calibrated'} weights" in capsys.readouterr().out
    assert errors[None] < errors["raw"] / 2
    assert "no averaged weights" in refusal(capsys, "eval", "run", "--weights", "averaged")


def test_training_goes_on_from_the_raw_weights(folder):
    words = (*SMOOTH, "--schedule", "constant", "--batch-size", "7")
    whole, pieces = train("whole", *words, epochs=2), train("pieces", *words, epochs=1)
    once = open_trained("pieces").tensors["sharpness"]
    assert main(["resume", str(pieces), "--epochs", "2", "--ui", "quiet"]) == 0
    assert result(pieces) == result(whole) and open_trained("whole").tensors["sharpness"] != once


def test_images_that_are_held_out_decide_where_there_are_some(folder):
    run = train("run", *SMOOTH, "--val", "40", "--init", "he", epochs=1)
    trained = open_trained(run, weights="raw")
    data = load("digits")
    held = sharpness(trained.network.logits(data.x_train[-40:, ..., None]), data.y_train[-40:])
    assert trained.tensors["sharpness"][0] == held
    others = sharpness(trained.network.logits(data.x_train[:-40, ..., None]), data.y_train[:-40])
    assert others != held


def test_labels_that_are_not_smoothed_leave_the_scores_alone(folder):
    run = train("run", epochs=1)
    trained = open_trained(run)
    assert "sharpness" not in trained.tensors and trained.weights == ""


def test_an_average_is_calibrated_too(folder):
    run = train("run", *SMOOTH, "--ema", "0.9", epochs=1)
    trained = open_trained(run)
    average, factor = trained.tensors[AVERAGE], trained.tensors["sharpness"][0]
    assert trained.weights == "averaged"
    assert (trained.network.params == sharpened(trained.network.shapes, average, factor)).all()


def test_estimators_predict_alike_before_and_after_a_file_and_continue_alike(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(200) % 4
    x = (rng.normal(size=(200, 6)) + np.eye(4, 6)[y] * 3).astype(np.float32)
    model = MLP((8,), epochs=20, label_smoothing=0.3, seed=1).fit(x, y)
    plain = MLP((8,), epochs=20, label_smoothing=0.3, seed=1)
    assert model.predict_proba(x).max() > 0.95  # a score of smoothed labels would stay near 0.78
    model.save(tmp_path / "model.safetensors")
    again = MLP.load(tmp_path / "model.safetensors")
    assert (again.predict_proba(x) == model.predict_proba(x)).all()
    assert (again._raw == model._raw).all()  # which partial_fit continues from
    model.partial_fit(x, y)
    plain.fit(x, y).partial_fit(x, y)
    assert (plain.predict_proba(x) == model.predict_proba(x)).all()


def test_what_is_exported_is_as_sure_as_predict(folder):
    train("run", *SMOOTH, "--init", "he", epochs=1)
    data = load("digits")
    assert main(["export", "weights", "run", "--out", "model.npz"]) == 0
    wanted = open_trained("run").network.logits(data.x_test[:5, ..., None])
    with np.load("model.npz") as exported:
        assert (open_trained("run").network.tensors()["dense2.weight"] == exported["dense2.weight"].T).all()
    assert CNN.load("runs/run").predict_proba(data.x_test[:5]) == pytest.approx(probabilities(wanted), rel=1e-5)


FACTORS = (np.zeros(1), np.ones(2), np.ones(1, np.float32), -np.ones(1), np.full(1, 1e300), np.full(1, 1e-300))


@pytest.mark.parametrize("damaged", FACTORS)
def test_a_damaged_factor_is_refused(folder, capsys, damaged):
    run = train("run", *SMOOTH, epochs=1)
    tensors, texts = checkpoint.load(run / "last.safetensors")
    checkpoint.save(run / "last.safetensors", tensors | {"sharpness": damaged}, texts)
    with pytest.raises(InputError, match="damaged sharpness"):
        open_trained(run, kind="last")
    (run / "previous.safetensors").unlink(missing_ok=True)
    assert "damaged sharpness" in refusal(capsys, "eval", "run")


def test_without_held_out_images_those_that_decide_are_from_all_over_the_file(monkeypatch):
    monkeypatch.setattr(calibration, "MOST", 6)
    images, labels = np.arange(24.0).reshape(24, 1, 1, 1), np.arange(24).repeat(1) // 6  # sorted by class
    empty, seen = (images[:0], labels[:0]), []

    def evaluate(images, labels):
        seen.append((images.ravel().tolist(), labels.tolist()))
        return None, None, 3.0 * np.eye(4)[labels]
        yield

    made = calibrate(evaluate, Split("", (images, labels), empty, empty), np.zeros((0, 4)))
    with pytest.raises(StopIteration) as end:
        next(made)
    assert seen == [([0, 4, 8, 12, 16, 20], [0, 0, 1, 2, 2, 3])]
    assert end.value.value == sharpness(3.0 * np.eye(4)[seen[0][1]], np.array(seen[0][1]))


def test_parameters_that_the_factor_makes_infinite_are_refused(folder, capsys):
    run = train("run", *SMOOTH, epochs=1)
    tensors, texts = checkpoint.load(run / "last.safetensors")
    large = tensors | {"sharpness": np.full(1, 100.0), "dense2.weight": np.full_like(tensors["dense2.weight"], 3e38)}
    checkpoint.save(run / "last.safetensors", large, texts)
    assert "too large for their calibration" in refusal(capsys, "eval", "run")


@pytest.mark.parametrize("place", [(1, 0, 2**63 - 1), (2**62, 0, 0), (0, -1, 0)])
def test_a_position_that_no_training_reaches_is_refused(folder, capsys, place):
    run = train("run", *SMOOTH, epochs=1)
    tensors, texts = checkpoint.load(run / "last.safetensors")
    checkpoint.save(run / "last.safetensors", tensors | {"position": np.array(place)}, texts)
    (run / "previous.safetensors").unlink(missing_ok=True)
    assert "no position of a training run" in refusal(capsys, "resume", "run", "--epochs", "2", "--ui", "quiet")


def test_scores_that_are_not_finite_are_left_as_they_are():
    labels = np.array([0, 1])
    empty = (np.zeros((0, 1)), labels[:0])
    for bad in (np.nan, np.inf):
        scores = np.array([[bad, 0.0], [0.0, 9.0]])
        with pytest.raises(StopIteration) as end:
            next(calibrate(pytest.fail, Split("", empty, (np.zeros((2, 1)), labels), empty), scores))
        assert end.value.value == 1.0
