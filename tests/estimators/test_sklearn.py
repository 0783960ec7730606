"""CNN and MLP as scikit-learn's estimators: its own checks, and its tools at work with them."""

import subprocess
import sys
import types
import warnings

import numpy as np
import pytest

from jitnet import CNN, MLP, MLPRegressor
from jitnet.errors import InputError
from jitnet.estimators import inputs

pytest.importorskip("sklearn", minversion="1.6", reason="scikit-learn is a dependency of the tests alone")

from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator


class OneLine(CNN):
    """The CNN on rows of any length, as images of one line: the checks' data are rows of 1, 2, 3, 5, 10 features."""

    def _images(self, x, trained=None):
        return inputs.images(x, True, trained)


OPTIONS = {
    "recipe": "documents",
    "epochs": 15,
    "lr": 0.1,
    "init": "he",
    "schedule": "constant",
    "batch_size": 8,
    "shuffle": True,
}
pytestmark = pytest.mark.usefixtures("one_thread")  # batches of eight small images are no work for two
# scikit-learn's checks that do not apply, and why.
EXCLUDED: dict[str, str] = {
    "check_dtype_object": "it wants a TypeError of a dictionary among the numbers; ours is an InputError",
    "check_sample_weight_equivalence_on_dense_data": "an image given twice may be in two batches",
    "check_supervised_y_2d": "a column of labels is refused in a sentence; there it is taken, with a warning",
}


def checks():
    """Yield each of its checks with an estimator; the excluded ones have to fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jitnet inherits nothing of scikit-learn, which may be absent
        for estimator in (MLP((16,), **OPTIONS), OneLine("conv4 dense16", **OPTIONS), MLPRegressor((16,), epochs=40)):
            for fresh, check in estimator_checks_generator(estimator):
                name = check.func.__name__
                marks = [pytest.mark.xfail(reason=EXCLUDED[name], strict=True)] if name in EXCLUDED else []
                yield pytest.param(fresh, check, marks=marks, id=f"{type(estimator).__name__}-{name}")


@pytest.mark.filterwarnings("ignore")  # what the checks do to an estimator
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def spots(count=90):
    """Images of a spot in one of three places, and its place."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 60, (count, 6, 6)).astype(np.uint8), np.arange(count) % 3
    x[np.arange(count), 2 * y, 2 * y] = 255
    return x, np.array(["left", "middle", "right"])[y]


X, Y = spots()
MAKES = {"mlp": lambda: MLP((8,), **OPTIONS), "cnn": lambda: CNN("conv2 pool dense8", **OPTIONS)}


@pytest.fixture(params=MAKES)
def model(request):
    return MAKES[request.param]()


def test_cross_validation_of_images(model):
    assert cross_val_score(model, X, Y, cv=3).min() > 0.9


def test_a_pipeline(model):
    pipeline = make_pipeline(StandardScaler(), model).fit(X.reshape(90, 36), Y)
    assert pipeline.score(X.reshape(90, 36), Y) > 0.9 and pipeline.classes_.tolist() == ["left", "middle", "right"]
    assert pipeline.predict_proba(X.reshape(90, 36)).shape == (90, 3)


@pytest.mark.filterwarnings("ignore:the network has learnt nothing")  # at the worse rate
def test_a_grid_search_finds_the_better_rate(model):
    search = GridSearchCV(model, {"lr": [1e-9, 0.1], "seed": [0]}, cv=3).fit(X, Y)
    assert search.best_params_ == {"lr": 0.1, "seed": 0} and search.best_score_ > 0.9
    assert search.score(X, Y) > 0.9


def test_not_fitted_is_its_own_error_too(model):
    with pytest.raises(NotFittedError) as caught:
        model.predict(X)
    assert isinstance(caught.value, InputError)


def test_jitnet_never_imports_it():
    code = "import sys, jitnet; jitnet.MLP((2,)).get_params(); sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


class Rows(list):
    """Rows of a table whose index is not 0, 1, 2, ..."""

    index = tuple("abcdef")


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_features_become_a_table_with_names_where_set_output_or_scikit_learn_says_so(kind, monkeypatch):
    class DataFrame:
        def __init__(self, values, *more):
            self.values, self.names, self.index = values, more[-1], [*more[:-1], None][0]

    monkeypatch.setitem(sys.modules, kind, types.SimpleNamespace(DataFrame=DataFrame))
    model = MLP((3,), epochs=1).fit(np.eye(6), [0, 1] * 3)
    plain = model.transform(np.eye(6))
    for chosen in (clone(model.set_output(transform=kind)).fit(np.eye(6), [0, 1] * 3), model):
        table = chosen.transform(np.eye(6))
        assert table.values.shape == plain.shape and table.names == ["mlp0", "mlp1", "mlp2"]
        assert list(chosen.get_feature_names_out()) == table.names
    rows = Rows(np.eye(6))
    assert model.transform(rows).index == (rows.index if kind == "pandas" else None)
    assert isinstance(model.set_output(transform="default").transform(np.eye(6)), np.ndarray)
    assert model.set_output() is model and isinstance(model.transform(np.eye(6)), np.ndarray)
    with pytest.raises(InputError, match="transform is 'csv': expected 'default', 'pandas', 'polars' or None"):
        model.set_output(transform="csv")
    with config_context(transform_output=kind):
        assert isinstance(clone(MLP((3,), epochs=1)).fit_transform(np.eye(6), [0, 1] * 3), DataFrame)


def test_a_pipeline_may_choose_its_tables():
    steps = make_pipeline(StandardScaler(), MLP((3,), epochs=1)).set_output(transform="default")
    assert steps.fit(np.eye(6), [0, 1] * 3).predict(np.eye(6)).shape == (6,)
