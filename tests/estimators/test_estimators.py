"""CNN and MLP by scikit-learn's conventions."""

import numpy as np
import pytest

from jitnet import CNN, MLP
from jitnet.errors import DivergedError, InputError
from jitnet.events import EpochDone, RunStarted
from jitnet.storage import checkpoint

OPTIONS = {"recipe": "documents", "epochs": 4, "lr": 0.1, "init": "he", "schedule": "constant"}


def digits(count=90, side=6):
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 256, (3, side, side))
    y = rng.integers(0, 3, count)
    return np.clip(drawn[y] + rng.normal(0, 60, (count, side, side)), 0, 255).astype(np.uint8), y


X, Y = digits()
MAKES = {
    "cnn": lambda **more: CNN("conv2 pool dense4", **OPTIONS | more),
    "mlp": lambda **more: MLP((8,), **OPTIONS | more),
}


@pytest.fixture(params=MAKES)
def make(request):
    return MAKES[request.param]


def test_the_constructor_only_stores(make):
    model = make()
    assert vars(model) == model.get_params() and model.get_params()["lr"] == 0.1
    nonsense = make(epochs="many")
    assert nonsense.get_params()["epochs"] == "many"
    with pytest.raises(InputError, match="epochs is 'many': expected a whole number"):
        nonsense.fit(X, Y)


def test_parameters_round_trip(make):
    model = make(seed=3)
    twin = type(model)(**model.get_params())
    assert twin.get_params() == model.get_params()
    assert twin.set_params(epochs=1, lr=0.5) is twin and (twin.epochs, twin.lr) == (1, 0.5)
    with pytest.raises(InputError, match="has no parameter 'colour': expected one of"):
        twin.set_params(colour=1)
    assert np.array_equal(
        model.fit(X, Y).predict_proba(X), type(model)(**model.get_params()).fit(X, Y).predict_proba(X)
    )


def test_scikit_learns_clone(make):
    base = pytest.importorskip("sklearn.base")
    model = make(seed=3).fit(X, Y)
    twin = base.clone(model)
    assert twin.get_params() == model.get_params() and not hasattr(twin, "classes_")


def test_fit_predict_and_score_agree(make):
    seen = []
    model = make(on_event=seen.append)
    assert model.fit(X, Y) is model
    chances = model.predict_proba(X)
    assert chances.shape == (90, 3) and np.allclose(chances.sum(axis=1), 1, atol=1e-12) and (chances >= 0).all()
    assert np.array_equal(model.predict(X), model.classes_[chances.argmax(axis=1)])
    assert model.score(X, Y) == (model.predict(X) == Y).mean() > 0.9
    assert len(model.loss_curve_) == 4 == sum(isinstance(event, EpochDone) for event in seen)
    assert model.loss_curve_[-1] < model.loss_curve_[0] and model.n_features_in_ == 36
    first = seen[0]  # what a view needs for its header
    assert isinstance(first, RunStarted) and (first.epochs, first.train_images, first.test_images) == (4, 90, 0)
    assert first.title == type(model).__name__.lower() and first.source == "arrays" and first.classes == 3


