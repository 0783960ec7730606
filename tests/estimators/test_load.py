"""Trained networks are opened from runs, checkpoints and saved models, by programs and by commands."""

import inspect
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import digits, refusal, rows, settle, train

import jitnet
from jitnet import CNN, MLP, CNNRegressor, MLPRegressor
from jitnet.cli import main
from jitnet.config import BY_RECIPE, SETTINGS, Settings
from jitnet.data import load
from jitnet.errors import InputError
from jitnet.estimators.regressor import Regressor
from jitnet.storage import checkpoint

WORDS = ("--val", "40", "--shuffle", "--optimizer", "momentum", "--lr", "0.02")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


def shown(capsys, *words):
    """Return the lines of a command that works."""
    capsys.readouterr()
    assert main([*words]) == 0
    return capsys.readouterr().out.splitlines()


def last_line(capsys, *words):
    return shown(capsys, *words)[-1]


def test_every_way_to_a_run_gives_the_same_network(folder, capsys):
    train("run", *WORDS)
    shutil.copy("runs/run/last.safetensors", "moved.safetensors")
    jitnet.load("latest").save("model.safetensors")
    jitnet.load("runs/run").save("model.npz")
    x = load("digits", offline=True).x_test
    sources = ["latest", "run", Path("runs/run"), "runs/run/last.safetensors"]
    files = ["moved.safetensors", "model.safetensors", "model.npz"]
    models = [jitnet.load(source) for source in (*sources, *files)] + [CNN.load("run"), CNN.load("model.npz")]
    assert len({model.predict_proba(x).tobytes() for model in models}) == 1
    recipe = {"optimizer": "momentum", "lr": 0.02, "shuffle": True, "val": 40, "architecture": "conv2 pool dense4"}
    for model in models:
        assert isinstance(model, CNN) and recipe.items() <= model.get_params().items()
    wanted = [float(row["train_loss"]) for row in rows(Path("runs/run"))]
    assert [model.loss_curve_ for model in models if model.history_] == [wanted] * (len(models) - 1)
    found = {last_line(capsys, "eval", str(source), "--data", "digits") for source in (*sources, *files)}
    assert len(found) == 1 and "accuracy" in found.pop()
    image = "digits/t10k-images-idx3-ubyte"
    found = {tuple(shown(capsys, "predict", str(source), image)[:-1]) for source in (*sources, *files)}
    assert len(found) == 1 and len(found.pop()) == len(x)  # the last line names the source
    assert last_line(capsys, "eval", "moved.safetensors") == last_line(capsys, "eval", "run")  # it names its data
    assert "expected a run" in refusal(capsys, "eval", "moved.safetensors", "--best")


def test_a_fitted_model_keeps_labels_recipe_and_history(folder, capsys):
    data = load("digits", offline=True)
    names = np.array(["one", "two", "three"])
    model = MLP((5,), "tanh", epochs=2, lr=0.05, val=30, seed=3, batch_size=1).fit(data.x_train, names[data.y_train])
    for file in ("m.npz", "m.safetensors", "m"):
        model.save(file)
        back = jitnet.load(file)
        assert isinstance(back, MLP) and back.settings_ == model.settings_ == back._settings()
        assert back.classes_.tolist() == model.classes_.tolist() and back.loss_curve_ == model.loss_curve_
        assert back.validation_loss_curve_ == model.validation_loss_curve_
        assert back.predict_proba(data.x_test).tobytes() == model.predict_proba(data.x_test).tobytes()
    with pytest.raises(InputError, match=r"m\.gone|no run 'm\.gone'"):
        jitnet.load("m.gone")
    with pytest.raises(InputError, match=r"gone\.npz .*no such file|cannot read .*gone\.npz|gone\.npz"):
        jitnet.load("gone.npz")


def test_an_export_that_cannot_be_written_is_bad_input(folder, capsys):
    train("run")
    for name in ("gone/w.safetensors", "gone/w.npz", f"{'x' * 250}.safetensors"):
        assert "cannot save" in refusal(capsys, "export", "weights", "run", "--out", name)


