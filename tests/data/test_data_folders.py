"""Folders of data: which files and folders in them count, what is said of the others, which of several is meant."""

import os

import numpy as np
import pytest
from test_data_catalogue import npz
from test_data_inputs import PIXELS, X, Y, csv, idx, load, pgm, refused, write_folders

from jitnet.data.labels import MOST_CLASSES
from jitnet.data.pixels import Scale
from jitnet.data.readers.arrays import roles
from jitnet.data.readers.class_folders import fingerprint
from jitnet.data.sources import layouts
from jitnet.data.sources.cache import Cache
from jitnet.data.sources.known import FILES
from jitnet.errors import InputError


def test_images_are_told_by_their_ending_in_any_case(tmp_path):
    write_folders(tmp_path, X, Y)
    for place, file in enumerate(sorted(tmp_path.glob("*/*"))):
        file.rename(file.with_suffix([".PGM", ".pgm", ".Jpg", ".jfif", ".JPE"][place % 5]))
    data, said = load(tmp_path)
    assert len(data.x_train) + len(data.x_test) == len(X) and not said


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_to_nowhere_is_a_damaged_image(tmp_path):
    write_folders(tmp_path, X, Y)
    (tmp_path / "0" / "zz.png").symlink_to(tmp_path / "gone.png")
    assert "1 damaged" in refused(tmp_path) and "zz.png" in refused(tmp_path)
    assert any("1 damaged image of" in each for each in load(tmp_path, skip_damaged=True)[1])


def test_damaged_images_are_named_up_to_twenty(tmp_path):
    write_folders(tmp_path, X, Y)
    for place in range(23):
        (tmp_path / "0" / f"z{place:02}.png").write_bytes(b"")
    message = refused(tmp_path)
    assert message.startswith("23 damaged: ") and "z19.png" in message and "z20.png" not in message
    assert "; and 3 more. Remove them" in message


@pytest.mark.parametrize("names", [("test", "Testing"), ("val", "valid"), ("train", "training")])
def test_two_folders_of_one_part_are_refused(tmp_path, names):
    for name in ("train", *names):
        write_folders(tmp_path / name, X[:20], Y[:20])
    assert all(name in refused(tmp_path) for name in names) and "expected one of them" in refused(tmp_path)


def test_a_folder_that_is_not_used_is_said(tmp_path):
    for name in ("train", "val", "test"):
        write_folders(tmp_path / name, X[:20], Y[:20])
    assert load(tmp_path)[0].facts.split == "the folders train and test; val is not used"


def test_as_many_folders_as_a_byte_has_values(tmp_path):
    for part in ("train", "test"):
        for place in range(MOST_CLASSES):
            image = np.zeros((2, 2), np.uint8)
            image[0] = place, 255
            pgm(tmp_path / part / f"{place:03}" / "0.pgm", image)
    data, _ = load(tmp_path)
    assert data.classes == MOST_CLASSES
    np.testing.assert_array_equal(data.x_train[:, 0, 0], data.y_train)
    pgm(tmp_path / "train" / "256" / "0.pgm", X[0])
    assert "has 257 folders with images: expected 2 to 256" in refused(tmp_path)


