"""Which place is looked into, in which order, and what is said when it does not do."""

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from data_files import arrays, csv_text, tiny_mnist, write_idx

from jitnet.data import load, load_mnist
from jitnet.data.sources import search
from jitnet.data.sources.known import FASHION, FILES, KMNIST, KNOWN, MNIST, PARTS
from jitnet.errors import InputError

REAL = os.environ.get("JITNET_DATA")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home, a working folder and a cache of our own; a tiny set in MNIST's place; and no network."""
    for name in ("JITNET_DATA", "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JITNET_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setitem(KNOWN, "mnist", tiny_mnist())
    monkeypatch.setattr(search, "MNIST", tiny_mnist())
    return tmp_path


@pytest.fixture
def synthetic(monkeypatch):
    """The built-in set without its kernel."""
    module = types.ModuleType("jitnet.data.synthetic")
    module.make = lambda seed=0, report=None: tuple(arrays(seed=9).values())
    monkeypatch.setitem(sys.modules, "jitnet.data.synthetic", module)


def get(spec="auto", **options):
    warnings = []
    return load(spec, warn=warnings.append, offline=True, **options), warnings


def refused(spec, **options) -> str:
    with pytest.raises(InputError) as caught:
        load(spec, warn=pytest.fail, offline=True, **options)
    return str(caught.value)


def assert_is(data, made):
    for part in PARTS:
        array = getattr(data, part)
        np.testing.assert_array_equal(array, made[part])
        assert array.dtype == np.uint8 and array.flags.writeable and array.flags.c_contiguous


def write_npz(path: Path, made) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **made)
    return path


def write_npy(folder: Path, made) -> Path:
    folder.mkdir(parents=True)
    for part, array in made.items():
        np.save(folder / f"{part}.npy", array)
    return folder


def write_csv(folder: Path, made, names=("mnist_train.csv", "mnist_test.csv")) -> Path:
    folder.mkdir(parents=True)
    (folder / names[0]).write_text(csv_text(made["x_train"], made["y_train"], header="label,pixel0\n"))
    (folder / names[1]).write_text(csv_text(made["x_test"], made["y_test"]))
    return folder


