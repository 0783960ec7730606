"""What the C++ program prints, and what its files say of their run: the figures, names and settings of Python."""

import shutil

import numpy as np
import pytest
from data_files import write_idx
from twins import Program, compiled, compiler

from jitnet import CNN
from jitnet.config import CHOICES, Settings
from jitnet.data import load
from jitnet.export import twin
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.model.scores import probabilities, score
from jitnet.storage import checkpoint
from jitnet.storage.metadata import Description, metadata
from jitnet.training.position import Position

TINY = "conv2 pool dense4:tanh dense3"  # of the fixture tiny_twin


@pytest.fixture
def digits(tiny_twin):
    """The folder of its images."""
    return tiny_twin.folder.parent / "digits"


def drawn(path, seed):
    """Write a file of other weights; return their network."""
    network = Network(parse(TINY), (6, 6, 1))
    network.initialise("he", seed)
    checkpoint.save(path, network.tensors(), {})
    return network


def test_eval_and_predict_show_what_the_given_weights_make_of_the_images(tiny_twin, digits, tmp_path):
    data = load(str(digits), offline=True)
    for number, image in enumerate(data.x_test[:5]):
        (tmp_path / f"{number}.pgm").write_bytes(b"P5 6 6 255\n" + image.tobytes())
    for seed in (1, 2):
        logits = drawn(tmp_path / "w", seed).logits(data.x_test[..., None])
        shown = tiny_twin("eval", "--data", digits, "--weights", tmp_path / "w").split()
        assert shown[::3] == ["loss", "accuracy"]
        loss, accuracy = score(logits, data.y_test)
        assert float(shown[2]) == pytest.approx(loss, abs=1e-4) and float(shown[5]) == pytest.approx(
            accuracy, abs=0.006
        )
        paths = [tmp_path / f"{number}.pgm" for number in range(5)]
        for line, row in zip(
            tiny_twin("predict", *paths, "--weights", tmp_path / "w").splitlines(), probabilities(logits)
        ):
            _, first, *pairs = line.replace(" %", "").split()
            ranked = np.argsort(-row, kind="stable")
            assert [int(word) for word in (first, *pairs[::2])] == [ranked[0], *ranked]
            assert [float(word) for word in pairs[1::2]] == pytest.approx(100 * row[ranked], abs=0.06)


def test_a_file_of_cpp_describes_the_run_as_that_of_python_does(tiny_twin, digits, tmp_path):
    tiny_twin("train", "--data", digits, "--epochs", 1, "--out", tmp_path / "w")
    _, exported = checkpoint.load(tiny_twin.folder / "model.safetensors")
    _, written = checkpoint.load(tmp_path / "w")
    for name in ("title", "architecture", "image", "bias", "data_sha256", "classes", "classes_dtype"):
        assert written[name] == exported[name], name


def test_a_run_goes_on_with_its_seconds_and_on_its_own_data_alone(tiny_twin, digits, tmp_path):
    tensors, texts = checkpoint.load(tiny_twin.folder / "model.safetensors")
    words = ("train", "--data", digits, "--resume", tmp_path / "w", "--epochs", 3, "--out", tmp_path / "out")
    checkpoint.save(tmp_path / "w", tensors, texts | {"elapsed_s": "1000.5"})
    tiny_twin(*words)
    assert 1000.5 <= float(checkpoint.load(tmp_path / "out")[1]["elapsed_s"]) < 1500
    checkpoint.save(tmp_path / "w", tensors, texts | {"data_sha256": "0" * 64})
    assert "it was trained on other data than --data has" in tiny_twin(*words, code=2)


def test_images_are_shuffled_only_if_the_last_word_says_so(tiny_twin, digits, tmp_path):
    words = ("train", "--data", digits, "--epochs", 1, "--limit", 40, "--optimizer", "sgd", "--batch-size", 1)
    losses = {}
    for name in ("--shuffle", "--no-shuffle"):
        for before in ("--shuffle", "--no-shuffle"):
            tiny_twin(*words, before, name, "--weights", tiny_twin.folder / "model.safetensors", "--losses",
                      tmp_path / "losses")  # fmt: skip
            losses.setdefault(name, set()).add((tmp_path / "losses").read_text())
    network = Network(parse(TINY), (6, 6, 1))
    network.load_tensors(checkpoint.load(tiny_twin.folder / "model.safetensors")[0], "it")
    data = load(str(digits), offline=True)
    _, expected = network.train_steps(
        data.x_train[:40, ..., None], data.y_train[:40], np.arange(40), 1, np.full(40, 0.0), np.zeros(1)
    )
    (plain,), (shuffled,) = losses["--no-shuffle"], losses["--shuffle"]
    assert float(plain.split()[0]) == pytest.approx(expected[0], rel=1e-4)
    assert float(shuffled.split()[0]) != float(plain.split()[0])