LABELS = {
    "strings": np.array(["seven", "one", "zwölf"]),
    "objects": np.array(["b", "a", "c"], object),
    "negative": np.array([7, -3, 10**15]),
    "bytes": np.array([200, 100, 0], np.uint8),
    "numbers": np.array([0.0, -1.0, 2.0]),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_any_labels_and_back_from_a_file(make, tmp_path, labels):
    y = labels[Y]
    model = make().fit(X, y)
    assert model.classes_.tolist() == sorted(labels.tolist()) and model.score(X, y) > 0.9
    model.save(tmp_path / "model.safetensors")
    back = type(model).load(tmp_path / "model.safetensors")
    assert back.classes_.dtype == model.classes_.dtype and np.array_equal(back.classes_, model.classes_)
    assert back.predict(X).tolist() == model.predict(X).tolist()
    assert back.predict_proba(X).tobytes() == model.predict_proba(X).tobytes()


def test_npz_gives_the_same_network(make, tmp_path):
    model = make().fit(X, np.array(["seven", "one", "zwölf"])[Y])
    model.save(tmp_path / "model.npz")
    back = type(model).load(tmp_path / "model.npz")
    assert back.predict_proba(X).tobytes() == model.predict_proba(X).tobytes()
    assert back.predict(X).tolist() == model.predict(X).tolist()
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        assert {*model.network_.tensors(), "metadata"} == {*file}
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(
        InputError, match="does not describe the network that it holds: expected a model written by save"
    ):
        type(model).load(tmp_path / "other.npz")


def test_validation_images_are_held_out(make):
    model = make(val=30).fit(X, Y)
    assert len(model.validation_loss_curve_) == 4 and model.validation_loss_curve_[-1] < model.validation_loss_curve_[0]
    assert model.predict_proba(X).tobytes() == make().fit(X[:60], Y[:60]).predict_proba(X).tobytes()
    assert make().fit(X, Y).validation_loss_curve_ == []
    with pytest.raises(InputError, match="val is 90: expected fewer than the 90 images of x"):
        make(val=90).fit(X, Y)


def test_a_subclass_trains(make):
    class Mine(type(make())):
        pass

    assert Mine(**make().get_params()).fit(X, Y).score(X, Y) > 0.9


def test_true_and_false_are_labels():
    assert MLP((4,), **OPTIONS).fit(X, Y > 0).predict(X).dtype == bool


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.zeros(90), "the labels hold 1 classes: expected 2 to 256"),
        (np.arange(90) * 3 % 267, "the labels hold"),
        (Y[:-1], r"y has the shape \(89,\)"),
        (Y[:, None], r"y has the shape \(90, 1\)"),
        (np.where(Y == 0, np.nan, Y), "expected a label for each image"),
        (np.array([None] * 90), "y holds None at"),
        (None, "requires y to be passed"),
        (np.where(Y == 0, 0.5, Y), "continuous numbers such as 0.5: expected classes"),
    ],
)
def test_labels_that_are_refused(make, labels, said):
    if said == "the labels hold":
        x, labels = np.random.default_rng(0).integers(0, 256, (300, 6, 6)).astype(np.uint8), np.arange(300)
    else:
        x = X
    with pytest.raises(InputError, match=said):
        make().fit(x, labels)


def test_all_256_classes_fit():
    y = np.arange(256)
    x = np.random.default_rng(0).integers(0, 256, (256, 6, 6)).astype(np.uint8)
    assert len(MLP((4,), epochs=1).fit(x, y).classes_) == 256


def bad_pixels(value):
    x = np.float64(X)
    x[3, 2, 1] = value
    return x


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (X[0, 0], "x has the shape"),
        (X[None, None], "x has the shape"),
        (X[:0], "x has the shape"),
        (bad_pixels(np.nan), "not finite"),
        (bad_pixels(np.inf), "not finite"),
        (bad_pixels(1e300), "not finite"),
        (X.astype(str), "x is of type"),
        (X + 1j, "x is of type"),
        (np.int64(X) - 300, "expected whole numbers from 0 to 255"),
    ],
)
def test_images_that_are_refused(make, x, said):
    with pytest.raises(InputError, match=said):
        make().fit(x, Y[: len(x)])
    model = make().fit(X, Y)
    with pytest.raises(InputError, match=said):
        model.predict(x)


def test_images_of_another_size_are_refused(make):
    with pytest.raises(InputError, match=r"images of \(8, 8, 1\): expected \(6, 6, 1\), as in fit"):
        make().fit(X, Y).predict(np.zeros((2, 8, 8), np.uint8))
    with pytest.raises(InputError, match="y has the shape"):
        make().fit(X, Y).score(X, Y[:-1])


@pytest.mark.filterwarnings("ignore:x holds numbers from 0 to 255")
def test_rows_that_are_no_square():
    x = X.reshape(90, 36)[:, :35]
    assert MLP((8,), **OPTIONS).fit(x, Y).n_features_in_ == 35
    with pytest.raises(InputError, match="rows of 35 numbers, not a square"):
        CNN("conv2 dense4", **OPTIONS).fit(x, Y)


