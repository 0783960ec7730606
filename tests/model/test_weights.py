"""Parameters of other programs: from PyTorch, Keras and our own exports, by name, never from a pickle."""

import json

import numpy as np
import pytest
from commands import TINY, digits, refusal, settle, train

from jitnet import CNN, MLP, cli
from jitnet.commands.export import out_first
from jitnet.errors import InputError
from jitnet.model.architecture import Dense, parse
from jitnet.model.network import Network
from jitnet.storage import foreign_weights

IMAGE, CLASSES = (6, 8, 2), range(3)
ARCHITECTURE = "conv4 pool conv5 dense7:tanh"
RNG = np.random.default_rng(0)
X = RNG.normal(size=(9, *IMAGE)).astype(np.float32)


def drawn(architecture=ARCHITECTURE, bias="position"):
    """A CNN with parameters of no symmetry, and those by name."""
    model = CNN(architecture, bias=bias)
    model._build(IMAGE, 3)
    model.classes_ = np.arange(3)
    model.network_.params[:] = RNG.normal(size=model.network_.params.size) / 4
    return model, model.network_.tensors()


def as_torch(tensors):
    """Our tensors with their axes as PyTorch has them; what reads conv2's 3 x 4 x 5 pixels by channels first."""
    turned = {name: out_first(array) for name, array in tensors.items()}
    after = turned["dense1.weight"].reshape(7, 3, 4, 5)
    return turned | {"dense1.weight": after.transpose(0, 3, 1, 2).reshape(7, 60)}


FORMS = {"torch": as_torch, "keras": dict, "jitnet": lambda tensors: {n: out_first(a) for n, a in tensors.items()}}


@pytest.mark.parametrize("layout", FORMS)
def test_each_layout_gives_the_same_network(layout, tmp_path):
    model, tensors = drawn()
    np.savez(tmp_path / "w.npz", **FORMS[layout](tensors))
    back = CNN(ARCHITECTURE).import_weights(tmp_path / "w.npz", IMAGE, CLASSES, layout=layout)
    assert back.predict_proba(X).tobytes() == model.predict_proba(X).tobytes()


# (architecture, image, whether torch and jitnet differ: a dense layer after maps of several pixels and channels)
SHAPES = [
    ("dense5", (4, 3, 1), False),
    ("dense12", (4, 3, 1), False),
    ("dense3 dense3", (3, 1, 1), False),
    ("conv4", (5, 4, 1), True),
    ("conv3 pool conv9", (6, 8, 3), True),
    ("conv1 dense7", (5, 4, 1), False),
    (ARCHITECTURE, IMAGE, True),
]
STATED = {"torch": {"format": "pt"}, "keras": {"format": "tf"}, "jitnet": {"layout": "jitnet"}}
ENDINGS = ((".weight", ".bias"), (".kernel", ".bias"), ("/kernel", "/bias"), ("/kernel:0", "/bias:0"))


@pytest.mark.parametrize("bias", ["position", "channel"])
@pytest.mark.parametrize("layout", FORMS)
@pytest.mark.parametrize(("architecture", "image", "differ"), SHAPES)
def test_auto_takes_the_right_layout_or_none(architecture, image, differ, layout, bias):
    """What a file states decides; else only a layout that no other one contradicts."""
    network = Network((*parse(architecture), Dense(3)), image, bias)
    network.params[:] = RNG.normal(size=network.params.size)
    tensors = {name: array.copy() for name, array in network.tensors().items()}
    given = {name: array if layout == "keras" else out_first(array) for name, array in tensors.items()}
    if layout == "torch":
        for before, shape in zip(network.shapes, network.shapes[1:]):
            if len(before.outputs) == 3 and shape.name.startswith("dense"):
                H, W, C = before.outputs
                rows = given[f"{shape.name}.weight"].reshape(-1, H, W, C)
                given[f"{shape.name}.weight"] = rows.transpose(0, 3, 1, 2).reshape(len(rows), -1)
    stated, _ = foreign_weights.import_tensors(network, given, STATED[layout], {}, "auto", "it")
    assert all(np.array_equal(stated[name], tensors[name]) for name in tensors)
    try:
        found, _ = foreign_weights.import_tensors(network, given, {}, {}, "auto", "it")
    except InputError as error:
        assert "does not state its layout" in str(error) and (differ or network.shapes[0].inputs[0] in (3, 12))
    else:
        assert all(np.array_equal(found[name], tensors[name]) for name in tensors)
        assert not (differ and layout != "keras")