def test_a_file_of_several_pictures_is_no_image_of_a_class(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    write_folders(tmp_path, X, Y)
    pages = [pillow.fromarray(image) for image in X[:3]]
    pages[0].save(tmp_path / "0" / "zz.tiff", save_all=True, append_images=pages[1:])
    assert "zz.tiff holds 3 images: expected one in each file" in refused(tmp_path)


@pytest.mark.parametrize("place", [0, 2, 3, -1])
def test_colours_are_looked_for_in_all_images(tmp_path, place):
    pillow = pytest.importorskip("PIL.Image")
    write_folders(tmp_path, X, Y)
    colours = np.zeros((6, 6, 3), np.uint8)
    colours[::2, :, 0] = 255
    file = sorted((tmp_path / "4").iterdir())[place]
    pillow.fromarray(colours).save(file.with_suffix(".png"))
    file.unlink()
    words = f"have colours, which become grey (1 of them, first {file.with_suffix('.png')})"
    assert any(words in each for each in load(tmp_path)[1])


def test_bytes_among_deeper_images_keep_their_scale(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    for place, (image, label) in enumerate(zip(X // 2, Y)):  # none is white
        (tmp_path / str(label)).mkdir(exist_ok=True)
        levels = image.astype(np.uint16) * 257 if place % 2 else image
        levels[0, 0] = 65535 if place % 2 else 3  # dark for bytes
        pillow.fromarray(levels).save(tmp_path / str(label) / f"{place:02}.png")
    data, _ = load(tmp_path)
    assert data.facts.scale == Scale()
    found = {image[1:].tobytes() for image in np.concatenate([data.x_train, data.x_test])}
    assert found == {image[1:].tobytes() for image in X // 2}


def test_a_file_in_another_class_makes_other_data(tmp_path):
    for name in ("a", "b"):
        for place in range(8):
            pgm(tmp_path / name / f"{name}{place}.pgm", X[place])
    first = fingerprint(tmp_path)
    (tmp_path / "b").rename(tmp_path / "c")
    assert fingerprint(tmp_path) != first


def test_folders_from_the_cache_keep_the_scale_of_their_files(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    for place, (image, label) in enumerate(zip(X, Y)):
        (tmp_path / "d" / str(label)).mkdir(parents=True, exist_ok=True)
        pillow.fromarray(image.astype(np.uint16) * 16).save(tmp_path / "d" / str(label) / f"{place:02}.png")
    cache = Cache(tmp_path / "cache", pytest.fail)
    first, again = (layouts.read(tmp_path / "d", cache) for _ in range(2))
    assert first.scale == again.scale and first.scale.full == 4095 and first.notes == again.notes


def test_a_table_next_to_class_folders_is_a_list(tmp_path):
    write_folders(tmp_path, X, Y)
    (tmp_path / "list.csv").write_text("file,kind\na.png,cat\n")
    assert load(tmp_path)[0].facts.kind == "class folders"


def test_of_several_archives_that_of_keras_is_read(tmp_path):
    for name in ("a", "mnist", "z"):
        np.savez(tmp_path / f"{name}.npz", x=X if name == "mnist" else X[:60], y=Y if name == "mnist" else Y[:60])
    data, _ = load(tmp_path)
    assert len(data.x_train) + len(data.x_test) == len(X)
    (tmp_path / "mnist.npz").unlink()
    assert "holds no data set" in refused(tmp_path)


def write_idx(folder, prefix="", names=tuple(FILES.values())):  # noqa: B008 (it is constant)
    for name, array in zip(FILES.values(), (X[:50], Y[:50], X[50:], Y[50:])):
        if name in names:
            (folder / (prefix + name)).write_bytes(idx(array))


def test_the_files_of_a_split_are_recorded_and_must_all_be_there(tmp_path):
    write_idx(tmp_path, "emnist-letters-")
    names = [f"emnist-letters-{FILES[part]}" for part in ("x_train", "x_test")]
    assert load(tmp_path)[0].facts.split == f"the files {names[0]} and {names[1]}"
    write_idx(tmp_path, "emnist-digits-")
    assert "has several data sets, emnist-digits-..., emnist-letters-...: put" in refused(tmp_path)
    for count in (1, 2, 3):
        (tmp_path / str(count)).mkdir()
        write_idx(tmp_path / str(count), names=list(FILES.values())[:count])
        message = refused(tmp_path / str(count))
        assert message.endswith(
            f"lacks {', '.join(list(FILES.values())[count:])}: expected all of them, add what lacks"
        )


def test_a_folder_in_a_folder_is_entered_only_if_it_is_alone(tmp_path):
    write_folders(tmp_path / "inside" / "set", X, Y)
    (tmp_path / ".DS_Store").write_bytes(b"x")
    assert load(tmp_path)[0].classes == 5
    (tmp_path / "read me.txt").write_text("x")
    assert "holds no data set" in refused(tmp_path)


def test_the_table_of_a_person_is_turned_if_its_name_says_emnist_in_any_case(tmp_path):
    images = np.zeros((40, 28, 28), np.uint8)
    images[:, 12:16, 4:24] = np.random.default_rng(0).integers(150, 256, (40, 4, 20))
    labels = np.array(list("ABCDE"))[np.arange(40) % 5]
    header = "label," + ",".join(f"p{place}" for place in range(784))
    (tmp_path / "EMNIST.csv").write_text(csv(images, labels, header))
    assert load(tmp_path / "EMNIST.csv")[0].facts.orientation == "turned upright"
    (tmp_path / "mine.csv").write_text(csv(images, labels, header))
    assert load(tmp_path / "mine.csv")[0].facts.orientation == "upright"


def test_arrays_without_names_are_a_pair_or_nothing():
    assert roles(["arr_0", "arr_1"], "f") == {"x_train": "arr_0", "y_train": "arr_1"}
    with pytest.raises(InputError, match="holds arr_0, arr_1, arr_2: expected arrays named"):
        roles(["arr_0", "arr_1", "arr_2"], "f")


def test_plain_names_are_meant_before_longer_ones(tmp_path):
    assert roles(["old_x", "old_y", "x", "y"], "f") == {"x_train": "x", "y_train": "y"}
    with pytest.raises(InputError, match="holds old_x and new_x: expected one of them"):
        roles(["old_x", "old_y", "new_x", "new_y"], "f")
    data, said = load(npz(old_x=X[:9], old_y=Y[:9], x=X, y=Y)(tmp_path))
    assert len(data.x_train) + len(data.x_test) == len(X)
    assert any("old_x, old_y of" in each and "are not used" in each for each in said)


def test_pixels_of_a_test_table_are_as_many_as_those_of_the_training(tmp_path):
    """A table without labels has as many columns as an image has pixels: the key of the cache holds that number."""
    (tmp_path / "train.csv").write_text(csv(X[:50], Y[:50], "label," + PIXELS))
    (tmp_path / "test.csv").write_text("\n".join(",".join(map(str, row)) for row in X[50:].reshape(20, -1).tolist()))
    cache = Cache(tmp_path / "cache", pytest.fail)
    lone = layouts._table(tmp_path / "test.csv", cache, "1")
    assert lone.labels is not None
    raw = layouts.read(tmp_path, cache)
    assert raw.x_test is None and any("test.csv has no labels" in note for note in raw.notes)
