"""`--data DIR` with a folder of images for each class."""

import numpy as np
import pytest

from jitnet.data.readers import images
from jitnet.data.sources import layouts
from jitnet.data.sources.cache import Cache
from jitnet.data.sources.search import read_own
from jitnet.errors import InputError

SIZE = (5, 4)


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, SIZE, np.uint8)


def write(folder, counts: dict[str, int]) -> dict[str, list[np.ndarray]]:
    """Write PGM images, which need no Pillow, into folders by class."""
    made = {}
    for place, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        made[name] = [picture(1000 * place + i) for i in range(count)]
        for i, image in enumerate(made[name]):
            content = b"P5 %d %d 255\n" % SIZE[::-1] + image.tobytes()
            (folder / name / f"{i:03}.pgm").write_bytes(content)
    return made


def refused(folder) -> str:
    with pytest.raises(InputError) as error:
        layouts.read(folder, Cache(None, str))
    return str(error.value)


def test_every_seventh_image_of_a_class_is_for_testing(tmp_path):
    made = write(tmp_path / "set", {"10": 14, "2": 7, "cat": 21})
    said = []
    data = read_own(tmp_path / "set", Cache(None, said.append))
    assert said == [f"the classes of {tmp_path / 'set'} are 0 = 2, 1 = 10, 2 = cat"]
    assert data.name == "set" and data.classes == 3 and data.x_train.shape == (36, *SIZE) and len(data.x_test) == 6
    for label, name in enumerate(("2", "10", "cat")):
        for x, y, expected in (
            (data.x_test, data.y_test, made[name][6::7]),
            (data.x_train, data.y_train, [image for i, image in enumerate(made[name]) if i % 7 != 6]),
        ):
            assert np.array_equal(x[y == label], expected)
    assert len(set(data.y_train[:6].tolist())) == 3  # mixed, not class by class


def test_folders_train_and_test(tmp_path):
    train = write(tmp_path / "train", {"0": 3, "1": 2})
    test = write(tmp_path / "test", {"0": 1, "1": 1})
    data = read_own(tmp_path, Cache(None, pytest.fail))
    assert np.array_equal(data.x_train[data.y_train == 1], train["1"]) and len(data.x_train) == 5
    assert np.array_equal(data.x_test[data.y_test == 0], test["0"]) and len(data.x_test) == 2


def test_images_are_decoded_once_until_one_changes(tmp_path, monkeypatch):
    write(tmp_path / "set", {"0": 7, "1": 7})
    cache = Cache(tmp_path / "cache", pytest.fail)
    first = read_own(tmp_path / "set", cache)
    with monkeypatch.context() as patch:
        patch.setattr(images, "read_levels", lambda file: pytest.fail("decoded again"))
        assert read_own(tmp_path / "set", cache).sha256 == first.sha256
    file = tmp_path / "set" / "1" / "003.pgm"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    assert read_own(tmp_path / "set", cache).sha256 != first.sha256
    file.rename(tmp_path / "set" / "0" / "zzz.pgm")
    assert "too few images (6): expected at least 7" in refused(tmp_path / "set")


def test_what_is_refused(tmp_path):
    write(tmp_path / "one", {"0": 7})
    assert "1 folders with images: expected 2 to 256" in refused(tmp_path / "one")
    write(tmp_path / "sizes", {"0": 7, "1": 7})
    (tmp_path / "sizes" / "1" / "002.pgm").write_bytes(b"P5 2 2 255\n1234")
    assert "002.pgm has 2 x 2 pixels: expected 4 x 5" in refused(tmp_path / "sizes")
    (tmp_path / "sizes" / "1" / "002.pgm").write_bytes(b"P5 2 2 255\n1")
    assert "002.pgm has 1 grey levels" in refused(tmp_path / "sizes")
    write(tmp_path / "parts" / "train", {"0": 1, "1": 1})
    write(tmp_path / "parts" / "test", {"0": 1, "2": 1})
    assert "the class '2' to test with but not to train on" in refused(tmp_path / "parts")
    (tmp_path / "empty").mkdir()
    assert "or a folder of images for each class" in refused(tmp_path / "empty")


def test_other_formats_by_pillow(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for name in ("0", "1"):
        (tmp_path / name).mkdir()
        for i in range(7):
            image.fromarray(picture(i)).save(tmp_path / name / f"{i}.png")
    data = read_own(tmp_path, Cache(None, pytest.fail))
    assert np.array_equal(data.x_test[0], picture(6)) and data.classes == 2