def test_a_layout_that_contradicts_the_file_is_refused():
    network = Network((*parse("conv2"), Dense(3)), (4, 4, 1))
    for found, stated in (
        ({"layout": "jitnet"}, "jitnet"),
        ({"layout": "out, in"}, "jitnet"),
        ({"architecture": "conv2"}, "keras"),
    ):
        with pytest.raises(InputError, match=f"states the layout {stated}, but torch is given: omit the layout"):
            foreign_weights.import_tensors(network, {}, found, {}, "torch", "it")


@pytest.mark.parametrize(
    ("found", "layout"),
    [
        ({"format": "pt"}, "torch"), ({"format": "tf"}, "keras"), ({"format": "flax"}, "keras"),
        ({"layout": "out, in"}, "jitnet"), ({"architecture": "conv2"}, "keras"),
        *(({"layout": layout, "architecture": "conv2", "format": "jitnet-1"}, layout) for layout in FORMS),
        ({"layout": "rows first", "format": "pt"}, "torch"),
    ],
)  # fmt: skip
def test_each_way_to_state_a_layout(found, layout):
    square = Network(parse("dense3 dense3"), (3, 1, 1))  # its shapes allow every layout
    square.params[:] = RNG.normal(size=square.params.size)
    turned = square.tensors() if layout == "keras" else FORMS["jitnet"](square.tensors())
    model, tensors = drawn()
    for network, given in ((square, turned), (model.network_, FORMS[layout](tensors))):
        for chosen in ("auto", layout):
            imported, unused = foreign_weights.import_tensors(network, given, found, {}, chosen, "it")
            assert unused == []
            assert all(np.array_equal(imported[name], array) for name, array in network.tensors().items())


def test_a_layout_that_nobody_knows_is_refused():
    network = Network((Dense(3),), (4, 4, 1))
    with pytest.raises(InputError, match="the layout is 'rows': expected one of auto, torch, keras, jitnet"):
        foreign_weights.import_tensors(network, network.tensors(), {}, {}, "rows", "it")


@pytest.mark.parametrize("layout", FORMS)
def test_a_layout_that_is_given_counts_more_than_the_name_of_a_program(layout):
    model, tensors = drawn()
    for program in ("pt", "tf", "flax", "np"):
        given = FORMS[layout](tensors)
        imported, _ = foreign_weights.import_tensors(model.network_, given, {"format": program}, {}, layout, "it")
        assert all(np.array_equal(imported[name], tensors[name]) for name in tensors)