@pytest.mark.parametrize(
    ("dtype", "labels"),
    [
        ("<i8", [10**400, 1, 2]),
        ("|i1", [300, 1, 2]),
        ("<M8[D]", [1, 2, 3]),
        ("<c16", [1, 2, 3]),
        ("|S999999999", ["a", "b", "c"]),
        ("<i8, (", [1, 2, 3]),
        ("<i8", [[1], [2], [3]]),
        ("|O", [None, {}, 1]),
        ("", [1, 2, 3]),
    ],
)
def test_labels_that_no_model_has_are_refused(folder, capsys, dtype, labels):
    run = train("run")
    tensors, texts = checkpoint.load(run / "last.safetensors")
    checkpoint.save("m.safetensors", tensors, texts | {"classes": json.dumps(labels), "classes_dtype": dtype})
    assert "does not describe the network" in refusal(capsys, "export", "hub", "m.safetensors", "--out", "hub")


def test_the_length_of_labels_is_their_own(folder):
    run = train("run")
    tensors, texts = checkpoint.load(run / "last.safetensors")
    texts |= {"classes": '["a", "b", "ccc"]', "classes_dtype": "<U1000000000"}
    checkpoint.save("m.safetensors", tensors, texts)
    assert jitnet.load("m.safetensors").classes_.tolist() == ["a", "b", "ccc"]
    checkpoint.save("m.safetensors", tensors, texts | {"classes": json.dumps(["x" * 100_000, *["y"] * 1000])})
    with pytest.raises(InputError, match="does not describe"):
        jitnet.load("m.safetensors")


def test_a_regression_is_opened_and_predicts_what_the_command_predicts(folder, capsys):
    rng = np.random.default_rng(0)
    table = rng.random((40, 3))
    np.savetxt("t.csv", table, delimiter=",", header="a,b,price", comments="")
    words = ["train", "mlp", "--hidden", "4", "--data", "t.csv", "--target", "price", "--epochs", "5", "--name", "r"]
    assert main([*words, "--ui", "quiet"]) == 0
    model = jitnet.load("r")
    assert isinstance(model, MLPRegressor) and model.settings_.target == "price" and len(model.history_) == 5
    told = shown(capsys, "predict", "r", "--csv", "t.csv", "--out", "answers.csv")
    named = Table(table[:, :2], ["a", "b"])  # the names of the file's columns
    assert told and np.allclose(model.predict(named), np.loadtxt("answers.csv", delimiter=",", skiprows=1)[:, 1])
    assert "row 2 has 1e+308 as b" in refusal(capsys, "predict", "r", "0.5,0.5", "0.5,1e308")
    model.save("m.safetensors")
    assert np.array_equal(jitnet.load("m.safetensors").predict(named), model.predict(named))
    for kind in (CNN, MLP):
        with pytest.raises(InputError, match="it is a regression; use"):
            kind.load("r")
    train("c")
    with pytest.raises(InputError, match="it classifies; use"):
        CNNRegressor.load("c")