def test_every_form_of_the_same_images_gives_the_same(make):
    wanted = make().fit(X, Y).predict_proba(X).tobytes()
    for x in (X[..., None], X.reshape(90, 36), np.int64(X), np.asfortranarray(X), X[::-1][::-1], X.tolist()):
        assert make().fit(x, Y).predict_proba(x).tobytes() == wanted
    scaled = np.float32(X) / np.float32(255)
    for x in (scaled, np.float64(scaled)):
        assert make().fit(x, Y).predict_proba(x).tobytes() == wanted


def test_inputs_are_left_alone_and_may_be_read_only(make):
    for x in (X.copy(), np.float32(X) / 255):
        y, before = Y.copy(), x.copy()
        x.flags.writeable = y.flags.writeable = False
        make().fit(x, y).score(x, y)
        assert np.array_equal(x, before) and np.array_equal(y, Y)


def test_unfitted_models_say_so(make, tmp_path):
    for use in (
        lambda m: m.predict(X),
        lambda m: m.predict_proba(X),
        lambda m: m.score(X, Y),
        lambda m: m.save(tmp_path / "m"),
    ):
        with pytest.raises(InputError, match="is not trained yet: call fit first"):
            use(make())


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.h5", "m.keras", "m.onnx", "m.pkl", "m.NPZ", "m.json", "m.npy"])
def test_a_name_of_another_format_is_refused(make, tmp_path, name):
    with pytest.raises(InputError, match=f"{name}' ends in .*: expected a name in .safetensors or .npz"):
        make(epochs=1).fit(X, Y).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_partial_fit_goes_on(make):
    model = make().partial_fit(X, Y, classes=[0, 1, 2, 3])
    assert model.classes_.tolist() == [0, 1, 2, 3]
    for _ in range(3):
        model.partial_fit(X, Y)
    assert len(model.loss_curve_) == 4 and model.loss_curve_[-1] < model.loss_curve_[0] and model.score(X, Y) > 0.9
    with pytest.raises(InputError, match=r"y holds .*4.*: expected one of"):
        model.partial_fit(X, np.full(90, 4))
    four = make(epochs=4).fit(X, Y)
    again = make()
    for _ in range(4):
        again.partial_fit(X, Y)
    assert four.predict_proba(X).tobytes() == again.predict_proba(X).tobytes()  # in file order at a constant rate


def test_a_divergence_is_an_error(make):
    with pytest.raises(DivergedError, match="as it was before, try a smaller lr"):
        make(lr=1e30).fit(X, Y)


def test_files_that_are_refused(make, tmp_path):
    path = tmp_path / "model.safetensors"
    kind = type(make())
    with pytest.raises(InputError, match="no such file"):
        kind.load(path)
    make().fit(X, Y).save(path)
    content = path.read_bytes()
    for damaged in (content[:-1], content[: len(content) // 2], content[:-9] + b"\1" + content[-8:], b""):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"model\.safetensors is not a usable checkpoint"):
            kind.load(path)
    checkpoint.save(path, {"conv1.weight": np.zeros((3, 3, 1, 2), np.float32)}, {})
    with pytest.raises(
        InputError, match="does not describe the network that it holds: expected a model written by save"
    ):
        kind.load(path)


def test_a_file_of_the_other_kind(tmp_path):
    path = tmp_path / "model.safetensors"
    mlp = MAKES["mlp"]().fit(X, Y)
    mlp.save(path)
    assert CNN.load(path).predict_proba(X).tobytes() == mlp.predict_proba(X).tobytes()  # a CNN without a trunk
    CNN("dense8:tanh dense8", **OPTIONS).fit(X, Y).save(path)
    with pytest.raises(InputError, match="its layers have different activations: use CNN"):
        MLP.load(path)
    MAKES["cnn"]().fit(X, Y).save(path)
    with pytest.raises(InputError, match=r"model\.safetensors cannot be loaded: .* use CNN.load"):
        MLP.load(path)


def test_a_pickle_mapped_from_a_read_only_file_predicts_and_trains(tmp_path):
    """Buffers that kernels write would end the process there."""
    joblib = pytest.importorskip("joblib")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 10)), np.arange(30) % 3
    model = MLP((16,), epochs=2, recipe="documents").fit(x, y)
    joblib.dump(model, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    assert np.array_equal(mapped.predict_proba(x), model.predict_proba(x))
    mapped.partial_fit(x, y)
    assert not np.array_equal(mapped.predict_proba(x), model.predict_proba(x))