def test_pytorch_counts_the_numbers_of_an_image_channel_by_channel():
    network, weight = Network((Dense(3),), (4, 5, 2)), RNG.normal(size=(3, 40)).astype(np.float32)
    image = RNG.normal(size=(4, 5, 2)).astype(np.float32)
    given = {"dense1.weight": weight, "dense1.bias": np.zeros(3, np.float32)}
    for layout, seen in (("torch", image.transpose(2, 0, 1)), ("jitnet", image)):
        imported, _ = foreign_weights.convert(network, given, {}, layout, "it")
        assert np.allclose(image.ravel() @ imported["dense1.weight"], weight @ seen.ravel(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layout", FORMS)
def test_a_bias_that_its_program_adds_to_a_batch(layout):
    model, tensors = drawn()
    given = FORMS[layout](tensors)
    given = {name: array[None] if array.ndim == 3 else array for name, array in given.items()}
    imported, _ = foreign_weights.convert(model.network_, given, {}, layout, "it")
    assert all(np.array_equal(imported[name], tensors[name]) for name in tensors)


def test_names_of_layers_of_tensors_and_of_nothing(tmp_path):
    model, tensors = drawn()
    tensors["conv2.bias"][:] = 0
    given = as_torch(tensors)
    del given["conv2.bias"]
    given = {name.replace("dense1", "classifier.1"): array for name, array in given.items()} | {
        "shift": given["conv1.bias"]
    }
    del given["conv1.bias"]
    np.savez(tmp_path / "w.npz", extra=np.zeros(3), **given)
    names = {"dense1": "classifier.1", "conv1.bias": "shift", "conv2.bias": "none"}
    back = CNN(ARCHITECTURE).import_weights(tmp_path / "w.npz", IMAGE, CLASSES, names, "torch")
    assert back.predict_proba(X).tobytes() == model.predict_proba(X).tobytes()
    assert foreign_weights.convert(model.network_, given | {"extra": X}, names, "torch", "it")[1] == ["extra"]


@pytest.mark.parametrize("bias", ["position", "channel"])
def test_one_bias_for_each_channel_serves_every_position(bias, tmp_path):
    model, tensors = drawn(bias="channel")
    given = as_torch(tensors) | {f"conv{n}.bias": tensors[f"conv{n}.bias"].ravel() for n in (1, 2)}
    np.savez(tmp_path / "w.npz", **given)
    back = CNN(ARCHITECTURE, bias=bias).import_weights(tmp_path / "w.npz", IMAGE, CLASSES)
    assert np.allclose(back.predict_proba(X), model.predict_proba(X), atol=1e-6)


def test_a_wrong_layout_is_told_the_right_one(tmp_path):
    _, tensors = drawn()
    np.savez(tmp_path / "w.npz", **FORMS["keras"](tensors))
    with pytest.raises(InputError, match=r"in the layout of torch; it fits in that of keras$"):
        CNN(ARCHITECTURE).import_weights(tmp_path / "w.npz", image=IMAGE, classes=CLASSES, layout="torch")
    np.savez(tmp_path / "w.npz", **tensors | {"conv1.weight": np.ones((3, 3, 2, 5), np.float32)})
    with pytest.raises(InputError, match=r"in the layout of keras$"):
        CNN(ARCHITECTURE).import_weights(tmp_path / "w.npz", layout="keras", image=IMAGE, classes=CLASSES)


@pytest.mark.parametrize(("weight", "bias"), ENDINGS)
def test_keras_names_have_other_endings(tmp_path, weight, bias):
    model, tensors = drawn()
    given = {name.replace(".weight", weight).replace(".bias", bias): array for name, array in tensors.items()}
    np.savez(tmp_path / "w.npz", **{f"net/{name}": array for name, array in given.items()})
    names = {name: f"net/{name}" for name in ("conv1", "conv2", "dense1", "dense2")}
    back = CNN(ARCHITECTURE).import_weights(tmp_path / "w.npz", IMAGE, CLASSES, names, "keras")
    assert back.predict_proba(X).tobytes() == model.predict_proba(X).tobytes()


@pytest.mark.parametrize(
    ("change", "names", "said"),
    [
        ({}, {"conv9": "a"}, "the map names 'conv9': expected one of conv1.weight"),
        ({}, {"conv1": "a"}, "has no 'a.weight' for conv1.weight: it has conv1.weight.*name it by --map conv1=THEIRS"),
        ({}, {"conv1.weight": "none"}, "has no 'none' for conv1.weight"),
        ({"a": np.zeros(3)}, {"conv1.weight": "a"}, r"float64 \(3,\) as 'a': expected what becomes conv1.weight"),
        ({"dense2.bias": np.full(3, 1e300)}, {}, "a number too large for float32 as 'dense2.bias'"),
        (
            {"conv1.weight": np.zeros((4, 2, 5, 5), "f4")},
            {},
            r"float32 \(4, 2, 5, 5\) as 'conv1.weight': expected what",
        ),
        ({"dense2.bias": np.zeros(3, int)}, {}, "has int64"),
        ({"dense2.bias": np.full(3, np.nan)}, {}, "a value that is not finite as 'dense2.bias'"),
        ({"dense1.weight": np.zeros((7, 59), "f4")}, {}, r"\(7, 59\)"),
        ({"conv1.bias": np.zeros(5, "f4")}, {}, r"\(5,\) as 'conv1.bias'"),
        ({"conv1.bias": np.zeros((4, 8), "f4")}, {}, r"\(4, 8\) as 'conv1.bias'"),  # for each column, not each channel
    ],
)
def test_what_does_not_fit_is_refused(change, names, said, tmp_path):
    np.savez(tmp_path / "w.npz", **as_torch(drawn()[1]) | change)
    with pytest.raises(InputError, match=said):
        CNN(ARCHITECTURE).import_weights(tmp_path / "w.npz", IMAGE, CLASSES, names, "torch")


def test_files_that_are_refused(tmp_path):
    for name, content, said in (
        ("w.pt", b"PK", "expected a .safetensors or .npz file, from PyTorch by safetensors.torch.save_file"),
        ("w.npz", b"PK", "not a sound npz file"),
        ("w.safetensors", b"\x08\0\0\0\0\0\0\0{}      ", "has no 'conv1.weight'"),
        ("w.safetensors", b"\xff" * 20, "w.safetensors is not a usable safetensors file"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=said):
            CNN(ARCHITECTURE).import_weights(tmp_path / name, IMAGE, CLASSES)
    with pytest.raises(InputError, match="expected each once and ascending"):
        CNN(ARCHITECTURE).import_weights(tmp_path / "w.npz", IMAGE, [2, 1, 0])


def test_an_export_becomes_a_run_again(tmp_path, monkeypatch, capsys):
    digits(settle(monkeypatch, tmp_path))
    train("run")
    assert cli.main(["eval", "run"]) == 0
    wanted = capsys.readouterr().out.splitlines()[-1]
    assert cli.main(["export", "weights", "run", "--out", "w.safetensors"]) == 0
    assert cli.main(["export", "weights", "run", "--out", "w.npz"]) == 0
    words = ("import", "weights", "w.safetensors", "cnn", *TINY[:2], "--data", "digits", "--name", "back")
    for name, given in {"back": words, "described": ("import", "weights", "w.npz", "--name", "described")}.items():
        assert cli.main([*given]) == 0
        assert cli.main(["eval", name]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == wanted
    other = ("import", "weights", "w.npz", "cnn", "--arch", "conv2:tanh pool dense4", "--data", "digits")
    assert "holds the network 'conv2 pool dense4'" in refusal(capsys, *other)
    assert "states the layout jitnet" in refusal(capsys, *words[:-1], "third", "--layout", "torch")
    assert json.loads((tmp_path / "runs/back/meta.json").read_text())["status"] == "stopped"
    assert "expected OURS=THEIRS" in refusal(capsys, *words, "--map", "conv1")


def test_a_model_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    nn = torch.nn
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.ZeroPad2d((0, 1, 0, 1)), nn.MaxPool2d(3, 2),
        nn.Conv2d(4, 5, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(60, 7), nn.Tanh(), nn.Linear(7, 3),
    )  # fmt: skip
    names = {"conv1": "0", "conv2": "4", "dense1": "7", "dense2": "9"}
    with torch.no_grad():
        wanted = network(torch.tensor(X).permute(0, 3, 1, 2)).numpy()
    np.savez(tmp_path / "w.npz", **{name: array.numpy() for name, array in network.state_dict().items()})
    for bias in ("position", "channel"):
        model = CNN(ARCHITECTURE, bias=bias).import_weights(tmp_path / "w.npz", IMAGE, CLASSES, names)
        assert np.abs(model.network_.logits(X) - wanted).max() < 1e-4


def test_an_mlp_of_pytorch_as_safetensors(tmp_path):
    torch, library = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch")
    network = torch.nn.Sequential(torch.nn.Linear(784, 30), torch.nn.ReLU(), torch.nn.Linear(30, 10))
    library.save_file(network.state_dict(), tmp_path / "w.safetensors")
    model = MLP((30,)).import_weights(tmp_path / "w.safetensors", names={"dense1": "0", "dense2": "2"})
    x = RNG.normal(size=(5, 28, 28)).astype(np.float32)
    with torch.no_grad():
        wanted = torch.softmax(network(torch.tensor(x).reshape(5, 784)), 1).numpy()
    assert np.abs(model.predict_proba(x) - wanted).max() < 1e-4


def test_ours_open_with_the_public_library(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    model, tensors = drawn()
    model.save(tmp_path / "w.safetensors")
    theirs = library.load_file(tmp_path / "w.safetensors")
    assert theirs.keys() == tensors.keys() and all(np.array_equal(theirs[name], tensors[name]) for name in tensors)