class Table:
    """Rows with named columns, as of pandas."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns

    def __array__(self, dtype=None, copy=None):
        return self.rows


@pytest.mark.parametrize("kind", [MLP, MLPRegressor])
def test_names_of_columns_and_numbers_as_they_are_survive_saving(kind, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).normal(2, 3, size=(40, 3)).round(4)  # of no scale that pixels have
    model = kind((4,), epochs=1).fit(Table(rows, ["a", "b", "c"]), np.arange(40) % 3)
    model.save("m.safetensors")
    back = jitnet.load("m.safetensors")
    assert repr(back) == repr(model) == f"{kind.__name__}(hidden=(4,), epochs=1)"
    assert list(back.feature_names_in_) == ["a", "b", "c"]
    with pytest.raises(InputError, match="feature names should match"):
        back.predict(Table(rows, ["b", "a", "c"]))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        wanted = back.predict(rows)
    np.savetxt("t.csv", rows, delimiter=",", header="a,b,c", comments="")
    assert main(["predict", "m.safetensors", "--csv", "t.csv", "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)["answers"]
    found = [float(answer["value" if kind is MLPRegressor else "class"]) for answer in answers]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_a_picture_has_no_answer_from_a_network_of_other_numbers_than_pixels(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).normal(size=(20, 6, 6))  # standardised, in a way that no file says
    MLP((4,), epochs=1).fit(images, np.arange(20) % 2).save("m.npz")
    Path("p.pgm").write_bytes(b"P5 6 6 255\n" + bytes(range(0, 252, 7)))
    assert main(["predict", "m.npz", "p.pgm"]) == 1
    assert "p.pgm: no answer: the network was trained on fractions from -" in capsys.readouterr().out


@pytest.mark.parametrize("model", [MLP(()), CNN("")])
def test_a_network_without_hidden_layers_stays_one(model, tmp_path):
    model.set_params(epochs=5, lr=0.1, init="he").fit(np.eye(3, 4)[[0, 1, 2] * 4], [0, 1, 2] * 4)
    model.save(tmp_path / "m.npz")
    back = type(model).load(tmp_path / "m.npz")
    assert list(back.network_.tensors()) == list(model.network_.tensors()) == ["dense1.weight", "dense1.bias"]
    assert back.settings_ == model.settings_ == back._settings()


@pytest.mark.parametrize("kind", [CNN, MLP, CNNRegressor, MLPRegressor])
def test_signature_and_documentation_list_every_setting(kind):
    shown, text = inspect.signature(kind).parameters, inspect.getdoc(kind)
    for name, item in SETTINGS.items():
        if item.parameter and name not in kind._without:
            wanted = None if name in BY_RECIPE else getattr(Settings(recipe="modern"), name)
            assert shown[name].default == wanted == getattr(kind(), name)
            assert f"{name} : {'int or float' if name == 'val' else item.type_text}, default {wanted!r}\n" in text
    assert " ".join(text.split()).count("None: by the recipe (documents") == sum(
        SETTINGS[name].parameter for name in BY_RECIPE.difference(kind._without)
    )
    for name in set(shown) - set(SETTINGS):
        assert f"\n{name} : " in text
    of_classes = {"loss", "label_smoothing", "target_accuracy", "class_weight"}  # a regressor would ignore them
    assert of_classes.intersection(shown) == (set() if issubclass(kind, Regressor) else of_classes)
    assert "modern )" not in text and "None: by the recipe (documents none, modern none)" in " ".join(text.split())
    for name in ("network_", "settings_", "history_", "advice_", "n_iter_", "feature_names_in_"):
        assert f"\n{name} : " in text
    assert set(shown) == set(kind().get_params())
    with pytest.raises(TypeError, match="unexpected keyword argument 'epoch'; did you mean 'epochs'"):
        kind(epoch=3)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("epochs", 1.5, "a whole number from 1"),
        ("epochs", True, "a whole number from 1"),
        ("lr", "fast", "a finite number above 0"),
        ("shuffle", "no", "true or false"),
        ("optimizer", "rmsprop", "one of sgd, momentum"),
        ("optimizer", "adm", ".*; did you mean 'adam'"),
        ("momentum", 1, "a number from 0 to less than 1"),
    ],
)
def test_parameters_are_checked_as_settings_are(name, value, expected):
    with pytest.raises(InputError, match=f"^{name} is {value!r}: expected {expected}"):
        MLP((3,), **{name: value}).fit(np.zeros((4, 4)), [0, 1, 0, 1])


def test_numbers_of_numpy_are_numbers():
    values = {"epochs": np.int64(2), "lr": np.float32(0.5), "shuffle": np.bool_(True), "momentum": 0}
    settings = Settings(**values)
    assert (settings.epochs, settings.lr, settings.shuffle, settings.momentum) == (2, 0.5, True, 0.0)
    assert [type(getattr(settings, name)) for name in values] == [int, float, bool, float]
