"""What an estimator refuses in one sentence, where NumPy or Python would have taken it for something else."""

import warnings

import numpy as np
import pytest

from jitnet import CNN, MLP, MLPRegressor
from jitnet.errors import InputError, LearningWarning

X = np.random.default_rng(0).random((12, 6))
Y = np.arange(12) % 2


class Sparse:
    def toarray(self):
        return np.eye(2)


class Named(np.ndarray):
    """Rows whose columns have names, as pandas has them."""


def named(names, rows=X):
    rows = rows.view(Named)
    rows.columns = names
    return rows


def classifier(**options):
    return MLP((3,), epochs=1, verbose=0, **options)


def regressor():
    return MLPRegressor((3,), epochs=1, verbose=0)


def quiet(work):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LearningWarning)
        return work()


MASKED = np.ma.array(np.ones(12), mask=Y == 0)
NO_NUMBERS = {
    "text": (["1"] * 12, "holds <U1: expected real numbers"),
    "text in objects": (np.array(["1"] * 12, object), "holds text: expected real numbers"),
    "complex": (np.ones(12) + 1j, "holds complex128"),
    "dates": (np.datetime64("2020-01-01") + np.arange(12), "holds datetime64"),
    "masked": (MASKED, "masked array in which values are missing"),
    "rows that are masked": (list(np.ma.array(np.ones((12, 1)), mask=(Y == 0)[:, None])), "masked array"),
    "sparse": (Sparse(), "sparse matrix"),
    "too long": ([10**400] * 12, "does not hold real numbers alone"),
    "too large": (np.linspace(1e30, 1e300, 12), r"1e\+300: expected .* up to 1e\+30"),
}


@pytest.mark.parametrize("given", NO_NUMBERS)
def test_only_numbers_are_numbers(given):
    values, words = NO_NUMBERS[given]
    with pytest.raises(InputError, match="^y .*" + words):
        regressor().fit(X, values)
    with pytest.raises(InputError, match="^y .*" + words):
        quiet(lambda: regressor().fit(X, 2 * X[:, 1])).score(X, values)
    for model in (classifier(), regressor()):
        with pytest.raises(InputError, match="^sample_weight .*" + words):
            model.fit(X, Y, sample_weight=values)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a", 1] * 6, "str such as 'a' and int such as 1: expected labels of one type"),
        (["a", float("nan")] * 6, r"y holds nan at \[1\]"),
        (["a", True] * 6, "str such as 'a' and bool such as True"),
        ([b"a", "b"] * 6, "bytes such as b'a' and str such as 'b'"),
        (np.array(["a", 1] * 6, object), "str such as 'a' and int such as 1"),
        (Sparse(), "y is a sparse matrix"),
        ("a" * 12, "a single str"),
        (3, "a single int"),
        (np.array(["a", None] * 6, np.dtypes.StringDType(na_object=None)), r"y holds None at \[1\]"),
    ],
)
def test_labels_of_several_types_are_none(labels, words):
    with pytest.raises(InputError, match=words):
        classifier().fit(X, labels)


def test_strings_of_variable_length_are_labels():
    labels = np.array(["one", "two"] * 6, np.dtypes.StringDType())
    assert quiet(lambda: classifier().fit(X, labels)).classes_.tolist() == ["one", "two"]


def test_labels_are_named_as_they_are_written():
    model = quiet(lambda: classifier().fit(X, Y))
    with pytest.raises(InputError, match=r"^y holds 2: expected one of 0, 1$"):
        model.partial_fit(X, Y + 1)
    with pytest.raises(InputError, match="classes differ from those of before: expected 0, 1"):
        model.partial_fit(X, Y, classes=[0, 1, 2])


def test_a_regressor_has_no_classes():
    with pytest.raises(InputError, match="classes are given to a MLPRegressor, which has none"):
        regressor().partial_fit(X, X[:, 1], np.ones(12))


def test_names_of_columns_are_shown_in_printable_characters_and_the_first_of_many():
    names = ["\x1b[2J\n", *map(str, range(5))]
    model = quiet(lambda: classifier().fit(named(names), Y))
    with pytest.raises(InputError) as caught:
        model.predict(named(["x", *names[1:]]))
    assert str(caught.value).isprintable()
    assert "'0', '1', '2', '3', '4', found 'x' too" in str(caught.value)
    model.feature_names_in_ = np.array([f"column {place}" for place in range(3000)], object)
    with pytest.raises(InputError, match=r"'column 9', \.\.\. \(3,000 in all\)"):
        model.predict(named(names))
    model = quiet(lambda: regressor().fit(named(names), 2 * X[:, 1]))
    with pytest.raises(InputError) as caught:
        model.predict(named(names, X * 1e35))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("changed", [{"hidden": (0,)}, {"hidden": "junk"}, {"activation": "junk"}])
def test_parameters_that_are_changed_are_for_the_next_fit(changed):
    model = quiet(lambda: classifier().fit(X, Y))
    expected = model.predict_proba(X)
    assert np.array_equal(model.set_params(**changed).predict_proba(X), expected)
    with pytest.raises(InputError):
        model.fit(X, Y)


def test_a_table_is_refused_by_the_layers_of_the_next_fit_alone():
    model = quiet(lambda: CNN("dense3", epochs=1, verbose=0).fit(X, Y))
    model.set_params(architecture="conv2").predict(X)
    with pytest.raises(InputError, match="not a square"):
        model.fit(X, Y)


@pytest.mark.parametrize(
    "options",
    [
        {"verbose": float("nan")},
        {"verbose": [1]},
        {"verbose": np.array([1, 2])},
        {"early_stopping": "no"},
        {"early_stopping": np.array([1, 2])},
        {"shuffle": np.array([1, 0])},
        {"lr": np.array([0.1, 0.2])},
        {"val": 1.5},
        {"val": -0.5},
        {"val": float("nan")},
        {"class_weight": {0: 0, 1: 0}},
        {"class_weight": {0: 1e200}},
    ],
)
def test_values_that_are_refused(options):
    (name,) = options
    with pytest.raises(InputError, match=f"^{name} "):
        MLP((3,), epochs=1, **options).fit(X, Y)


@pytest.mark.parametrize("hidden", [iter([4]), {4}, {4: 1}])
def test_hidden_layers_have_an_order_and_can_be_read_again(hidden):
    with pytest.raises(InputError, match=r"^hidden is "):
        MLP(hidden, epochs=1).fit(X, Y)


def test_a_share_is_one_of_any_float_type():
    assert len(quiet(lambda: classifier(val=np.float32(0.25)).fit(X, Y)).validation_loss_curve_) == 1


@pytest.mark.parametrize("image", [(28,), "x", None, (0, 5, 1), (-1, 5, 1), (1.5, 2, 1)])
def test_no_network_for_images_of_no_size(image):
    with pytest.raises(InputError, match=r"^the images are "):
        CNN("conv2").summary(image)


@pytest.mark.parametrize("classes", [0, -1, "x", None, 1.5])
def test_no_network_without_outputs(classes):
    with pytest.raises(InputError, match="and the outputs "):
        CNN("conv2").summary(classes=classes)


def test_equal_numbers_are_mentioned():
    with pytest.warns(UserWarning, match="all numbers of y are 5: there is nothing to learn"):
        quiet(lambda: regressor().fit(X, np.full(12, 5.0)))


def test_what_has_no_first_item_is_taken_by_what_numpy_makes_of_it():
    assert quiet(lambda: classifier().fit(memoryview(X), Y)).n_features_in_ == 6