WRITERS = {
    "idx": lambda folder, made: write_idx(folder, made),
    "gz": lambda folder, made: write_idx(folder, made, compress=True),
    "torchvision": lambda folder, made: write_idx(folder / "MNIST" / "raw", made).parent.parent,
    "npz": lambda folder, made: write_npz(folder / "mnist.npz", made),
    "npz folder": lambda folder, made: write_npz(folder / "mnist.npz", made).parent,
    "npy": write_npy,
    "csv": write_csv,
    "csv file": lambda folder, made: write_csv(folder, made) / "mnist_train.csv",
    "kaggle names": lambda folder, made: write_csv(folder, made, ("train.csv", "test.csv")),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("cached", [False, True])
def test_every_layout_of_own_data(home, writer, cached):
    path = WRITERS[writer](home / "digits", arrays(seed=3))
    for _ in range(1 + cached):
        data, warnings = get(str(path))
    assert_is(data, arrays(seed=3))
    stems = {"npz": "own-mnist", "csv file": "mnist_train"}
    assert data.name == stems.get(writer, "digits") and data.source == str(path)
    assert data.classes == 10 and not data.synthetic and not warnings


@pytest.mark.parametrize("writer", WRITERS)
def test_what_has_mnists_content_is_called_mnist(home, monkeypatch, writer):
    path = WRITERS[writer](home / "whatever", arrays())
    data, _ = get(path)
    assert data.name == "mnist"
    monkeypatch.setenv("JITNET_DATA", str(path))
    for spec in ("mnist", "auto"):
        again, warnings = get(spec)
        assert (again.name, again.source, again.sha256, warnings) == ("mnist", str(path), data.sha256, [])


@pytest.mark.parametrize("name", ["mnist", "synthetic"])
def test_own_data_never_gets_a_known_name(home, name):
    data, _ = get(write_idx(home / name, arrays(seed=3)))
    assert data.name == f"own-{name}" and not data.synthetic


def test_the_hash_tells_data_apart(home):
    made = arrays()
    swapped = made | {"y_train": made["y_train"][::-1].copy()}
    assert get(write_idx(home / "a", made))[0].sha256 != get(write_idx(home / "b", swapped))[0].sha256


def test_a_lone_csv_is_split(home):
    made = arrays(seed=3)
    (home / "all.csv").write_text(csv_text(made["x_train"], made["y_train"]))
    data, warnings = get(str(home / "all.csv"))
    assert len(warnings) == 1 and "every seventh image of each class is for testing, 10 in all" in warnings[0]
    np.testing.assert_array_equal(data.x_train, made["x_train"][:30])  # of four of a class the last
    np.testing.assert_array_equal(data.y_test, made["y_train"][30:])
    (home / "few.csv").write_text(csv_text(made["x_train"][:11], made["y_train"][:11]))
    assert "has 1 image of the class 1: expected at least 2" in refused(str(home / "few.csv"))


def test_colour_images_keep_their_channels(home):
    made = arrays()
    colour = {part: np.stack([made[part]] * 3, axis=-1) for part in ("x_train", "x_test")}
    data, _ = get(write_npy(home / "colour", made | colour))
    assert data.x_train.shape == (40, 28, 28, 3) and data.name == "colour"


def test_paths_that_hold_no_data_set(home):
    (home / "empty").mkdir()
    (home / "file.txt").write_text("")
    assert "holds no data set: expected train-images-idx3-ubyte" in refused(str(home / "empty"))
    assert "file.txt is not a data set: expected a folder" in refused(str(home / "file.txt"))
    assert "there is no data set 'mnits': expected auto, mnist, fashion, kmnist, synthetic, or the path" in refused(
        "mnits"
    )
    assert "there is no data set 'a\\x00b'" in refused("a\0b")
    part = write_idx(home / "part", {"x_test": arrays()["x_test"]})
    assert "has t10k-images-idx3-ubyte but lacks train-images-idx3-ubyte, train-labels" in refused(str(part))
    damaged = write_idx(home / "damaged", arrays())
    (damaged / FILES["x_test"]).write_bytes(b"<html>")
    assert f"{damaged / FILES['x_test']} is not an IDX file" in refused(str(damaged))
    mixed = write_idx(home / "mixed", arrays() | {"y_train": arrays()["y_test"]})
    assert "40 train images but 20 train labels" in refused(str(mixed))
    write_npz(home / "bad.npz", arrays() | {"x_test": arrays()["x_test"] / 255})
    assert "pixels up to 1 in one part and up to 255 in another" in refused(str(home / "bad.npz"))


def test_jitnet_data_that_cannot_be_used(home, monkeypatch, synthetic):
    monkeypatch.setenv("JITNET_DATA", str(home / "none"))
    assert f"JITNET_DATA={home / 'none'} cannot be used:" in refused("mnist")
    data, warnings = get("auto")
    assert data.synthetic and len(warnings) == 2
    assert "cannot be used" in warnings[0] and "does not exist" in warnings[0] and "synthetic" in warnings[1]


def test_jitnet_data_with_other_content(home, monkeypatch):
    own = write_idx(home / "digits", arrays(seed=3))
    monkeypatch.setenv("JITNET_DATA", str(own))
    assert f"JITNET_DATA={own} holds other data than MNIST" in refused("mnist")
    data, warnings = get("auto")
    assert data.name == "digits" and not warnings
    assert_is(data, arrays(seed=3))


def test_a_path_beats_jitnet_data_and_tilde_is_home(home, monkeypatch):
    monkeypatch.setenv("JITNET_DATA", str(home / "none"))
    write_idx(home / "home" / "digits", arrays(seed=3))
    assert get("~/digits")[0].name == "digits"
    monkeypatch.setenv("JITNET_DATA", "~/digits")
    assert get("auto")[0].name == "digits"


COPIES = {
    "keras": lambda home, made: write_npz(home / "home" / ".keras" / "datasets" / "mnist.npz", made),
    "work": lambda home, made: write_idx(home / "work" / "data" / "MNIST" / "raw", made),
    "here": lambda home, made: write_idx(home / "work" / "MNIST" / "raw", made, compress=True),
    "home": lambda home, made: write_idx(home / "home" / "data" / "MNIST" / "raw", made),
}


@pytest.mark.parametrize("copy", COPIES)
def test_copies_of_other_tools(home, copy):
    path = COPIES[copy](home, arrays())
    data, warnings = get("mnist")
    assert_is(data, arrays())
    assert (data.name, data.source, warnings) == ("mnist", str(path), [])


@pytest.mark.parametrize("copy", COPIES)
def test_copies_of_other_tools_with_other_content_are_not_taken(home, copy, synthetic):
    path = COPIES[copy](home, arrays() | {"y_test": np.zeros(20, np.uint8)})
    message = refused("mnist")
    assert f"{path}: not MNIST, t10k-labels-idx1-ubyte have other content" in message
    assert get("auto")[0].synthetic


def test_nowhere(home):
    message = refused("mnist")
    for words in (
        str(home / "cache" / "data"),
        ".keras/datasets/mnist.npz: not there",
        "offline",
        "JITNET_DATA",
    ):
        assert words in message
    for part in PARTS:
        assert f"{FILES[part]}  content SHA-256 {tiny_mnist().sha256[part]}" in message


def test_the_built_in_set(synthetic):
    data, warnings = get("synthetic")
    assert_is(data, arrays(seed=9))
    assert (data.name, data.source, data.synthetic, warnings) == ("synthetic", "built-in", True, [])
    data, warnings = get("auto")
    assert data.synthetic and len(warnings) == 1 and "\n" not in warnings[0]
    assert "MNIST could not be had" in warnings[0] and "synthetic" in warnings[0]
    with pytest.warns(UserWarning, match="synthetic"):
        load(offline=True)


def test_without_home_or_with_a_home_that_cannot_be_written(home, monkeypatch):
    monkeypatch.delenv("JITNET_CACHE_DIR")
    own = write_idx(home / "digits", arrays(), compress=True)
    monkeypatch.setenv("HOME", "/proc/none")
    assert get(str(own))[0].name == "mnist"

    def homeless():
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", homeless)
    assert get(str(own))[0].name == "mnist"
    assert "the cache (there is no home folder): not there" in refused("mnist")


def test_the_table_of_known_sets():
    assert list(FILES) == list(PARTS)
    assert set(MNIST.sha256) == set(MNIST.shapes) == set(PARTS)
    assert all(len(digest) == 64 for digest in MNIST.sha256.values())
    for known in (FASHION, KMNIST):
        assert set(known.md5) == set(PARTS) and {len(digest) for digest in known.md5.values()} == {32}
        assert KNOWN[known.name] is known and all(mirror.endswith("/") for mirror in known.mirrors)
    hosts = {mirror.split("/")[2] for mirror in MNIST.mirrors}
    assert len(hosts) == 2 and all(mirror.startswith("https://") for mirror in MNIST.mirrors)


@pytest.mark.skipif(not REAL, reason="JITNET_DATA is not set")
def test_real_mnist(monkeypatch):
    monkeypatch.setitem(KNOWN, "mnist", MNIST)
    monkeypatch.setenv("JITNET_DATA", REAL)
    (x_train, y_train), (x_test, y_test) = load_mnist(offline=True)
    assert x_train.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28)
    assert y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4] and y_test.shape == (10000,)
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_importing_the_package_does_not_import_numba():
    root = Path(__file__).resolve().parents[2]
    code = "import sys, jitnet.data, jitnet.data.readers.images, jitnet.commands.data; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)


def test_a_copy_of_another_tool_is_found_without_being_asked_for(home):
    copy = next(iter(COPIES))
    path = COPIES[copy](home, arrays())
    data, warnings = get("auto")
    assert_is(data, arrays())
    assert (data.name, data.source, warnings) == ("mnist", str(path), [])
