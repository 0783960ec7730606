"""What is promised of the defaults: they learn small and ordinary data as well as scikit-learn's do."""

import numpy as np
import pytest
from drawn_shapes import draw_shapes

from jitnet import CNN, MLP, load_mnist
from jitnet.cli import main
from jitnet.errors import InputError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
model_selection = pytest.importorskip("sklearn.model_selection")
preprocessing = pytest.importorskip("sklearn.preprocessing")
neural_network = pytest.importorskip("sklearn.neural_network")


def parts(name: str, seed: int):
    """Return training and test parts of one of scikit-learn's data sets, a quarter for the test."""
    data = getattr(datasets, f"load_{name}")()
    return model_selection.train_test_split(data.data, data.target, random_state=seed, stratify=data.target)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_standardised_tables_are_learned_as_well_as_by_scikit_learn(name):
    """Within a point of MLPClassifier(), on the mean of ten seeds."""
    ours, theirs = [], []
    for seed in range(10):
        x, x_test, y, y_test = parts(name, seed)
        scaler = preprocessing.StandardScaler().fit(x)
        x, x_test = scaler.transform(x), scaler.transform(x_test)
        ours.append(100 * MLP(seed=seed).fit(x, y).score(x_test, y_test))
        theirs.append(100 * neural_network.MLPClassifier(random_state=seed).fit(x, y).score(x_test, y_test))
    print(f"{name}: {np.mean(ours):.2f} %, MLPClassifier {np.mean(theirs):.2f} %")
    assert np.mean(ours) >= np.mean(theirs) - 1, (ours, theirs)


@pytest.mark.parametrize("estimator", [MLP, CNN])
def test_the_digits_of_scikit_learn(estimator):
    scores = []
    for seed in range(10 if estimator is MLP else 3):
        x, x_test, y, y_test = parts("digits", seed)
        x, x_test = (each if estimator is MLP else each.reshape(-1, 8, 8) for each in (x, x_test))
        scores.append(100 * estimator(seed=seed).fit(x, y).score(x_test, y_test))
    print(f"digits, {estimator.__name__}: {np.mean(scores):.2f} %")
    assert np.mean(scores) >= 97, scores


def test_two_thousand_images_of_mnist():
    try:
        (x, y), (x_test, y_test) = load_mnist(offline=True)
    except InputError as error:
        pytest.skip(str(error))
    scores = [100 * CNN(seed=seed).fit(x[:2000], y[:2000]).score(x_test, y_test) for seed in range(2)]
    print(f"2,000 images of MNIST: {np.mean(scores):.2f} %")
    assert min(scores) >= 93, scores


@pytest.mark.parametrize("filled", [True, False])
@pytest.mark.parametrize("images", [20, 40])
def test_a_folder_of_shapes(tmp_path, monkeypatch, capsys, images, filled):
    monkeypatch.chdir(tmp_path)
    draw_shapes(tmp_path / "shapes", images, filled=filled)
    assert main(["train", "cnn", "--data", "shapes", "--name", "shapes", "--ui", "plain"]) == 0
    assert "Final accuracy of test set = 100.00" in capsys.readouterr().out
