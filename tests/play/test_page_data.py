"""The data in the page, read as its scripts read them, without a browser: they are those of the run."""

import base64
import dataclasses
import importlib
import json
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from jitnet.data.pictures.style import AS_IS
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.play import Snapshot, Subject, pack, page

LETTERS = str.maketrans("[],.:", "<>&-`")
RNG = np.random.default_rng(0)


def bytes_of(text):
    """Return the bytes that `pack.deflated` and `pack.text` made a text of."""
    data = base64.b85decode(text[1:].translate(LETTERS))
    return zlib.decompress(data[: len(data) - int(text[0])])


def parameters(given):
    """Return the numbers that `pack.packed` rounded, one array for each exponent's tensor is cut by the caller."""
    planes = [np.frombuffer(bytes_of(plane), np.uint8).astype(np.int64) for plane in given["planes"]]
    code = sum(plane << 8 * place for place, plane in enumerate(planes))
    return np.where(code % 2, -(code + 1) // 2, code // 2)


def cut(given, tensors):
    """Return packed parameters by the names of the tensors that they were."""
    whole, at, found = parameters(given), 0, {}
    for exponent, (name, array) in zip(given["exponents"], tensors.items(), strict=True):
        found[name] = (whole[at : at + array.size] * 2.0**exponent).astype(np.float32).reshape(array.shape)
        at += array.size
    assert at == len(whole)
    return found


def pixels(given, shape):
    mask = np.unpackbits(np.frombuffer(bytes_of(given["mask"]), np.uint8), count=given["count"] * np.prod(shape))
    found = np.zeros(mask.size, np.uint8)
    found[mask == 1] = np.frombuffer(bytes_of(given["levels"]), np.uint8)
    return found.reshape(-1, *shape)


def floats(text):
    return np.frombuffer(bytes_of(text), "<f4")


def data(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


TENSORS = {
    "large": (RNG.standard_normal((60, 50)) * 0.01).astype(np.float32),
    "few": RNG.standard_normal(9).astype(np.float32),
    "zeros": np.zeros(3, np.float32),
    "far apart": np.array([1e-30, -3e4], np.float32),
}


@pytest.mark.parametrize("bits", [14, 18, 21, 24])
def test_parameters_are_rounded_as_far_as_they_must_be(bits):
    given = pack.packed(TENSORS, bits)
    found, there = cut(given, TENSORS), pack.restored(TENSORS, bits)
    for name, array in TENSORS.items():
        assert np.array_equal(found[name], there[name])
        step = 2.0 ** -(bits if name == "large" else pack.FINEST) * 2.0 ** np.frexp(np.abs(array).max())[1]
        assert np.abs(found[name] - array).max(initial=0) <= step
        assert not np.any(np.float64(found[name]) % step)
    for got, wanted in zip(found["large"].ravel(), TENSORS["large"].ravel()):
        possible = 2.0 ** given["exponents"][0] < 1e-4  # some multiple of the step has the same four decimals
        assert not possible or f"{got:.4f}" == f"{wanted:.4f}"


def test_images_and_numbers_are_packed_without_loss():
    images = (RNG.integers(0, 256, (9, 5, 7, 3)) * (RNG.random((9, 5, 7, 3)) < 0.3)).astype(np.uint8)
    assert np.array_equal(pixels(pack.images(images) | {"count": 9}, (5, 7, 3)), images)
    values = RNG.normal(size=(4, 3))
    assert np.array_equal(floats(pack.floats(values)), values.astype(np.float32).ravel())
    assert bytes_of(pack.labels(np.array([0, 9, 255]))) == bytes([0, 9, 255])
    levels = np.arange(256, dtype=np.uint8)
    rounded = pack.coarse(levels)
    assert len(np.unique(rounded)) == 32 and np.abs(rounded.astype(int) - levels).max() <= 255 / 31 / 2 + 1
    assert rounded[0] == 0 and rounded[255] == 255


def classifier(**changes):
    """A run of colours with a dropout, an average pool and names that mean something in HTML and in the template."""
    network = Network(parse("conv4 avgpool dense9:tanh dense3"), (7, 6, 3), "channel", loss="mse", dropout=0.25)
    network.initialise("he", 1)
    images, labels = RNG.integers(0, 256, (80, 7, 6, 3), dtype=np.uint8), RNG.integers(0, 3, 80)
    early, late = ({name: array * factor for name, array in network.tensors().items()} for factor in (0.5, 2.0))
    values = {
        "title": "a <b> & @style@", "facts": [("network", "</script>")], "network": network,
        "metadata": {"title": "a"}, "style": dataclasses.asdict(AS_IS), "class_names": ("</script>", "@data@", "é"),
        "data": "images of <x>", "train": images, "train_targets": labels, "test": images[40:],
        "test_targets": labels[40:], "label": "after 3 epochs", "epoch": 3,
        "snapshots": (Snapshot("after 1 epoch", 1, early), Snapshot("after 5 epochs", 5, late)),
    }  # fmt: skip
    return Subject(**values | changes)


def test_a_page_carries_its_run():
    subject = classifier()
    found = data(page(subject, "Made <now>."))
    tensors = subject.network.tensors()
    kept = cut(found["parameters"], tensors)
    assert all(np.array_equal(kept[name], array) for name, array in pack.restored(tensors, found["bits"]).items())
    assert np.array_equal(pixels(found["test"], (7, 6, 3)), subject.test)
    assert np.array_equal(pixels(found["train"], (7, 6, 3)), pack.coarse(subject.train))
    for part in ("train", "test"):
        assert list(bytes_of(found[part]["labels"])) == getattr(subject, f"{part}_targets").tolist()
    assert np.array_equal(floats(found["check"]).reshape(-1, 3), subject.network.logits(subject.test[:32]))
    assert found["names"] == list(subject.class_names) and found["source"] == "images of <x>"
    assert found["digits"] is False and data(page(classifier(digits=True), ""))["digits"] is True
    assert (found["metadata"], found["style"]) == (subject.metadata, dataclasses.asdict(AS_IS))


def test_the_checkpoints_of_a_page_are_older_and_newer_than_its_own():
    subject = classifier()
    found = data(page(subject, ""))
    assert found["place"] == 1 and found["label"] == "after 3 epochs"
    for each, given in zip(subject.snapshots, found["snapshots"], strict=True):
        kept = cut(given["parameters"], each.tensors)
        assert given["label"] == each.label
        assert all(np.array_equal(kept[name], array) for name, array in pack.restored(each.tensors, 14).items())


def test_the_network_of_a_page_is_that_of_the_run():
    spec = data(page(classifier(), ""))["spec"]
    assert (spec["image"], spec["bias"], spec["loss"]) == ([7, 6, 3], "channel", "mse")
    assert [(layer["name"], layer["kind"]) for layer in spec["layers"]] == [
        ("conv1", "conv"), ("pool1", "avgpool"), ("dense1", "dense"), ("dense2", "dense")
    ]  # fmt: skip
    parts = [(layer["size"], layer["activation"], layer["dropout"]) for layer in spec["layers"] if "size" in layer]
    assert [part[0] for part in parts] == [4, 9, 3] and [part[1] for part in parts[:2]] == ["relu", "tanh"]
    assert [part[2] for part in parts] == [0, 0.25, 0]  # of hidden dense layers alone


def test_no_name_can_leave_its_place_in_the_page():
    text = page(classifier(), "Made <now> & @title@.")
    assert "<title>a &lt;b&gt; &amp; @style@" in text and "Made &lt;now&gt; &amp; @title@." in text
    assert text.count("</script>") == page(classifier(facts=[], class_names=()), "").count("</script>")
    found = data(text)
    assert found["title"] == "a <b> & @style@" and found["facts"] == [["network", "</script>"]]


def test_a_regression_carries_its_columns_scales_and_rows():
    network = Network(parse("dense6:tanh dense1:linear"), (1, 2, 1), loss="mse")
    network.initialise("he", 1)
    rows, targets = RNG.standard_normal((12, 1, 2, 1)).astype(np.float32), RNG.normal(size=(12, 1)).astype(np.float32)
    found = data(page(classifier(
        network=network, class_names=(), target="price", columns=("size", "age"), means=(1.0, 2.0, 100.0),
        deviations=(1.0, 0.5, 10.0), train=rows, train_targets=targets, test=rows[3:], test_targets=targets[3:],
        snapshots=(),
    ), ""))  # fmt: skip
    assert (found["target"], found["columns"], found["means"]) == ("price", ["size", "age"], [1.0, 2.0, 100.0])
    assert found["deviations"] == [1.0, 0.5, 10.0] and found["spec"]["loss"] == "numbers" and found["place"] == 0
    for part, start in (("train", 0), ("test", 3)):
        assert found[part]["count"] == 12 - start
        assert np.array_equal(floats(found[part]["rows"]), rows[start:].ravel())
        assert np.array_equal(floats(found[part]["values"]), targets[start:].ravel())


def test_a_page_has_the_most_exact_parameters_with_which_it_is_small_enough(monkeypatch):
    module = importlib.import_module("jitnet.play.page")  # the package has a function of that name
    network = Network(parse("dense60 dense3"), (7, 6, 3))
    network.initialise("he", 0)
    subject = classifier(network=network, snapshots=())
    sizes = {}
    for bits in range(module.COARSEST, pack.FINEST + 1):
        found = module.data(subject) | {"bits": bits, "parameters": pack.packed(network.tensors(), bits)}
        sizes[bits] = len(module.document(subject.title, "é", found).encode())
    assert list(sizes.values()) == sorted(sizes.values())
    for limit in (sizes[24], sizes[24] - 1, sizes[18] - 1):
        monkeypatch.setattr(module, "LARGEST", limit)
        text = page(subject, "é")
        expected = max((bits for bits, size in sizes.items() if size <= limit), default=module.COARSEST)
        assert data(text)["bits"] == expected and len(text.encode()) == sizes[expected]


def test_the_document_has_the_figures_of_the_page():
    module = importlib.import_module("jitnet.play.page")
    text = (Path(__file__).parents[2] / "docs" / "play.md").read_text(encoding="utf-8")
    assert f"have {pack.FINEST} bits, the others as many as keep the page below {module.LARGEST / 1e6:g} MB" in text
    assert f" MB, but {module.COARSEST} at least" in text