def test_a_label_beyond_the_classes_is_refused(tiny_twin, digits, tmp_path):
    folder = shutil.copytree(digits, tmp_path / "digits")
    path = folder / "t10k-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\x03")
    assert "has the label 3: expected labels below 3" in tiny_twin("eval", "--data", folder, code=2)


@pytest.mark.parametrize("scheme", CHOICES["init"])
def test_the_initial_weights_have_the_deviation_of_their_scheme(tiny_twin, digits, tmp_path, scheme):
    """Not NumPy's numbers, but as large, layer by layer; and others of another seed."""
    words = ("train", "--data", digits, "--epochs", 1, "--limit", 1, "--batch-size", 1, "--optimizer", "sgd")
    drawn = []
    for seed in range(4):
        tiny_twin(*words, "--lr", "1e-30", "--init", scheme, "--seed", seed, "--out", tmp_path / "w")
        drawn.append(checkpoint.load(tmp_path / "w")[0])
    network = Network(parse(TINY), (6, 6, 1))
    network.initialise(scheme, 0)
    for name, array in network.tensors().items():
        found = np.concatenate([tensors[name].ravel() for tensors in drawn])
        if name.endswith(".bias"):
            assert np.abs(found).max() < 1e-20  # a step of 1e-30 is done
        else:
            fan_in = array.size // array.shape[-1]
            expected = {"documents": 1 / 9 if array.ndim == 4 else 1 / fan_in, "lecun": fan_in**-0.5,
                        "he": (2 / fan_in) ** 0.5, "normal": 0.01}[scheme]  # fmt: skip
            assert np.sqrt((found**2).mean()) == pytest.approx(expected, rel=3.5 / np.sqrt(2 * found.size))
            assert len(np.unique(found)) == found.size


@pytest.fixture(scope="module")
def colours(tmp_path_factory):
    """The program of a network that reads images of three channels, wider than high, and files of such images."""
    compiler()
    folder = tmp_path_factory.mktemp("colours")
    network = Network(parse("conv2 dense3"), (4, 5, 3), "channel")
    network.initialise("he", 1)
    settings = Settings(architecture="conv2", bias="channel", epochs=1, loss="mse")
    texts = metadata(Description(settings=settings, image=(4, 5, 3), labels=np.arange(3), title="colours"))
    twin.write(folder / "twin", network, settings, network.tensors() | Position().tensors(), texts)
    images, labels = np.random.default_rng(0).integers(0, 256, (9, 4, 5, 3), np.uint8), np.arange(9, dtype=np.uint8) % 3
    write_idx(folder / "data", {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels})
    path = compiled(folder / "twin" / "main.cpp", folder / "twin" / "jitnet_cpp", "-O0")
    return Program(path, folder / "twin"), folder / "data", images, labels


def test_a_network_of_colours_is_described_and_reads_no_grey_pictures(colours, tmp_path):
    program, data, images, labels = colours
    program("train", "--data", data, "--out", tmp_path / "w.safetensors")
    _, texts = checkpoint.load(tmp_path / "w.safetensors")
    assert (texts["title"], texts["image"], texts["bias"]) == ("colours", "4 5 3", "channel")
    model = CNN.load(tmp_path / "w.safetensors")
    loss, accuracy = score(model.network_.logits(images), labels, "mse")
    shown = program("eval", "--data", data, "--weights", tmp_path / "w.safetensors").split()
    assert (float(shown[2]), float(shown[5])) == pytest.approx((loss, accuracy), abs=0.006)
    (tmp_path / "x.pgm").write_bytes(b"P5 5 4 255\n" + bytes(20))
    assert "several channels: predict reads grey ones only" in program("predict", tmp_path / "x.pgm", code=2)
